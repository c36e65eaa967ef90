"""Incidents."""

from chalicelib.api.http.request import Call
from chalicelib.api.http.route import route
from chalicelib.api.schemas.incidents import (
    HandleIncident,
    IncidentDetails,
    IncidentList,
    IncidentOut,
    IncidentQuery,
    IncidentTimeline,
)
from chalicelib.domain.accounts.permissions import Action
from chalicelib.domain.monitor.incident import Handling
from chalicelib.services import incidents


@route("GET", "/api/incidents", action=Action.READ)
def list_incidents(call: Call, query: IncidentQuery) -> IncidentList:
    """List incidents

    Latest first.
    """
    found, before = incidents.list_incidents(call.org_id, query.filters(), query.page)
    return IncidentList(tuple(IncidentOut.of(one) for one in found), before)


@route("GET", "/api/incidents/{incident_id}", action=Action.READ)
def read_incident(call: Call, incident_id: str) -> IncidentDetails:
    """Read an incident with its timeline and alerts"""
    found = incidents.find(call.org_id, incident_id)
    return IncidentDetails.detailed(found, incidents.deliveries(found.incident))


@route("POST", "/api/incidents/{incident_id}/acknowledge", action=Action.CHANGE, problems=(409,))
def acknowledge(call: Call, incident_id: str, body: HandleIncident) -> IncidentTimeline:
    """Acknowledge an incident

    Somebody is working on it: no reminders are sent.
    """
    return IncidentTimeline.told(incidents.acknowledge(call.org_id, incident_id, _handling(call, body)))


@route("POST", "/api/incidents/{incident_id}/resolve", action=Action.CHANGE, problems=(409,))
def resolve(call: Call, incident_id: str, body: HandleIncident) -> IncidentTimeline:
    """Resolve an incident by hand

    The cron starts from its next occurrence.
    """
    return IncidentTimeline.told(incidents.resolve(call.org_id, incident_id, _handling(call, body)))


def _handling(call: Call, body: HandleIncident) -> Handling:
    return Handling(body.by or call.key.name, call.now, body.note)
