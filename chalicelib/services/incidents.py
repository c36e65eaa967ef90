"""Incidents as people handle them."""

from chalicelib.domain import lifecycle
from chalicelib.domain.cron import Cron
from chalicelib.domain.decision import Decision
from chalicelib.domain.errors import Conflict, NotFound
from chalicelib.services import crons
from chalicelib.services.surroundings import decide_with
from chalicelib.store import incidents
from chalicelib.store.incidents import Handling, NamedIncident


def find(org_id: str, incident_id: str) -> NamedIncident:
    """Raises NotFound."""
    found = incidents.find_incident(org_id, incident_id)
    if found is None:
        raise NotFound("no such incident")
    return found


def acknowledge(org_id: str, incident_id: str, handling: Handling) -> NamedIncident:
    """Somebody has it in hand. Raises NotFound; Conflict for one that is over."""
    _find_open(org_id, incident_id)
    incidents.acknowledge(org_id, incident_id, handling)
    return find(org_id, incident_id)


def resolve(org_id: str, incident_id: str, handling: Handling) -> NamedIncident:
    """Somebody says that it is over: its cron starts afresh. Raises NotFound, Conflict."""
    incident = _find_open(org_id, incident_id).incident

    def decide(cron: Cron) -> Decision:
        if cron.incident is None or cron.incident.id != incident_id:
            raise Conflict("this incident is resolved already")
        return decide_with(cron, lambda around: lifecycle.resolve(cron, handling.at, around))

    crons.write(org_id, incident.cron_id, decide, handling.at)
    incidents.note_resolver(org_id, incident_id, handling)
    return find(org_id, incident_id)


def _find_open(org_id: str, incident_id: str) -> NamedIncident:
    found = find(org_id, incident_id)
    if found.incident.resolved_at is not None:
        raise Conflict("this incident is resolved already")
    return found
