"""Maintenance windows: make, list, read, change, remove."""

from datetime import datetime
from typing import Any

from chalice.app import Blueprint

from chalicelib.api.http.json import instant
from chalicelib.api.http.request import Call, body_object
from chalicelib.api.http.route import route
from chalicelib.api.routes.crons import require_cursor
from chalicelib.api.schemas.fields import load
from chalicelib.api.schemas.shapes import NEW_WINDOW, WINDOW_CHANGES, WINDOW_QUERY
from chalicelib.domain.accounts.permissions import Action
from chalicelib.domain.ids import is_timed_id
from chalicelib.domain.monitor.maintenance import MaintenanceWindow, next_spans, span_at
from chalicelib.services import maintenance

blueprint = Blueprint(__name__)

_ACTIVE = {"true": True, "false": False, None: None}


@route(blueprint, "POST", "/api/maintenance", action=Action.CHANGE)
def create_window(call: Call) -> tuple[int, Any]:
    given = load(NEW_WINDOW, body_object(call.request))
    return 201, render_window(maintenance.create(call.org_id, _as_window(given), call.now), call.now)


@route(blueprint, "GET", "/api/maintenance", action=Action.READ)
def list_windows(call: Call) -> tuple[int, Any]:
    query = load(WINDOW_QUERY, call.query)
    cursor = query.get("cursor")
    require_cursor(cursor is None or is_timed_id(cursor))
    active = _ACTIVE[query.get("active")]
    found, after = maintenance.list_windows(call.org_id, active, query["limit"], cursor, call.now)
    return 200, {"maintenance": [render_window(one, call.now) for one in found], "next_cursor": after}


@route(blueprint, "GET", "/api/maintenance/{window_id}", action=Action.READ)
def read_window(call: Call, window_id: str) -> tuple[int, Any]:
    return 200, render_window(maintenance.find(call.org_id, window_id), call.now)


@route(blueprint, "PATCH", "/api/maintenance/{window_id}", action=Action.CHANGE)
def change_window(call: Call, window_id: str) -> tuple[int, Any]:
    given = load(WINDOW_CHANGES, body_object(call.request))
    window = maintenance.change(call.org_id, window_id, _as_window(given), call.now)
    return 200, render_window(window, call.now)


@route(blueprint, "DELETE", "/api/maintenance/{window_id}", action=Action.CHANGE)
def delete_window(call: Call, window_id: str) -> tuple[int, Any]:
    maintenance.delete(call.org_id, window_id, call.now)
    return 204, None


def _as_window(given: dict[str, Any]) -> dict[str, Any]:
    """Checked values as a window has them: null is the usual value."""
    found = dict(given)
    for name in ("tags", "cron_ids"):
        if name in found:
            found[name] = tuple(dict.fromkeys(found[name] or ()))
    if "timezone" in found:
        found["timezone"] = found["timezone"] or "UTC"
    return found


def render_window(window: MaintenanceWindow, now: datetime) -> dict[str, Any]:
    """`next_starts_at` and `next_ends_at`: while it is active, when it ends and then begins again."""
    current = span_at(window, now)
    spans = next_spans(window, now, 2)
    following = next((span for span in spans if span[0] > now), None)
    ending = current or following
    return {
        "id": window.id,
        "name": window.name,
        "starts_at": instant(window.starts_at),
        "ends_at": instant(window.ends_at),
        "schedule": window.schedule,
        "timezone": window.timezone,
        "duration_minutes": window.duration_minutes,
        "product": window.product,
        "service": window.service,
        "project_id": window.project_id,
        "tags": list(window.tags) or None,
        "cron_ids": list(window.cron_ids) or None,
        "active": current is not None,
        "next_starts_at": instant(following[0]) if following else None,
        "next_ends_at": instant(ending[1]) if ending else None,
        "created_at": instant(window.created_at),
    }
