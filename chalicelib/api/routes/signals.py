"""Signals of jobs: with a key, and by plain ping URLs without one."""

from datetime import datetime, timedelta
from typing import Any

from chalice.app import Blueprint

from chalicelib.api.http.request import Call, body_object, body_text
from chalicelib.api.http.route import route
from chalicelib.api.schemas import render
from chalicelib.api.schemas.fields import LONGEST, load
from chalicelib.api.schemas.shapes import HEARTBEAT, HEARTBEATS, LOG, PING, START
from chalicelib.domain.accounts.permissions import Action
from chalicelib.domain.errors import FieldError, Invalid
from chalicelib.domain.monitor.signal import Signal, SignalKind, kept_message
from chalicelib.services.signals import receive
from chalicelib.services.throttle import PINGS_OF_ADDRESS, PINGS_OF_CRON, throttle

blueprint = Blueprint(__name__)

# The clock of a host may be this far ahead of ours.
CLOCK_AHEAD = timedelta(minutes=5)
_PING_METHODS = ["GET", "HEAD", "POST"]


@route(blueprint, "POST", "/api/crons/{cron_id}/start", action=Action.INGEST)
def start(call: Call, cron_id: str) -> tuple[int, Any]:
    return _keyed(call, cron_id, SignalKind.START, load(START, body_object(call.request)))


@route(blueprint, "POST", "/api/crons/{cron_id}/heartbeat", action=Action.INGEST)
def heartbeat(call: Call, cron_id: str) -> tuple[int, Any]:
    given = load(HEARTBEAT, body_object(call.request))
    return _keyed(call, cron_id, SignalKind(HEARTBEATS[given.pop("status")]), given)


@route(blueprint, "POST", "/api/crons/{cron_id}/log", action=Action.INGEST)
def log(call: Call, cron_id: str) -> tuple[int, Any]:
    return _keyed(call, cron_id, SignalKind.LOG, load(LOG, body_object(call.request)))


def _keyed(call: Call, cron_id: str, kind: SignalKind, given: dict[str, Any]) -> tuple[int, Any]:
    require_times(given, call.now)
    message = given.get("message")
    signal = Signal(
        kind=kind,
        run_key=given.get("run_id"),
        duration_ms=given.get("duration_ms"),
        exit_code=given.get("exit_code"),
        message=None if message is None else kept_message(message),
        started_at=given.get("started_at"),
        finished_at=given.get("finished_at"),
    )
    return 200, render.signal(receive(call.org_id, cron_id, signal, call.now), call.now)


def require_times(given: dict[str, Any], now: datetime) -> None:
    """Raises Invalid for times ahead of us, long past, or in the wrong order."""
    errors = []
    for field in ("started_at", "finished_at"):
        at = given.get(field)
        if at is not None and at > now + CLOCK_AHEAD:
            errors.append(FieldError(field, "must not be in the future"))
        elif at is not None and at < now - LONGEST:
            errors.append(FieldError(field, f"must be within the last {LONGEST.days} days"))
    started_at, finished_at = given.get("started_at"), given.get("finished_at")
    if not errors and started_at and finished_at and finished_at < started_at:
        errors.append(FieldError("finished_at", "must not be before started_at"))
    if errors:
        raise Invalid(*errors)


@route(blueprint, _PING_METHODS, "/api/ping/{cron_id}", action=None, limit=PINGS_OF_ADDRESS)
def ping(call: Call, cron_id: str) -> tuple[int, Any]:
    """A success; with an exit code other than 0, a failure: `curl …/api/ping/ID?exit_code=$?`."""
    given = load(PING, call.query)
    kind = SignalKind.FAIL if given.get("exit_code") else SignalKind.SUCCESS
    return _open(call, cron_id, kind, given)


@route(blueprint, _PING_METHODS, "/api/start/{cron_id}", action=None, limit=PINGS_OF_ADDRESS)
def open_start(call: Call, cron_id: str) -> tuple[int, Any]:
    return _open(call, cron_id, SignalKind.START, load(PING, call.query))


@route(blueprint, _PING_METHODS, "/api/fail/{cron_id}", action=None, limit=PINGS_OF_ADDRESS)
def fail(call: Call, cron_id: str) -> tuple[int, Any]:
    return _open(call, cron_id, SignalKind.FAIL, load(PING, call.query))


@route(blueprint, _PING_METHODS, "/api/log/{cron_id}", action=None, limit=PINGS_OF_ADDRESS)
def open_log(call: Call, cron_id: str) -> tuple[int, Any]:
    return _open(call, cron_id, SignalKind.LOG, load(PING, call.query))


def _open(call: Call, cron_id: str, kind: SignalKind, given: dict[str, Any]) -> tuple[int, Any]:
    throttle(PINGS_OF_CRON, cron_id[:64], call.now)
    parts = [part for part in (given.get("msg"), body_text(call.request)) if part]
    signal = Signal(
        kind=kind,
        run_key=given.get("rid"),
        duration_ms=given.get("duration_ms"),
        exit_code=given.get("exit_code"),
        message=kept_message("\n".join(parts)) if parts else None,
    )
    decision = receive(None, cron_id, signal, call.now)
    return 200, {"ok": True, "run_id": decision.run.id if decision.run else None}
