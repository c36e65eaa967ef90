"""What a schedule means, before anyone relies on it."""

from typing import Any

from chalice.app import Blueprint

from chalicelib.api.http.json import instant
from chalicelib.api.http.request import Call
from chalicelib.api.http.route import route
from chalicelib.api.schemas.fields import load
from chalicelib.api.schemas.shapes import PREVIEW
from chalicelib.domain.schedule.description import describe
from chalicelib.domain.schedule.occurrences import END_OF_TIME, times_of
from chalicelib.domain.schedule.schedule import parse_schedule
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
