"""Sentry's check-ins (develop.sentry.dev, "Check-Ins"; docs.sentry.io, "Crons"), and its list of monitors."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from chalice.app import Response

from chalicelib import settings, telemetry
from chalicelib.api.http.answers import Accepted
from chalicelib.api.http.dialect import Dialect, bearer
from chalicelib.api.http.json import json_response, text_of
from chalicelib.api.http.problem import told_of
from chalicelib.api.http.reading import read_leniently
from chalicelib.api.http.request import Call, Lenient, raw_bytes
from chalicelib.api.http.route import route
from chalicelib.api.routes.compat import envelope
from chalicelib.api.routes.compat.homes import sentry_home
from chalicelib.api.schemas.compat.sentry import (
    CheckIn,
    MonitorConfig,
    SentryError,
    SentryId,
    SentryMonitor,
    SentryMonitorsQuery,
)
from chalicelib.domain.accounts.permissions import Action
from chalicelib.domain.errors import NotFound, Unauthenticated
from chalicelib.domain.monitor.dependencies import Blocked
from chalicelib.domain.monitor.signal import Signal
from chalicelib.services import orgs
from chalicelib.services.check_ins import Job, check_in
from chalicelib.services.crons import SettingsChanges, watched_crons

_KEY = re.compile(r"(?:^|[\s,])sentry_key=([^,\s]+)")
_SCHEME = re.compile(r"(?:sentry|dsn)\s+", re.IGNORECASE)
_PROJECT = re.compile(r"[0-9]{1,20}")
_CHECK_IN = "check_in"
_CURSOR = re.compile(r"[0-9]{1,6}:([0-9]{1,9}):[01]")
_PAGE = 100


def _failed(error: Exception) -> Response:
    told = told_of(error)
    headers = {name: value for name, value in told.headers.items() if name == "Retry-After"}
    status = 400 if told.kind.status == 422 else told.kind.status
    return json_response(status, SentryError(told.detail), {**headers, "X-Sentry-Error": _line(told.detail)})


def _line(text: str) -> str:
    return re.sub(r"[^ -~]", "?", text)[:500]


def _key_of(call: Call, params: Mapping[str, str]) -> str:
    """From the path, the header X-Sentry-Auth, the query, or the DSN in an envelope's header."""
    headers = call.request.headers
    for name in ("x-sentry-auth", "authorization"):
        found = _KEY.search(_SCHEME.sub("", str(headers.get(name, "")), count=1))
        if found:
            return found[1]
    given = params.get("sentry_key") or call.query.get("sentry_key")
    key = given or bearer(call) or _key_of_dsn(call)
    if not key:
        raise Unauthenticated("send a key: X-Sentry-Auth: Sentry sentry_key=ch_…, sentry_version=7")
    return key


def _key_of_dsn(call: Call) -> str | None:
    """Tunnels send no header: the envelope names its DSN."""
    if not call.request.path.endswith("/envelope"):
        return None
    dsn = _envelope(call).header.get("dsn")
    return urlsplit(dsn).username if isinstance(dsn, str) else None


SENTRY = Dialect(
    _failed,
    _key_of,
    "X-Sentry-Auth, in the query as `sentry_key`, or where the DSN has it",
    "application/json",
    SentryError,
)


@route(
    "POST",
    "/api/{project}/envelope",
    action=Action.INGEST,
    accepts="application/x-sentry-envelope",
    dialect=SENTRY,
)
def sentry_envelope(call: Call, project: str) -> SentryId:
    """Sentry: an envelope

    Its check-ins are signals; other items are dropped. `monitor_config` registers or updates the monitor. A
    DSN is `https://KEY@HOST/1`: the project is any number.
    """
    found = _envelope(call)
    _require_number(project)
    said = [_read(envelope.object_of(item.payload)) for item in found.items if item.kind == _CHECK_IN]
    for one in said:
        try:
            _check_in(call, project, one)
        except Blocked:
            # An SDK cannot hold its job back; that the start came too early is recorded.
            continue
    event_id = found.header.get("event_id")
    ids = [event_id] if isinstance(event_id, str) else [one.check_in.run_key or "" for one in said]
    return SentryId(ids[0] if ids else "")


def _envelope(call: Call) -> envelope.Envelope:
    encoding = str(call.request.headers.get("content-encoding", ""))
    return envelope.parse(envelope.unpacked(raw_bytes(call.request), encoding))


@route(("GET", "POST"), "/api/{project}/cron/{monitor}", action=Action.INGEST, problems=(409,), dialect=SENTRY)
def sentry_cron(call: Call, project: str, monitor: str) -> Accepted[SentryId]:
    """Sentry: a check-in by URL, with the key in a header or the query

    Query: `status` (`in_progress`, `ok`, `error`), `check_in_id`, `environment`, `duration` in seconds. A
    POST's JSON may hold them, and `monitor_config`.
    """
    return _by_url(call, project, monitor)


@route(
    ("GET", "POST"),
    "/api/{project}/cron/{monitor}/{sentry_key}",
    action=Action.INGEST,
    problems=(409,),
    dialect=SENTRY,
)
def sentry_cron_with_key(call: Call, project: str, monitor: str, sentry_key: str) -> Accepted[SentryId]:
    """Sentry: a check-in by URL, with the key in the path

    Otherwise as without it.
    """
    del sentry_key  # the dialect reads it
    return _by_url(call, project, monitor)


@route(
    "GET",
    "/api/{project}/organizations/{org_slug}/monitors",
    action=Action.READ,
    produces="application/json",
    dialect=SENTRY,
)
def sentry_monitors(call: Call, project: str, org_slug: str, query: Lenient[SentryMonitorsQuery]) -> Response:
    """Sentry: list the monitors

    A list, 100 a page; the `Link` header has the next page's cursor. The project is 0. A monitor is a slug; its
    environments are crons of their own.
    """
    _require_number(project)
    if org_slug not in (call.org_id, orgs.find(call.key).slug):
        raise NotFound("The requested resource does not exist")
    monitors = list(SentryMonitor.all_of(watched_crons(call.org_id, call.now)))
    start = _offset(query.value.cursor)
    page = monitors[start : start + _PAGE]
    return Response(
        text_of(page), {"Content-Type": "application/json", "Link": _link(call, start, len(monitors))}, 200
    )


def _offset(cursor: str | None) -> int:
    found = _CURSOR.fullmatch(cursor or "")
    return int(found[1]) if found else 0


def _link(call: Call, start: int, total: int) -> str:
    base = f"{settings.base_url()}{call.request.context.get('path', '')}"
    pages = (
        ("previous", max(0, start - _PAGE), start > 0),
        ("next", start + _PAGE, start + _PAGE < total),
    )
    return ", ".join(
        f'<{base}?cursor=0:{place}:0>; rel="{rel}"; results="{str(there).lower()}"; cursor="0:{place}:0"'
        for rel, place, there in pages
    )


def _by_url(call: Call, project: str, monitor: str) -> Accepted[SentryId]:
    _require_number(project)
    body = raw_bytes(call.request)
    given = envelope.object_of(body) if body.strip() else {}
    one = _read({**given, **call.query, "monitor_slug": unquote(monitor)})
    _check_in(call, project, one)
    return Accepted(SentryId(one.check_in.run_key or ""))


def _require_number(project: str) -> None:
    if not _PROJECT.fullmatch(project):
        raise NotFound("a project is a number")


class _Said(NamedTuple):
    check_in: CheckIn
    #: What `monitor_config` sets; None where there is none.
    settings: SettingsChanges | None


def _read(given: dict[str, Any]) -> _Said:
    """Unknown fields, and those that make no sense, are ignored."""
    config = given.get("monitor_config")
    settings = read_leniently(MonitorConfig, config)[0].settings() if isinstance(config, dict) else None
    return _Said(read_leniently(CheckIn, given)[0], settings)


def _check_in(call: Call, project: str, said: _Said) -> None:
    one = said.check_in
    job = Job(call.org_id, one.slug, one.environment or "", sentry_home(project))
    duration = None if one.duration is None else round(one.duration * 1000)
    signal = Signal(one.kind, run_key=one.run_key, duration_ms=duration)
    reached, _ = check_in(job, signal, said.settings, call.now)
    telemetry.note(cron_id=reached.cron_id)
