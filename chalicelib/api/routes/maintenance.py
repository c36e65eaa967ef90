"""Maintenance windows: make, list, read, change, remove."""

from chalicelib.api.http.answers import Created, NoContent
from chalicelib.api.http.request import Call
from chalicelib.api.http.route import route
from chalicelib.api.schemas.maintenance import ChangeWindow, CreateWindow, WindowList, WindowOut, WindowQuery
from chalicelib.domain.accounts.permissions import Action
from chalicelib.services import maintenance


@route("POST", "/api/maintenance", action=Action.CHANGE, problems=(409,))
def create_window(call: Call, body: CreateWindow) -> Created[WindowOut]:
    """Create a maintenance window

    Alerts are suspended during this period. Once, from `starts_at` to `ends_at`; or again and again, by `schedule`
    and `duration_minutes`.
    """
    return Created(WindowOut.of(maintenance.create(call.org_id, body.name, body.changes(), call.now), call.now))


@route("GET", "/api/maintenance", action=Action.READ)
def list_windows(call: Call, query: WindowQuery) -> WindowList:
    """List the maintenance windows"""
    found, after = maintenance.list_windows(call.org_id, query.active, query.page, call.now)
    return WindowList(tuple(WindowOut.of(one, call.now) for one in found), after)


@route("GET", "/api/maintenance/{window_id}", action=Action.READ)
def read_window(call: Call, window_id: str) -> WindowOut:
    """Read a maintenance window"""
    return WindowOut.of(maintenance.find(call.org_id, window_id), call.now)


@route("PATCH", "/api/maintenance/{window_id}", action=Action.CHANGE)
def change_window(call: Call, window_id: str, body: ChangeWindow) -> WindowOut:
    """Change a maintenance window"""
    changes = body.changes(body.name)
    return WindowOut.of(maintenance.change(call.org_id, window_id, changes, call.now), call.now)


@route("DELETE", "/api/maintenance/{window_id}", action=Action.CHANGE)
def delete_window(call: Call, window_id: str) -> NoContent:
    """Delete a maintenance window"""
    maintenance.delete(call.org_id, window_id, call.now)
    return NoContent()
