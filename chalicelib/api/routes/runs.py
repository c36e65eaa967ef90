"""The runs of a cron, and its figures day by day."""

from chalicelib.api.http.request import Call
from chalicelib.api.http.route import route
from chalicelib.api.schemas.runs import RunList, RunOut, RunQuery
from chalicelib.api.schemas.statistics import StatsOut, StatsQuery
from chalicelib.domain.accounts.permissions import Action
from chalicelib.services import crons, statistics


@route("GET", "/api/crons/{cron_id}/runs", action=Action.READ)
def list_runs(call: Call, cron_id: str, query: RunQuery) -> RunList:
    """List a cron's runs

    Latest first.
    """
    filters = crons.RunFilters(query.status, query.from_, query.to)
    found, before = crons.list_runs(call.org_id, cron_id, filters, query.page)
    return RunList(tuple(RunOut.listed(run) for run in found), before)


@route("GET", "/api/crons/{cron_id}/runs/{run_id}", action=Action.READ)
def read_run(call: Call, cron_id: str, run_id: str) -> RunOut:
    """Read a run

    By CronHub's own id of it, with the whole message.
    """
    return RunOut.of(crons.find_run(call.org_id, cron_id, run_id))


@route("GET", "/api/crons/{cron_id}/stats", action=Action.READ)
def read_days(call: Call, cron_id: str, query: StatsQuery) -> StatsOut:
    """Read a cron's figures by day

    At most 400 days. A run counts on the UTC day of its occurrence.
    """
    span = statistics.Span(query.from_, query.to)
    return StatsOut.of(statistics.daily(call.org_id, cron_id, span, call.now))
