"""Incidents."""

from typing import Any

from chalice.app import Blueprint

from chalicelib.api import render
from chalicelib.api.crons import require_cursor
from chalicelib.api.fields import load
from chalicelib.api.requests import Call
from chalicelib.api.routes import route
from chalicelib.api.shapes import INCIDENT_QUERY
from chalicelib.domain.access import Action
from chalicelib.domain.errors import NotFound
from chalicelib.domain.ids import is_timed_id
from chalicelib.store import incidents

blueprint = Blueprint(__name__)


@route(blueprint, "GET", "/api/incidents", action=Action.READ)
def list_incidents(call: Call) -> tuple[int, Any]:
    query = load(INCIDENT_QUERY, call.query)
    cursor = query.get("cursor")
    require_cursor(cursor is None or is_timed_id(cursor))
    is_open = query["status"] == "open" if "status" in query else None
    found, before = incidents.list_incidents(call.org_id, query["limit"], cursor, query.get("cron_id"), is_open)
    return 200, {"incidents": [render.incident(one) for one in found], "next_cursor": before}


@route(blueprint, "GET", "/api/incidents/{incident_id}", action=Action.READ)
def read_incident(call: Call, incident_id: str) -> tuple[int, Any]:
    found = incidents.find_incident(call.org_id, incident_id)
    if found is None:
        raise NotFound("no such incident")
    return 200, render.incident(found)
