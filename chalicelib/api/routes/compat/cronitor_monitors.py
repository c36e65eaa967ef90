"""Cronitor's monitors, in JSON and in YAML (cronitor.io, "Monitor API")."""

import base64
import json
import re
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import unquote

from chalice.app import Response

from chalicelib.api.http.dialect import Dialect, bearer
from chalicelib.api.http.request import Call, raw_bytes
from chalicelib.api.http.route import route
from chalicelib.api.routes.compat import plain_text
from chalicelib.api.routes.compat.homes import CRONITOR
from chalicelib.api.schemas.compat.cronitor_monitors import (
    Json,
    Monitor,
    grouped,
    in_sections,
    monitor_of,
    of_sections,
    read_all,
)
from chalicelib.domain.accounts.permissions import Action
from chalicelib.domain.errors import Malformed, TooLarge, Unauthenticated
from chalicelib.domain.monitor.slug import slug_from
from chalicelib.services import crons
from chalicelib.services.monitors import Kept, find_by_slug, keep, pause_for

_JSON, _YAML = "application/json", "application/yaml"
_MOST_BYTES = 1024 * 1024
_PAGE, _LARGEST_PAGE = 100, 1000
_LONGEST_PAUSE = 366 * 24


def _key_of(call: Call, _params: Mapping[str, str]) -> str:
    scheme, _, text = (call.authorization or "").strip().partition(" ")
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(text.strip(), validate=True).decode().partition(":")[0]
        except ValueError:
            raise Unauthenticated("the Authorization header is not Basic") from None
    key = bearer(call)
    if key is None:
        raise Unauthenticated("send an API key: Authorization: Basic, with the key as user name")
    return key


MONITORS = Dialect(plain_text.failed, _key_of, "Authorization: Basic, as the user name")

_reads = partial(route, "GET", action=Action.READ, dialect=MONITORS)
_changes = partial(route, action=Action.CHANGE, problems=(409,), dialect=MONITORS)


def _answer(body: Any) -> Response:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), default=str)
    return Response(text, {"Content-Type": _JSON}, 200)


def _in_yaml(body: Json) -> Response:
    import yaml

    text = yaml.safe_dump(json.loads(json.dumps(body, default=str)), sort_keys=False, allow_unicode=True)
    return Response(text, {"Content-Type": _YAML}, 200)


@_changes("PUT", "/api/monitors", accepts=_JSON, produces=_JSON)
def cronitor_put(call: Call) -> Response:
    """Cronitor: make or change monitors

    `{"monitors": [...]}`; with `"rollback": true` they are only checked. YAML by its Content-Type.
    """
    if "yaml" in str(call.request.headers.get("content-type", "")).lower():
        return _put_yaml(call)
    given = _json_of(_body(call))
    monitors = read_all(given.get("monitors"))
    return _answer({"monitors": _save(call, monitors, is_trial=given.get("rollback") is True)})


@_changes("PUT", "/api/monitors.yaml", accepts=_YAML, produces=_YAML)
def cronitor_put_yaml(call: Call) -> Response:
    """Cronitor: make or change monitors, in YAML

    `jobs`, `heartbeats` and `checks`, each a mapping of keys to monitors; with `rollback: true` they are only
    checked.
    """
    return _put_yaml(call)


def _put_yaml(call: Call) -> Response:
    given = _yaml_of(_body(call))
    monitors = read_all(of_sections(given))
    return _in_yaml(in_sections(_save(call, monitors, is_trial=given.get("rollback") is True)))


def _body(call: Call) -> str:
    """Raises TooLarge, Malformed."""
    data = raw_bytes(call.request)
    if len(data) > _MOST_BYTES:
        raise TooLarge(f"the body is over {_MOST_BYTES} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Malformed("the body is not UTF-8") from None


def _json_of(text: str) -> Json:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"the body is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise Malformed("the body must be a JSON object")
    return found


def _yaml_of(text: str) -> Json:
    import yaml

    try:
        # An alias can make a few lines stand for gigabytes.
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.SafeLoader)):
            raise Malformed("the body has a YAML alias: write it out")
        found = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Malformed(f"the body is not YAML: {str(error)[:500]}") from None
    if not isinstance(found, dict):
        raise Malformed("the body must be a YAML mapping")
    return found


def _save(call: Call, monitors: list[Monitor], *, is_trial: bool) -> list[Json]:
    if is_trial:
        return [{"type": "job", **one.fields, "name": one.name} for one in monitors]
    saved = (keep(Kept(call.org_id, one.slug, CRONITOR, one.name, one.settings), call.now) for one in monitors)
    return [monitor_of([crons.shown(cron, call.now)]) for cron in saved]


def _listed(call: Call) -> list[Json]:
    found = (monitor_of(one) for one in grouped(crons.watched_crons(call.org_id, call.now)))
    kind = call.query.get("type")
    return [one for one in found if kind in (None, "", one["type"])]


@_reads("/api/monitors", produces=_JSON)
def cronitor_list(call: Call) -> Response:
    """Cronitor: list the monitors

    Query: `type`, `page` from 1, `pageSize` up to 1000. The crons of one slug in several environments are one.
    """
    monitors = _listed(call)
    page, size = _number(call, "page", 1), min(_number(call, "pageSize", _PAGE), _LARGEST_PAGE)
    shown = monitors[(page - 1) * size : page * size]
    counts = {"page_size": size, "page": page, "total_monitor_count": len(monitors)}
    return _answer({**counts, "monitors": shown})


def _number(call: Call, name: str, usual: int) -> int:
    """Raises Malformed."""
    given = call.query.get(name, "")
    if not given:
        return usual
    if not re.fullmatch("[1-9][0-9]{0,5}", given):
        raise Malformed(f"{name}: must be a whole number from 1")
    return int(given)


@_reads("/api/monitors.yaml", produces=_YAML)
def cronitor_list_yaml(call: Call) -> Response:
    """Cronitor: all monitors as YAML"""
    return _in_yaml(in_sections(_listed(call)))


@_reads("/api/monitors/{monitor}", produces=_JSON, problems=(409,))
def cronitor_get(call: Call, monitor: str) -> Response:
    """Cronitor: read a monitor"""
    return _shown(call, monitor)


def _shown(call: Call, monitor: str) -> Response:
    cron = find_by_slug(call.org_id, slug_from(unquote(monitor)), CRONITOR)
    return _answer(monitor_of([crons.shown(cron, call.now)]))


@_changes("DELETE", "/api/monitors/{monitor}", produces=plain_text.MEDIA, successes=(204,))
def cronitor_delete(call: Call, monitor: str) -> Response:
    """Cronitor: delete a monitor"""
    cron = find_by_slug(call.org_id, slug_from(unquote(monitor)), CRONITOR)
    crons.delete(call.org_id, cron.id, call.now)
    return Response("", {}, 204)


@_changes("GET", "/api/monitors/{monitor}/pause", produces=_JSON)
def cronitor_pause(call: Call, monitor: str) -> Response:
    """Cronitor: pause a monitor"""
    pause_for(find_by_slug(call.org_id, slug_from(unquote(monitor)), CRONITOR), None, call.now)
    return _shown(call, monitor)


@_changes("GET", "/api/monitors/{monitor}/pause/{hours}", produces=_JSON)
def cronitor_pause_for(call: Call, monitor: str, hours: str) -> Response:
    """Cronitor: pause a monitor for some hours

    It is in maintenance until then. 0 resumes it.
    """
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,4})?", hours) or float(hours) > _LONGEST_PAUSE:
        raise Malformed(f"hours: must be a number from 0 to {_LONGEST_PAUSE}")
    pause_for(find_by_slug(call.org_id, slug_from(unquote(monitor)), CRONITOR), float(hours), call.now)
    return _shown(call, monitor)
