"""Crons: register, list, read, change, pause, remove."""

from chalicelib.api.http.answers import NoContent
from chalicelib.api.http.request import Call
from chalicelib.api.http.route import route
from chalicelib.api.schemas.crons import ChangeCron, CronList, CronOut, CronQuery, RegisterCrons, RegisteredCrons
from chalicelib.api.schemas.statistics import CronDetails
from chalicelib.domain.accounts.permissions import Action
from chalicelib.domain.errors import FieldError, Invalid
from chalicelib.domain.ids import org_of
from chalicelib.domain.monitor.cron import Cron
from chalicelib.services import crons, proposals, statistics
from chalicelib.services.paging import Page
from chalicelib.services.register import register


@route("POST", "/api/crons/register", action=Action.INGEST, problems=(409,))
def register_crons(call: Call, body: RegisterCrons) -> RegisteredCrons:
    """Register crons for a service

    Crons are linked to the API key's organization. Makes a service's crons match the list; call it at each
    deployment. The same call again changes nothing. A setting that is not sent stays as it is. When anything is
    wrong, nothing is changed.
    """
    return RegisteredCrons.of(register(call.org_id, body.registration(), call.now))


@route("GET", "/api/crons", action=Action.READ)
def list_crons(call: Call, query: CronQuery) -> CronList:
    """List organization crons

    Filters: product, service, search, project_id. Also status and tag. Every filter that is given must fit.
    """
    if query.cursor is not None and org_of(query.cursor) != call.org_id:
        raise Invalid(FieldError("cursor", "is not a cursor of this list"))
    found, after = crons.list_crons(call.org_id, query.filters(), Page(query.limit, query.cursor), call.now)
    return CronList(tuple(CronOut.of(one) for one in found), after)


@route("GET", "/api/crons/{cron_id}", action=Action.READ)
def read_cron(call: Call, cron_id: str) -> CronDetails:
    """Details with stats, SLA, anomalies, dependencies, and next runs

    Figures are true as of the moment of the request, also while the cron is down.
    """
    return CronDetails.detailed(statistics.details(call.org_id, cron_id, call.now), call.now)


@route("PATCH", "/api/crons/{cron_id}", action=Action.CHANGE, problems=(409,))
def change_cron(call: Call, cron_id: str, body: ChangeCron) -> CronOut:
    """Change a cron's names or settings

    What is not sent stays as it is; a setting sent as null has its usual value again. A new schedule or time
    zone starts from its next occurrence.
    """
    return _shown(call, crons.change(call.org_id, cron_id, body.changes(), call.now))


@route("DELETE", "/api/crons/{cron_id}", action=Action.CHANGE)
def delete_cron(call: Call, cron_id: str) -> NoContent:
    """Delete a cron

    Permanently: its id never comes back. To put a cron away and keep its history, leave it out of a register
    call with `prune`.
    """
    crons.delete(call.org_id, cron_id, call.now)
    return NoContent()


@route("POST", "/api/crons/{cron_id}/pause", action=Action.CHANGE, problems=(409,))
def pause_cron(call: Call, cron_id: str) -> CronOut:
    """Pause a cron

    Signals are recorded, nothing is judged. An open incident is resolved. Pausing a paused cron changes
    nothing.
    """
    return _shown(call, crons.pause(call.org_id, cron_id, call.now))


@route("POST", "/api/crons/{cron_id}/resume", action=Action.CHANGE, problems=(409,))
def resume_cron(call: Call, cron_id: str) -> CronOut:
    """Resume a paused cron

    It starts from its next occurrence. Resuming a cron that is not paused changes nothing.
    """
    return _shown(call, crons.resume(call.org_id, cron_id, call.now))


@route("POST", "/api/crons/{cron_id}/accept-schedule", action=Action.CHANGE, problems=(409,))
def accept_schedule(call: Call, cron_id: str) -> CronOut:
    """Accept the schedule that is proposed

    A cron without a schedule, such as one that its first ping made, has a `schedule_proposal` in its details once
    its runs show one. 409 while there is none.
    """
    return _shown(call, proposals.accept(call.org_id, cron_id, call.now))


def _shown(call: Call, cron: Cron) -> CronOut:
    return CronOut.of(crons.shown(cron, call.now))
