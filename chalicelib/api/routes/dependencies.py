"""What crons wait for: add, list, remove."""

from typing import Any

from chalice.app import Blueprint

from chalicelib.api.http.request import Call, body_object
from chalicelib.api.http.route import route
from chalicelib.api.schemas import render
from chalicelib.api.schemas.fields import load
from chalicelib.api.schemas.shapes import NEW_DEPENDENCY
from chalicelib.domain.accounts.permissions import Action
from chalicelib.services import dependencies
from chalicelib.services.crons import find

blueprint = Blueprint(__name__)


@route(blueprint, "POST", "/api/crons/{cron_id}/dependencies", action=Action.CHANGE)
def add_dependency(call: Call, cron_id: str) -> tuple[int, Any]:
    given = load(NEW_DEPENDENCY, body_object(call.request))
    added, new = dependencies.add(call.org_id, cron_id, given["depends_on_id"])
    return 201 if new else 200, render.dependency(added, dependencies.blocker_of(added, call.now), call.now)


@route(blueprint, "GET", "/api/crons/{cron_id}/dependencies", action=Action.READ)
def list_dependencies(call: Call, cron_id: str) -> tuple[int, Any]:
    return 200, render.dependencies(*dependencies.overview(find(call.org_id, cron_id), call.now), call.now)


@route(blueprint, "DELETE", "/api/crons/{cron_id}/dependencies/{depends_on_id}", action=Action.CHANGE)
def remove_dependency(call: Call, cron_id: str, depends_on_id: str) -> tuple[int, Any]:
    dependencies.remove(call.org_id, cron_id, depends_on_id)
    return 204, None
