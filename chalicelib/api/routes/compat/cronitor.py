"""Cronitor's telemetry (cronitor.io, "Telemetry API")."""

import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import unquote

from chalice.app import Response

from chalicelib import telemetry
from chalicelib.api.http.dialect import Dialect
from chalicelib.api.http.reading import read_leniently
from chalicelib.api.http.request import Call, output
from chalicelib.api.http.route import route, with_key
from chalicelib.api.routes.compat import plain_text
from chalicelib.api.routes.compat.homes import CRONITOR
from chalicelib.api.schemas.compat.cronitor import Telemetry
from chalicelib.api.schemas.signals import possible_times
from chalicelib.domain.accounts.permissions import Action
from chalicelib.domain.errors import Malformed, NotFound
from chalicelib.domain.monitor.signal import Signal, SignalKind, kept_message
from chalicelib.domain.monitor.slug import slug_from
from chalicelib.services.check_ins import Job, check_in
from chalicelib.services.crons import SettingsChanges

_METHODS = ("GET", "HEAD", "POST")
_KINDS = {
    "run": SignalKind.START,
    "complete": SignalKind.SUCCESS,
    "fail": SignalKind.FAIL,
    # Healthy by hand, and a heartbeat.
    "ok": SignalKind.SUCCESS,
    "tick": SignalKind.SUCCESS,
    "": SignalKind.SUCCESS,
}
#: What tells its pings from Healthchecks' pings by slug, which have the same path.
_ITS_OWN = frozenset({"state", "series", "stamp", "metric", "env", "status_code"})
_MOST_METRICS = 20
_METRIC = re.compile(r"([A-Za-z0-9_.-]{1,64}):(.{1,40})")
_LONGEST_SECONDS = 366 * 86_400

TELEMETRY = Dialect(plain_text.failed, lambda _call, params: unquote(params["target"]), "the path")


@route(
    _METHODS,
    "/p/{target}/{part}",
    action=Action.INGEST,
    takes_text=True,
    produces=plain_text.MEDIA,
    problems=(409,),
    dialect=TELEMETRY,
)
def cronitor_ping(call: Call, target: str, part: str) -> Response:
    """Cronitor: telemetry by key and monitor

    Query: `state` (`run`, `complete`, `fail`, `ok`; none: a heartbeat), `series`, `message`, `env`, `stamp`,
    `host`, `status_code`, `schedule`, and `metric` as `name:value`, once for each (`duration` in seconds). A
    monitor that is not known is made. `/ping/{key}/{monitor}` takes the same.
    """
    del target  # the dialect reads it
    return _record(call, part)


def is_cronitors(call: Call) -> bool:
    """Whether a ping by key and name is one of Cronitor's."""
    return not _ITS_OWN.isdisjoint(call.query)


def telemetry_of(call: Call, key: str, monitor: str) -> Response:
    return _record(with_key(call, key, Action.INGEST), monitor)


def _record(call: Call, monitor: str) -> Response:
    name = unquote(monitor)
    slug = slug_from(name)
    if not slug:
        raise NotFound("not found")
    given = read_leniently(Telemetry, call.query, from_text=True)[0]
    job = Job(call.org_id, slug, slug_from(given.env or ""), CRONITOR, name)
    settings = None if given.schedule is None else SettingsChanges(schedule=given.schedule)
    reached, _ = check_in(job, _signal(call, given), settings, call.now)
    telemetry.note(cron_id=reached.cron_id)
    return plain_text.text(200, "OK")


def _signal(call: Call, given: Telemetry) -> Signal:
    kind = _KINDS.get((given.state or "").strip().lower())
    if kind is None:
        raise Malformed("invalid state: send run, complete, fail or ok")
    metrics = dict(_metrics(call))
    seconds = metrics.pop("duration", None)
    is_start = kind is SignalKind.START
    sent_at = _moment(given.stamp)
    times = possible_times(sent_at if is_start else None, None if is_start else sent_at, call.now)
    return Signal(
        kind,
        run_key=given.series,
        duration_ms=round(seconds * 1000) if seconds is not None and 0 <= seconds <= _LONGEST_SECONDS else None,
        exit_code=None if is_start else given.status_code,
        message=_message(call, given),
        started_at=times.started_at,
        finished_at=times.finished_at,
        metrics=tuple(sorted(metrics.items())),
    )


def _message(call: Call, given: Telemetry) -> str | None:
    body, _ = output(call.request)
    host = f"host: {given.host}" if given.host else None
    message = "\n".join(part for part in (given.message, body, host) if part)
    return kept_message(message, call.cut_bytes) if message else None


def _metrics(call: Call) -> Iterator[tuple[str, float]]:
    params = call.request.query_params
    for one in ([] if params is None or "metric" not in params else params.getlist("metric"))[:_MOST_METRICS]:
        found = _METRIC.fullmatch(one)
        value = _number(found[2]) if found else None
        if found and value is not None:
            yield found[1], value


def _number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) and abs(found) < 1e15 else None


def _moment(stamp: str | None) -> datetime | None:
    """Seconds since 1970, or milliseconds, as the client for JavaScript has it."""
    seconds = _number(stamp or "")
    if seconds is None:
        return None
    seconds = seconds / 1000 if seconds > 1e11 else seconds
    try:
        found = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return found.replace(microsecond=found.microsecond // 1000 * 1000)
