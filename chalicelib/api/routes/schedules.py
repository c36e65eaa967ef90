"""What a schedule means, before anyone relies on it."""

from chalicelib.api.http.request import Call
from chalicelib.api.http.route import route
from chalicelib.api.schemas.schedules import Preview, PreviewQuery
from chalicelib.domain.schedule.description import describe
from chalicelib.domain.schedule.occurrences import END_OF_TIME, times_of
from chalicelib.domain.schedule.schedule import parse_schedule
from chalicelib.services.throttle import PREVIEWS


@route("GET", "/api/schedules/preview", public=True, limit=PREVIEWS)
def preview(call: Call, query: PreviewQuery) -> Preview:
    """Preview a schedule

    What it says in words, and its next times.
    """
    schedule = parse_schedule(query.schedule, query.timezone)
    after = query.after or call.now
    next_runs = times_of(schedule, after).between(after, END_OF_TIME, query.count)
    description = describe(schedule.expression, query.lang)
    return Preview(schedule.expression, schedule.timezone, description, tuple(next_runs))
