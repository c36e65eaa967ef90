"""Incidents as people handle them."""

from datetime import timedelta
from typing import NamedTuple

from chalicelib.domain.alerts.outbox import Outgoing
from chalicelib.domain.errors import Conflict, NotFound
from chalicelib.domain.ids import is_timed_id
from chalicelib.domain.monitor import on_request
from chalicelib.domain.monitor.cron import Cron
from chalicelib.domain.monitor.decision import Decision
from chalicelib.domain.monitor.incident import Handling, Incident, NamedIncident
from chalicelib.domain.schedule.occurrences import END_OF_TIME
from chalicelib.services import crons
from chalicelib.services.context import decide_with
from chalicelib.services.paging import Page
from chalicelib.store import incidents
from chalicelib.store.alerts import alerts_between

_AFTER = timedelta(minutes=1)


class IncidentFilters(NamedTuple):
    """None: any."""

    cron_id: str | None = None
    is_open: bool | None = None


def list_incidents(org_id: str, filters: IncidentFilters, page: Page) -> tuple[list[NamedIncident], str | None]:
    """Returns a page of an org's incidents, latest first, and the next page's cursor, None at the end."""
    return incidents.list_incidents(org_id, incidents.IncidentQuery(page.limit, page.cursor, *filters))


def find(org_id: str, incident_id: str) -> NamedIncident:
    """Raises NotFound."""
    found = incidents.find_incident(org_id, incident_id) if is_timed_id(incident_id) else None
    if found is None:
        raise NotFound("no such incident")
    return found


def deliveries(incident: Incident) -> list[Outgoing]:
    """The alerts that an incident made, each with how far its channels are."""
    end = (incident.resolved_at or END_OF_TIME) + _AFTER
    found = alerts_between(incident.cron_id, incident.opened_at - _AFTER, end)
    return [one for one in found if one.alert.incident_id == incident.id]


def acknowledge(org_id: str, incident_id: str, handling: Handling) -> NamedIncident:
    """A person takes it on. Raises NotFound; Conflict for one that is over."""
    incident = _find_open(org_id, incident_id).incident

    def decide(cron: Cron) -> Decision:
        if cron.incident is None or cron.incident.id != incident_id:
            raise Conflict("this incident is already resolved")
        return on_request.acknowledge(cron)

    crons.write(org_id, incident.cron_id, decide, handling.at)
    incidents.acknowledge(org_id, incident_id, handling)
    return find(org_id, incident_id)


def resolve(org_id: str, incident_id: str, handling: Handling) -> NamedIncident:
    """A person says that it is over, and its cron starts afresh. Raises NotFound, Conflict."""
    incident = _find_open(org_id, incident_id).incident

    def decide(cron: Cron) -> Decision:
        if cron.incident is None or cron.incident.id != incident_id:
            raise Conflict("this incident is already resolved")
        return decide_with(cron, lambda context: on_request.resolve(cron, handling.at, context))

    crons.write(org_id, incident.cron_id, decide, handling.at)
    incidents.note_resolver(org_id, incident_id, handling)
    return find(org_id, incident_id)


def _find_open(org_id: str, incident_id: str) -> NamedIncident:
    found = find(org_id, incident_id)
    if found.incident.resolved_at is not None:
        raise Conflict("this incident is already resolved")
    return found
