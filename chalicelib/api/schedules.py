"""What a schedule means, before anyone relies on it."""

from typing import Any

from chalice.app import Blueprint

from chalicelib.api.fields import load
from chalicelib.api.json_answers import instant
from chalicelib.api.requests import Call
from chalicelib.api.routes import route
from chalicelib.api.shapes import PREVIEW
from chalicelib.domain.occurrences import END_OF_TIME, times_of
from chalicelib.domain.schedule import parse_schedule
from chalicelib.domain.schedule_words import describe
from chalicelib.services.throttle import PREVIEWS

blueprint = Blueprint(__name__)


@route(blueprint, "GET", "/api/schedules/preview", action=None, limit=PREVIEWS)
def preview(call: Call) -> tuple[int, Any]:
    query = load(PREVIEW, call.query)
    schedule = parse_schedule(query["schedule"], query["timezone"])
    after = query.get("after", call.now)
    next_runs = times_of(schedule, after).between(after, END_OF_TIME, query["count"])
    return 200, {
        "schedule": schedule.expression,
        "timezone": schedule.timezone,
        "description": describe(schedule.expression),
        "next_runs": [instant(at) for at in next_runs],
    }
