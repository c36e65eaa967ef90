"""Incidents."""

from typing import Any

from chalice.app import Blueprint

from chalicelib.api.http.request import Call, body_object
from chalicelib.api.http.route import route
from chalicelib.api.routes.crons import require_cursor
from chalicelib.api.schemas import render
from chalicelib.api.schemas.fields import load
from chalicelib.api.schemas.shapes import HANDLING, INCIDENT_QUERY
from chalicelib.domain.accounts.permissions import Action
from chalicelib.domain.ids import is_timed_id
from chalicelib.domain.monitor.incident import Handling
from chalicelib.services import incidents
from chalicelib.store.incidents import list_incidents as list_of_org

blueprint = Blueprint(__name__)


@route(blueprint, "GET", "/api/incidents", action=Action.READ)
def list_incidents(call: Call) -> tuple[int, Any]:
    query = load(INCIDENT_QUERY, call.query)
    cursor = query.get("cursor")
    require_cursor(cursor is None or is_timed_id(cursor))
    is_open = query["status"] == "open" if "status" in query else None
    found, before = list_of_org(call.org_id, query["limit"], cursor, query.get("cron_id"), is_open)
    return 200, {"incidents": [render.incident(one) for one in found], "next_cursor": before}


@route(blueprint, "GET", "/api/incidents/{incident_id}", action=Action.READ)
def read_incident(call: Call, incident_id: str) -> tuple[int, Any]:
    found = incidents.find(call.org_id, incident_id)
    alerts = [render.outgoing(one) for one in incidents.deliveries(found.incident)]
    return 200, {**render.incident_details(found), "alerts": alerts}


@route(blueprint, "POST", "/api/incidents/{incident_id}/acknowledge", action=Action.CHANGE)
def acknowledge(call: Call, incident_id: str) -> tuple[int, Any]:
    done = incidents.acknowledge(call.org_id, incident_id, _handling(call))
    return 200, render.incident_details(done)


@route(blueprint, "POST", "/api/incidents/{incident_id}/resolve", action=Action.CHANGE)
def resolve(call: Call, incident_id: str) -> tuple[int, Any]:
    return 200, render.incident_details(incidents.resolve(call.org_id, incident_id, _handling(call)))


def _handling(call: Call) -> Handling:
    given = load(HANDLING, body_object(call.request))
    # Who it was is said by the body, or by the key's name.
    return Handling(given.get("by") or call.key.name, call.now, given.get("note"))
