"""What crons wait for: add, list, remove."""

from datetime import datetime
from typing import Any

from chalice.app import Blueprint

from chalicelib.api.fields import load
from chalicelib.api.requests import Call, body_object
from chalicelib.api.routes import route
from chalicelib.api.shapes import NEW_DEPENDENCY
from chalicelib.domain.access import Action
from chalicelib.domain.cron import Cron
from chalicelib.domain.dependencies import Blocker
from chalicelib.domain.shown import shown
from chalicelib.services import dependencies
from chalicelib.services.crons import find

blueprint = Blueprint(__name__)


@route(blueprint, "POST", "/api/crons/{cron_id}/dependencies", action=Action.CHANGE)
def add_dependency(call: Call, cron_id: str) -> tuple[int, Any]:
    given = load(NEW_DEPENDENCY, body_object(call.request))
    added, new = dependencies.add(call.org_id, cron_id, given["depends_on_id"])
    return 201 if new else 200, _dependency(added, dependencies.blocker_of(added, call.now), call.now)


@route(blueprint, "GET", "/api/crons/{cron_id}/dependencies", action=Action.READ)
def list_dependencies(call: Call, cron_id: str) -> tuple[int, Any]:
    return 200, render_overview(find(call.org_id, cron_id), call.now)


@route(blueprint, "DELETE", "/api/crons/{cron_id}/dependencies/{depends_on_id}", action=Action.CHANGE)
def remove_dependency(call: Call, cron_id: str, depends_on_id: str) -> tuple[int, Any]:
    dependencies.remove(call.org_id, cron_id, depends_on_id)
    return 204, None


def render_overview(cron: Cron, now: datetime) -> dict[str, Any]:
    """Both directions: what the cron depends on, and what depends on it."""
    waited_for, waiting = dependencies.overview(cron, now)
    return {
        "dependencies": [_dependency(one, blocker, now) for one, blocker in waited_for],
        "dependants": [_named(one, now) for one in waiting],
    }


def _dependency(cron: Cron, blocker: Blocker | None, now: datetime) -> dict[str, Any]:
    reason = None if blocker is None else blocker.reason.value
    return {**_named(cron, now), "completed": blocker is None, "reason": reason}


def _named(cron: Cron, now: datetime) -> dict[str, Any]:
    return {
        "id": cron.id,
        "name": cron.name,
        "product": cron.product,
        "service": cron.service,
        "status": shown(cron, now).value,
    }
