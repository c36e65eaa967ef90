"""Signals of jobs: with a key, and by plain ping URLs without one."""

from functools import partial

from chalicelib.api.http.request import Call, Lenient, output
from chalicelib.api.http.route import route
from chalicelib.api.schemas.signals import (
    HeartbeatBody,
    LogBody,
    PingOut,
    PingQuery,
    SignalOut,
    StartBody,
    possible_times,
)
from chalicelib.domain.accounts.permissions import Action
from chalicelib.domain.errors import FieldError, Invalid
from chalicelib.domain.ids import is_canary
from chalicelib.domain.monitor.signal import Signal, SignalKind, kept_message
from chalicelib.services.hearing import arrive
from chalicelib.services.signals import receive
from chalicelib.services.throttle import PINGS_OF_ADDRESS, PINGS_OF_CRON, throttle

_keyless = partial(route, ("GET", "HEAD", "POST"), public=True, limit=PINGS_OF_ADDRESS, takes_text=True)


@route("POST", "/api/crons/{cron_id}/start", action=Action.INGEST, problems=(409,))
def start(call: Call, cron_id: str, body: Lenient[StartBody]) -> SignalOut:
    """Signal execution start

    Checks dependencies (blocks if a dependency is not completed). A blocked start is answered 409: the job should
    not run. A start without `run_id` is always a new run, unless it is a retry of the one just before.
    """
    given = body.value
    times = possible_times(given.started_at, None, call.now)
    signal = Signal(
        SignalKind.START, run_key=given.run_id, message=_kept(call, given.message), started_at=times.started_at
    )
    return _keyed(call, cron_id, signal, body.ignored + times.ignored)


@route("POST", "/api/crons/{cron_id}/heartbeat", action=Action.INGEST, problems=(409, 422))
def heartbeat(call: Call, cron_id: str, body: Lenient[HeartbeatBody]) -> SignalOut:
    """Record a heartbeat

    Automatically detects anomalies (3x average duration) and drift. It says that a run succeeded, failed, or is
    still alive: `status` decides, not `exit_code`. Optional fields that make no sense are ignored and named in
    `ignored`.
    """
    given = body.value
    if given.kind is None:
        # Not a matter of form: a guess would either hide a failure or raise a false alert.
        raise Invalid(
            next((one for one in body.ignored if one.field == "status"), FieldError("status", "is required"))
        )
    times = possible_times(given.started_at, given.finished_at, call.now)
    signal = Signal(
        kind=given.kind,
        run_key=given.run_id,
        duration_ms=given.duration_ms,
        exit_code=given.exit_code,
        message=_kept(call, given.message),
        started_at=times.started_at,
        finished_at=times.finished_at,
    )
    return _keyed(call, cron_id, signal, body.ignored + times.ignored)


@route("POST", "/api/crons/{cron_id}/log", action=Action.INGEST)
def log(call: Call, cron_id: str, body: Lenient[LogBody]) -> SignalOut:
    """Record a note

    It is kept as a run of status `log`; nothing is judged by it.
    """
    given = body.value
    signal = Signal(SignalKind.LOG, run_key=given.run_id, message=_kept(call, given.message or ""))
    return _keyed(call, cron_id, signal, body.ignored)


def _keyed(call: Call, cron_id: str, signal: Signal, ignored: tuple[FieldError, ...]) -> SignalOut:
    return SignalOut.of(receive(call.org_id, cron_id, signal, call.now), call.now, ignored)


@_keyless("/api/ping/{cron_id}")
def ping(call: Call, cron_id: str, query: Lenient[PingQuery]) -> PingOut:
    """Simplified ping (no auth)

    Ideal for simple scripts. Uses cron ID directly. A ping is a success. With an exit code other than 0, it is
    a failure: `curl -X POST ".../api/ping/ID?exit_code=$?"`. The body is any text, such as the job's output.
    """
    if is_canary(cron_id):
        arrive(cron_id, call.now)
        return PingOut(run_id=None)
    kind = SignalKind.FAIL if query.value.exit_code else SignalKind.SUCCESS
    return _open(call, cron_id, kind, query)


@_keyless("/api/start/{cron_id}", problems=(409,))
def open_start(call: Call, cron_id: str, query: Lenient[PingQuery]) -> PingOut:
    """Signal execution start (no auth)"""
    return _open(call, cron_id, SignalKind.START, query)


@_keyless("/api/fail/{cron_id}")
def fail(call: Call, cron_id: str, query: Lenient[PingQuery]) -> PingOut:
    """Signal a failure (no auth)"""
    return _open(call, cron_id, SignalKind.FAIL, query)


@_keyless("/api/log/{cron_id}")
def open_log(call: Call, cron_id: str, query: Lenient[PingQuery]) -> PingOut:
    """Record a note (no auth)"""
    return _open(call, cron_id, SignalKind.LOG, query)


def _open(call: Call, cron_id: str, kind: SignalKind, query: Lenient[PingQuery]) -> PingOut:
    throttle(PINGS_OF_CRON, cron_id[:64], call.now)
    given = query.value
    text, unpacked = output(call.request)
    message = "\n".join(part for part in (given.msg, text) if part)
    times = possible_times(given.started_at, given.finished_at, call.now)
    signal = Signal(
        kind=kind,
        run_key=given.rid,
        duration_ms=given.duration_ms,
        exit_code=given.exit_code,
        message=_kept(call, message or None),
        started_at=times.started_at,
        finished_at=times.finished_at,
    )
    return PingOut.of(receive(None, cron_id, signal, call.now), query.ignored + unpacked + times.ignored)


def _kept(call: Call, message: str | None) -> str | None:
    return None if message is None else kept_message(message, call.cut_bytes)
