"""Signals of jobs. Nothing of their form is refused: what makes no sense is ignored and named in the answer."""

import json
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated, Any, NamedTuple, Self, TypeAlias

from msgspec import UNSET, UnsetType

from chalicelib.api.schemas.problems import WrongField
from chalicelib.api.schemas.runs import AnomalyOut, DriftOut, RunOut
from chalicelib.api.schemas.values import (
    LONGEST,
    LONGEST_MS,
    Answer,
    Instant,
    SignalRequest,
    checked,
    name,
    whole,
    wrong,
)
from chalicelib.domain.errors import FieldError
from chalicelib.domain.monitor.decision import Decision
from chalicelib.domain.monitor.display_status import DisplayStatus, display_status
from chalicelib.domain.monitor.signal import SignalKind

#: The clock of a host may be this far ahead of ours.
CLOCK_AHEAD = timedelta(minutes=5)
_EXIT_CODES = (-(2**31), 2**32 - 1)
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")
_DECIMAL = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?")


def _loose_name(value: Any) -> str:
    """A name, or a number: build systems count their runs."""
    return name(str(value) if isinstance(value, int) and not isinstance(value, bool) else value)


def _loose_text(value: Any) -> str:
    """Any text; of what is no text, its JSON."""
    found = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return _LONE_SURROGATE.sub("\ufffd", found)


def _loose_whole(value: Any) -> Any:
    """A whole number, also as a decimal or as text: shells know only text, and clocks have fractions."""
    if isinstance(value, str) and _DECIMAL.fullmatch(value.strip()):
        value = float(value) if "." in value else int(value)
    if isinstance(value, float) and abs(value) < 2**53:
        value = round(value)
    return value


def _duration(value: Any) -> int:
    return whole(0, LONGEST_MS)(_loose_whole(value))


def _exit_code(value: Any) -> int:
    return whole(*_EXIT_CODES)(_loose_whole(value))


_STATUSES = {
    "success": SignalKind.SUCCESS,
    "ok": SignalKind.SUCCESS,
    "failure": SignalKind.FAIL,
    "fail": SignalKind.FAIL,
    "failed": SignalKind.FAIL,
    "error": SignalKind.FAIL,
    "running": SignalKind.RUNNING,
}


def _status(value: Any) -> str:
    found = value.strip().lower() if isinstance(value, str) else value
    if not isinstance(found, str) or found not in _STATUSES:
        raise wrong(f"must be one of {', '.join(_STATUSES)}")
    return str(found)


RunId: TypeAlias = Annotated[str, checked(_loose_name, minLength=1, maxLength=128)]
Output: TypeAlias = Annotated[str, checked(_loose_text)]
DurationMs: TypeAlias = Annotated[int, checked(_duration, minimum=0, maximum=LONGEST_MS)]
ExitCode: TypeAlias = Annotated[int, checked(_exit_code, minimum=_EXIT_CODES[0], maximum=_EXIT_CODES[1])]
Status: TypeAlias = Annotated[str, checked(_status, enum=list(_STATUSES))]


class StartBody(SignalRequest):
    #: Your own id of this run. A finish with the same id closes this run, however many overlap.
    run_id: RunId | None = None
    #: What to record with the start.
    message: Output | None = None
    #: The start by the job's own clock.
    started_at: Instant | None = None


class LogBody(SignalRequest):
    #: The note.
    message: Output | None = None
    #: Your own id of the run.
    run_id: RunId | None = None


class HeartbeatBody(SignalRequest):
    #: How the run ended, or `running`: it is alive. Required, unless `exit_code` says it: 0 is a success.
    status: Status | None = None
    #: How long the run took; without it, from its start to its finish.
    duration_ms: DurationMs | None = None
    #: Your own id of this run, or the id that the answer to its start gave.
    run_id: RunId | None = None
    #: Recorded with the run.
    exit_code: ExitCode | None = None
    #: What to know of the run, or its output.
    message: Output | None = None
    #: The start by the job's own clock.
    started_at: Instant | None = None
    #: The end by the job's own clock.
    finished_at: Instant | None = None

    @property
    def kind(self) -> SignalKind | None:
        if self.status is not None:
            return _STATUSES[self.status]
        if self.exit_code is None:
            return None
        return SignalKind.FAIL if self.exit_code else SignalKind.SUCCESS


class PingQuery(SignalRequest):
    #: Your own id of this run.
    rid: RunId | None = None
    #: How long the run took.
    duration_ms: DurationMs | None = None
    #: On `/api/ping`, anything but 0 makes it a failure.
    exit_code: ExitCode | None = None
    #: A message; the body, if there is one, follows it.
    msg: Output | None = None
    #: The start by the job's own clock.
    started_at: Instant | None = None
    #: The end by the job's own clock, for a signal that is sent later.
    finished_at: Instant | None = None


class Times(NamedTuple):
    #: When the run started.
    started_at: datetime | None
    #: When the run finished.
    finished_at: datetime | None
    #: The optional parts that made no sense.
    ignored: tuple[FieldError, ...]


def possible_times(started_at: datetime | None, finished_at: datetime | None, now: datetime) -> Times:
    """Leaves out times ahead of us, times long past, and two that contradict each other."""
    given = {"started_at": started_at, "finished_at": finished_at}
    faults = {name: fault for name, at in given.items() if at and (fault := _fault(at, now))}
    if not faults and started_at and finished_at and finished_at < started_at:
        faults = dict.fromkeys(given, "finished_at must not be before started_at")
    return Times(
        None if "started_at" in faults else started_at,
        None if "finished_at" in faults else finished_at,
        tuple(FieldError(*fault) for fault in faults.items()),
    )


def _fault(at: datetime, now: datetime) -> str | None:
    if at > now + CLOCK_AHEAD:
        return "must not be in the future"
    return f"must be within the last {LONGEST.days} days" if at < now - LONGEST else None


class SignalOut(Answer):
    #: The run that this signal is part of; null when there is none.
    run: RunOut | None
    #: The cron's status after it.
    status: DisplayStatus
    #: Why the duration is unusual; null when it is not.
    anomaly: AnomalyOut | None
    #: Why the start is off its schedule; null when it is not.
    drift: DriftOut | None
    #: The earliest occurrence that no run has satisfied yet.
    next_expected_at: datetime | None
    #: true: this signal was received before, and changed nothing.
    replay: bool
    #: The optional parts that made no sense; the signal counted without them.
    ignored: tuple[WrongField, ...]

    @classmethod
    def of(cls, decision: Decision, now: datetime, ignored: Iterable[FieldError]) -> Self:
        return cls(
            run=RunOut.of(decision.run) if decision.run else None,
            status=display_status(decision.cron, now),
            anomaly=AnomalyOut.of(decision.anomaly),
            drift=DriftOut.of(decision.drift),
            next_expected_at=decision.cron.expected_at,
            replay=decision.replay,
            ignored=_named(ignored),
        )


class PingOut(Answer, kw_only=True):
    #: Always true.
    ok: bool = True
    #: CronHub's id of the run.
    run_id: str | None
    #: The optional parts that made no sense, if any; the signal counted without them.
    ignored: tuple[WrongField, ...] | UnsetType = UNSET

    @classmethod
    def of(cls, decision: Decision, ignored: Iterable[FieldError]) -> Self:
        return cls(run_id=decision.run.id if decision.run else None, ignored=_named(ignored) or UNSET)


def _named(ignored: Iterable[FieldError]) -> tuple[WrongField, ...]:
    return tuple(WrongField(one.field, one.message) for one in ignored)
