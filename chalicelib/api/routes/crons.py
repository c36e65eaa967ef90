"""Crons: register, list, read, change, pause, remove; their runs."""

from typing import Any

from chalice.app import Blueprint

from chalicelib.api.http.json import instant
from chalicelib.api.http.request import Call, body_object
from chalicelib.api.http.route import route
from chalicelib.api.schemas import render
from chalicelib.api.schemas.fields import load
from chalicelib.api.schemas.shapes import CRON_CHANGES, CRON_QUERY, REGISTER, RUN_QUERY
from chalicelib.domain.accounts.permissions import Action
from chalicelib.domain.errors import FieldError, Invalid
from chalicelib.domain.ids import is_timed_id, org_of
from chalicelib.domain.monitor.cron import Cron
from chalicelib.services import crons
from chalicelib.services.register import Wanted, register
from chalicelib.store.maintenance import maintenance_windows_of_org

blueprint = Blueprint(__name__)

_NAMES = ("product", "service", "name")


def settings_given(given: dict[str, Any]) -> dict[str, object]:
    """The settings among checked values, as the domain has them."""
    found = {name: value for name, value in given.items() if name not in _NAMES}
    if found.get("tags") is not None:
        found["tags"] = tuple(dict.fromkeys(found["tags"]))
    return found


def require_cursor(good: bool) -> None:
    if not good:
        raise Invalid(FieldError("cursor", "is not a cursor of this list"))


@route(blueprint, "POST", "/api/crons/register", action=Action.INGEST)
def register_crons(call: Call) -> tuple[int, Any]:
    given = load(REGISTER, body_object(call.request))
    wanted = [_wanted(cron) for cron in given["crons"]]
    done = register(call.org_id, given["product"], given["service"], wanted, given["prune"], call.now)
    listed = [
        {
            "id": cron.id,
            "name": cron.name,
            "result": result.value,
            "ping_url": render.ping_url(cron),
            "next_expected_at": instant(cron.expected_at),
        }
        for cron, result in done.crons
    ]
    return 200, {"crons": listed, "archived": list(done.archived)}


def _wanted(given: dict[str, Any]) -> Wanted:
    settings = dict(given)
    depends_on = settings.pop("depends_on", ...)
    named = None if depends_on is ... else tuple(depends_on or ())
    return Wanted(given["name"], settings_given(settings), named)


@route(blueprint, "GET", "/api/crons", action=Action.READ)
def list_crons(call: Call) -> tuple[int, Any]:
    query = load(CRON_QUERY, call.query)
    limit, cursor = query.pop("limit"), query.pop("cursor", None)
    require_cursor(cursor is None or org_of(cursor) == call.org_id)
    windows = maintenance_windows_of_org(call.org_id)
    filters = crons.Filters(**query, windows=windows)
    found, after = crons.list_crons(call.org_id, filters, limit, cursor, call.now)
    return 200, {
        "crons": [render.cron(cron, call.now, windows) for cron in found],
        "next_cursor": after,
    }


@route(blueprint, "PATCH", "/api/crons/{cron_id}", action=Action.CHANGE)
def change_cron(call: Call, cron_id: str) -> tuple[int, Any]:
    given = load(CRON_CHANGES, body_object(call.request))
    names = {name: given[name] for name in _NAMES if name in given}
    changes = crons.Changes(names, settings_given(given))
    return 200, _rendered(call, crons.change(call.org_id, cron_id, changes, call.now))


def _rendered(call: Call, cron: Cron) -> render.Json:
    return render.cron(cron, call.now, maintenance_windows_of_org(call.org_id))


@route(blueprint, "DELETE", "/api/crons/{cron_id}", action=Action.CHANGE)
def delete_cron(call: Call, cron_id: str) -> tuple[int, Any]:
    crons.delete(call.org_id, cron_id, call.now)
    return 204, None


@route(blueprint, "POST", "/api/crons/{cron_id}/pause", action=Action.CHANGE)
def pause_cron(call: Call, cron_id: str) -> tuple[int, Any]:
    return 200, _rendered(call, crons.pause(call.org_id, cron_id, call.now))


@route(blueprint, "POST", "/api/crons/{cron_id}/resume", action=Action.CHANGE)
def resume_cron(call: Call, cron_id: str) -> tuple[int, Any]:
    return 200, _rendered(call, crons.resume(call.org_id, cron_id, call.now))


@route(blueprint, "GET", "/api/crons/{cron_id}/runs", action=Action.READ)
def list_runs(call: Call, cron_id: str) -> tuple[int, Any]:
    query = load(RUN_QUERY, call.query)
    cursor = query.get("cursor")
    require_cursor(cursor is None or is_timed_id(cursor))
    found, before = crons.list_runs(
        call.org_id, cron_id, query["limit"], cursor, query.get("status"), query.get("from"), query.get("to")
    )
    return 200, {"runs": [render.listed_run(run) for run in found], "next_cursor": before}


@route(blueprint, "GET", "/api/crons/{cron_id}/runs/{run_id}", action=Action.READ)
def read_run(call: Call, cron_id: str, run_id: str) -> tuple[int, Any]:
    return 200, render.run(crons.find_run(call.org_id, cron_id, run_id))
