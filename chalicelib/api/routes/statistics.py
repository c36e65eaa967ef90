"""A cron's details, and its days."""

from datetime import timedelta
from typing import Any

from chalice.app import Blueprint

from chalicelib.api.http.request import Call
from chalicelib.api.http.route import route
from chalicelib.api.schemas import render
from chalicelib.api.schemas.fields import load
from chalicelib.api.schemas.shapes import STATS_QUERY
from chalicelib.domain.accounts.permissions import Action
from chalicelib.domain.errors import FieldError, Invalid
from chalicelib.domain.runs.counts import sum_counts
from chalicelib.services import statistics

blueprint = Blueprint(__name__)

_USUAL_DAYS = 30
_MOST_DAYS = 400


@route(blueprint, "GET", "/api/crons/{cron_id}", action=Action.READ)
def read_cron(call: Call, cron_id: str) -> tuple[int, Any]:
    return 200, render.details(statistics.details(call.org_id, cron_id, call.now), call.now)


@route(blueprint, "GET", "/api/crons/{cron_id}/stats", action=Action.READ)
def read_days(call: Call, cron_id: str) -> tuple[int, Any]:
    query = load(STATS_QUERY, call.query)
    last = query.get("to", call.now.date())
    first = query.get("from", last - timedelta(days=_USUAL_DAYS - 1))
    if first > last:
        raise Invalid(FieldError("to", "must not be before from"))
    if last - first >= timedelta(days=_MOST_DAYS):
        raise Invalid(FieldError("from", f"must be at most {_MOST_DAYS} days before to"))
    days = statistics.daily(call.org_id, cron_id, first, last)
    return 200, {
        "from": first.isoformat(),
        "to": last.isoformat(),
        "days": [{"day": day.isoformat(), **render.counts(counts)} for day, counts in days],
        "total": render.counts(sum_counts(day.counts for day in days)),
    }
