"""Healthchecks' Management API, versions 1 to 3 (healthchecks.io, "Management API")."""

import json
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from chalice.app import Response

from chalicelib import settings
from chalicelib.api.http.dialect import Dialect, bearer
from chalicelib.api.http.problem import told_of
from chalicelib.api.http.request import Call, raw_bytes
from chalicelib.api.http.route import route
from chalicelib.api.routes.compat.homes import HEALTHCHECKS
from chalicelib.api.schemas.compat.healthchecks import (
    HealthchecksError,
    Json,
    Spec,
    View,
    check_of,
    flips_of,
    name_of,
    ping_of,
    pings_of,
    unique_key,
)
from chalicelib.domain.accounts.permissions import Action, Scope
from chalicelib.domain.errors import Conflict, Forbidden, Malformed, NotFound, Unauthenticated
from chalicelib.domain.ids import org_of
from chalicelib.domain.monitor.cron import Cron, Status
from chalicelib.services import badges, channels, crons, incidents, unnamed
from chalicelib.services.crons import Changes, Names, Shown
from chalicelib.services.incidents import IncidentFilters
from chalicelib.services.paging import Page

H = TypeVar("H", bound=Callable[..., Any])
_JSON = "application/json"
_VERSIONS = (1, 2, 3)
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "X-Api-Key",
    "Access-Control-Allow-Methods": "GET, POST, DELETE, OPTIONS",
    "Access-Control-Max-Age": "600",
}
_MOST_RUNS = 500
_ALL = Page(1000)
_MISSING = "missing api key"


def _answer(body: Any, status: int = 200) -> Response:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(text, {"Content-Type": _JSON, **_CORS}, status)


def _failed(error: Exception) -> Response:
    told = told_of(error)
    status, detail = 400 if told.kind.status == 422 else told.kind.status, told.detail
    match error:
        case Unauthenticated():
            detail = _MISSING if detail == _MISSING else "wrong api key"
        case Forbidden() if detail != _FOREIGN:
            # As Healthchecks: a read-only key is no key where something is changed.
            status, detail = 401, "wrong api key"
        case NotFound():
            detail = "not found"
    found = _answer({"error": detail}, status)
    if "Retry-After" in told.headers:
        found.headers["Retry-After"] = told.headers["Retry-After"]
    return found


_FOREIGN = "this check belongs to another project"


def _key_of(call: Call, _params: Mapping[str, str]) -> str:
    key = str(call.request.headers.get("x-api-key", "")) or bearer(call)
    if not key and call.request.method == "POST":
        given = _body(call).get("api_key")
        key = given if isinstance(given, str) else None
    if not key:
        raise Unauthenticated(_MISSING)
    return key


API = Dialect(_failed, _key_of, "X-Api-Key, or `api_key` in the body", _JSON, HealthchecksError)


def _body(call: Call) -> Json:
    """Raises Malformed."""
    data = raw_bytes(call.request)
    if not data:
        return {}
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise Malformed("could not parse request body") from None
    if not isinstance(found, dict):
        raise Malformed("json validation error: value is not an object")
    return found


def _api(method: str, path: str, action: Action | None, **more: Any) -> Callable[[H], H]:
    """The route in each version."""
    produces = more.pop("produces", _JSON)

    def declare(handler: H) -> H:
        for version in _VERSIONS:
            route(
                method,
                f"/api/v{version}{path}",
                action=action,
                public=action is None,
                produces=produces,
                dialect=API,
                name=f"{handler.__name__}_v{version}",
                **more,
            )(handler)
        return handler

    return declare


def _view(call: Call, *, with_channels: bool = True) -> View:
    readonly = call.key.scope is Scope.READ
    found, _ = channels.list_channels(call.org_id, _ALL) if with_channels and not readonly else ([], None)
    return View(int(call.request.path[6]), readonly, tuple(one.id for one in found))


def _find(call: Call, code: str) -> Cron:
    """By its id, or its unique key. Raises NotFound; Forbidden for another org's."""
    if re.fullmatch("[0-9a-f]{40}", code):
        for one in crons.watched_crons(call.org_id, call.now):
            if unique_key(one.cron) == code:
                return one.cron
        raise NotFound("not found")
    try:
        cron_id = str(uuid.UUID(code))
    except ValueError:
        raise NotFound("not found") from None
    if org_of(cron_id) not in (None, call.org_id):
        raise Forbidden(_FOREIGN)
    found = crons.find(call.org_id, cron_id)
    if found.archived_at is not None:
        raise NotFound("not found")
    return found


def _show(call: Call, cron: Cron, status: int = 200) -> Response:
    return _answer(check_of(crons.shown(cron, call.now), _view(call)), status)


@_api("GET", "/checks", Action.READ)
def hc_checks(call: Call) -> Response:
    """Healthchecks: list the checks

    Query: `slug`, and `tag`, all of which must fit. A key of scope read sees `unique_key` in place of `uuid`.
    """
    view = _view(call)
    params = call.request.query_params
    tags = set() if params is None or "tag" not in params else set(params.getlist("tag"))
    slug = call.query.get("slug")
    found = (check_of(one, view) for one in _listed(call) if tags <= set(one.cron.settings.tags))
    return _answer({"checks": [check for check in found if slug in (None, "", check["slug"])]})


def _listed(call: Call) -> list[Shown]:
    return sorted(crons.watched_crons(call.org_id, call.now), key=lambda one: (one.cron.created_at, one.cron.name))


@_api("POST", "/checks", Action.CHANGE, successes=(200, 201), accepts=_JSON)
def hc_create_check(call: Call) -> Response:
    """Healthchecks: make a check

    200 where `unique` finds one, which is then changed.
    """
    spec = _spec(call)
    found = _same(call, spec)
    if found is not None:
        return _show(call, _change(call, found, spec))
    name = spec.text("name") or spec.text("slug") or "unnamed"
    return _show(call, unnamed.create(call.org_id, (HEALTHCHECKS, name), spec.settings(None), call.now), 201)


def _spec(call: Call) -> Spec:
    version = int(call.request.path[6])
    spec = Spec.read(_body(call), version)
    wanted = spec.text("channels")
    if wanted not in (None, "", "*"):
        spec.fields["channels"] = ",".join(_channel_ids(call, str(wanted)))
    return spec


def _channel_ids(call: Call, wanted: str) -> list[str]:
    """Raises Malformed."""
    available, _ = channels.list_channels(call.org_id, _ALL)
    found: list[str] = []
    for one in wanted.split(","):
        if not one:
            raise Malformed("empty channel identifier")
        fitting = [channel.id for channel in available if one in (channel.id, channel.name)]
        if len(fitting) != 1:
            raise Malformed(f"{'non-unique' if fitting else 'invalid'} channel identifier: {one}")
        found += fitting
    return sorted(set(found))


def _same(call: Call, spec: Spec) -> Cron | None:
    if not spec.unique:
        return None
    view = View(3)
    for one in _listed(call):
        check = check_of(one, view)
        if all(check.get(name) == spec.fields[name] for name in spec.unique):
            return one.cron
    return None


def _change(call: Call, cron: Cron, spec: Spec) -> Cron:
    given = spec.text("name")
    name = given if given and given.strip() and given != name_of(cron) else None
    names = Names(name=name) if name is not None else Names()
    changes = Changes(names, spec.settings(cron))
    try:
        return crons.change(call.org_id, cron.id, changes, call.now)
    except Conflict:
        # Healthchecks lets checks have one name: this one then moves to a service of its own.
        apart = names._replace(service=unnamed.another_service(cron.service))
        return crons.change(call.org_id, cron.id, changes._replace(names=apart), call.now)


@_api("GET", "/checks/{code}", Action.READ)
def hc_check(call: Call, code: str) -> Response:
    """Healthchecks: read a check

    By its UUID or its unique key.
    """
    return _show(call, _find(call, code))


@_api("POST", "/checks/{code}", Action.CHANGE, accepts=_JSON)
def hc_update_check(call: Call, code: str) -> Response:
    """Healthchecks: change a check"""
    return _show(call, _change(call, _find(call, code), _spec(call)))


@_api("DELETE", "/checks/{code}", Action.CHANGE)
def hc_delete_check(call: Call, code: str) -> Response:
    """Healthchecks: delete a check

    Answers with the check as it was.
    """
    cron = _find(call, code)
    answer = _show(call, cron)
    crons.delete(call.org_id, cron.id, call.now)
    return answer


@_api("POST", "/checks/{code}/pause", Action.CHANGE)
def hc_pause(call: Call, code: str) -> Response:
    """Healthchecks: pause a check"""
    return _show(call, crons.pause(call.org_id, _find(call, code).id, call.now))


@_api("POST", "/checks/{code}/resume", Action.CHANGE, problems=(409,))
def hc_resume(call: Call, code: str) -> Response:
    """Healthchecks: resume a check

    409 when it is not paused.
    """
    cron = _find(call, code)
    if cron.status is not Status.PAUSED:
        return Response("check is not paused", {"Content-Type": "text/plain", **_CORS}, 409)
    return _show(call, crons.resume(call.org_id, cron.id, call.now))


@_api("GET", "/checks/{code}/pings", Action.READ)
def hc_pings(call: Call, code: str) -> Response:
    """Healthchecks: list the latest pings of a check

    Made from the runs: of each its end and its start.
    """
    cron, view = _find(call, code), _view(call, with_channels=False)
    found = [ping_of(one, number, cron.id, view) for number, one in _numbered(call, cron)]
    return _answer({"pings": found})


def _numbered(call: Call, cron: Cron) -> list[tuple[int, Any]]:
    runs, _ = crons.list_runs(call.org_id, cron.id, crons.RunFilters(), Page(_MOST_RUNS))
    found = pings_of(runs)
    last = max(cron.signals, len(found))
    return [(last - place, one) for place, one in enumerate(found)]


@_api("GET", "/checks/{code}/pings/{n}/body", Action.READ, produces="text/plain")
def hc_ping_body(call: Call, code: str, n: str) -> Response:
    """Healthchecks: read the body of a ping"""
    cron = _find(call, code)
    run_id = next((one.run.id for number, one in _numbered(call, cron) if str(number) == n and one.has_body), None)
    if run_id is None:
        raise NotFound("not found")
    message = crons.find_run(call.org_id, cron.id, run_id).message or ""
    return Response(message, {"Content-Type": "text/plain; charset=utf-8", **_CORS}, 200)


@_api("GET", "/checks/{code}/flips", Action.READ)
def hc_flips(call: Call, code: str) -> Response:
    """Healthchecks: list when a check went down and up

    Query: `seconds`, or `start` and `end` in seconds since 1970. A list.
    """
    cron = _find(call, code)
    seconds = _number(call, "seconds")
    start = _moment(_number(call, "start"))
    since = start if seconds is None else call.now - timedelta(seconds=seconds)
    found, _ = incidents.list_incidents(call.org_id, IncidentFilters(cron.id), _ALL)
    return _answer(flips_of(found, since, _moment(_number(call, "end"))))


def _number(call: Call, name: str) -> int | None:
    """Raises Malformed."""
    given = call.query.get(name)
    if given in (None, ""):
        return None
    if not re.fullmatch(r"[0-9]{1,10}", str(given)):
        raise Malformed(f"{name} is not a number")
    return int(str(given))


def _moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


@_api("GET", "/channels", Action.READ)
def hc_channels(call: Call) -> Response:
    """Healthchecks: list the channels"""
    if call.key.scope is Scope.READ:
        # As Healthchecks: a read-only key does not see who is told.
        raise Unauthenticated("wrong api key")
    found, _ = channels.list_channels(call.org_id, _ALL)
    return _answer({"channels": [{"id": one.id, "name": one.name, "kind": one.kind.value} for one in found]})


@_api("GET", "/badges", Action.READ)
def hc_badges(call: Call) -> Response:
    """Healthchecks: list the badges of tags, and under `*` that of all checks

    Those that were made: a badge shows a status to anyone, so none is there unless somebody made it.
    """
    found, _ = badges.list_badges(call.org_id, _ALL)
    return _answer({"badges": {one.tag or "*": _urls(one.token) for one in found if one.cron_id is None}})


def _urls(token: str) -> dict[str, str]:
    base = f"{settings.base_url()}/badge/{token}"
    return {f"{form}{states}": f"{base}.{form}" for form in ("svg", "json", "shields") for states in ("", "3")}


@_api("GET", "/status", None, produces="text/plain")
def hc_status(_call: Call) -> Response:
    """Healthchecks: whether the API answers"""
    return Response("OK", {"Content-Type": "text/plain", **_CORS}, 200)


def _preflight(_call: Call) -> Response:
    """Healthchecks: what browsers ask first"""
    return Response("", {**_CORS}, 204)


def _preflight_of_check(_call: Call, code: str) -> Response:
    """Healthchecks: what browsers ask first"""
    del code
    return Response("", {**_CORS}, 204)


def _preflight_of_ping(_call: Call, code: str, n: str) -> Response:
    """Healthchecks: what browsers ask first"""
    del code, n
    return Response("", {**_CORS}, 204)


_OF_CHECK = ("", "/pause", "/resume", "/pings", "/flips")
_PREFLIGHTS: dict[str, Callable[..., Response]] = {
    **dict.fromkeys(("checks", "channels", "badges"), _preflight),
    **{f"checks/{{code}}{part}": _preflight_of_check for part in _OF_CHECK},
    "checks/{code}/pings/{n}/body": _preflight_of_ping,
}
for _version in _VERSIONS:
    for _path, _handler in _PREFLIGHTS.items():
        route(
            "OPTIONS",
            f"/api/v{_version}/{_path}",
            public=True,
            dialect=API,
            successes=(204,),
            produces="text/plain",
            name=f"hc_preflight_{re.sub('[^a-z]+', '_', _path).strip('_')}_v{_version}",
        )(_handler)
