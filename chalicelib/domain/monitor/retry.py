"""Retries: what arrives twice counts once."""

from datetime import datetime, timedelta

from chalicelib.domain.monitor.cron import Cron, OpenRun
from chalicelib.domain.monitor.expectation import interval_of, occurrences_around
from chalicelib.domain.monitor.signal import FINISHES, Received, Signal, SignalKind
from chalicelib.domain.runs.drift import median
from chalicelib.domain.runs.run import Run, RunStatus
from chalicelib.domain.times import HOUR, MILLISECOND, MINUTE

_LONGEST_WINDOW = MINUTE
_WINDOW_WITHOUT_SCHEDULE = timedelta(seconds=5)
#: A run id that comes again later than this stands for a new run.
ID_REUSED_AFTER = HOUR
#: How a run ended that may still send its finish.
GIVEN_UP = frozenset({RunStatus.TIMEOUT, RunStatus.ABANDONED, RunStatus.UNKNOWN})
_FINISHED_AS = {SignalKind.SUCCESS: RunStatus.SUCCESS, SignalKind.FAIL: RunStatus.FAILED}


def retried_run_id(cron: Cron, signal: Signal, now: datetime) -> str | None:
    """Returns the run that an identical signal without a run id just counted for; None for a new signal.

    A sign of progress is no retry: it changes nothing but the time. Of runs that overlap, two may end at once.
    """
    last, at = cron.last_signal, cron.last_signal_at
    if signal.run_key is not None or signal.kind is SignalKind.RUNNING or last is None or at is None:
        return None
    if last.digest != signal.digest or now - at >= _window(cron, at, now):
        return None
    return None if signal.kind in FINISHES and _another_may_end(cron, now) else last.run_id


def _another_may_end(cron: Cron, now: datetime) -> bool:
    """Whether a run without an id is open that usually ends about now: then an identical finish is its own."""
    if not cron.baseline.durations_ms:
        return False
    usual = median(cron.baseline.durations_ms) * MILLISECOND
    open_runs = (run for run in cron.open_runs if run.key is None and run.holds_up)
    return any(abs(now - run.start_arrived_at - usual) <= usual / 2 for run in open_runs)


def unfinished_run_id(cron: Cron, signal: Signal) -> str | None:
    """Returns the timed-out run that a finish without a run id may be the end of."""
    last = cron.last_run
    may_end = signal.run_key is None and signal.kind in FINISHES and not cron.open_runs
    return last.id if may_end and last is not None and last.unfinished else None


def run_to_load(cron: Cron, signal: Signal, now: datetime) -> str | None:
    """Returns the id of the recorded run that a signal without a run id is about, if it is about one."""
    return retried_run_id(cron, signal, now) or unfinished_run_id(cron, signal)


def _window(cron: Cron, *moments: datetime) -> timedelta:
    """Returns how long an identical signal counts as a retry: half the period at most."""
    step = interval_of(cron.settings)
    if step is not None:
        return min(step / 2, _LONGEST_WINDOW)
    times = occurrences_around(cron.settings, moments[0])
    if times is None:
        return _WINDOW_WITHOUT_SCHEDULE
    windows = [_LONGEST_WINDOW]
    for moment in moments:
        before, after = times.latest(moment), times.next(moment)
        if before is not None and after is not None:
            windows.append((after - before) / 2)
    return min(windows)


def replayed(cron: Cron, received: Received) -> Run | None:
    """Returns the run of a signal that was counted before; None for a signal that still counts."""
    signal, known = received.signal, received.known
    run_id = retried_run_id(cron, signal, received.at)
    if run_id is not None:
        return _counted_run(cron, run_id, known)
    if signal.run_key is None or signal.kind is SignalKind.LOG:
        return None
    open_run = named_run(cron, signal.run_key)
    if open_run is not None:
        is_retry = signal.kind is SignalKind.START and not _reuses_open(open_run, received)
        return open_run.as_run(cron.id) if is_retry else None
    if known is None or reuses_id(cron, received) or ends_late(received) or corrects(received):
        return None
    return known


def _counted_run(cron: Cron, run_id: str, known: Run | None) -> Run:
    if known is not None and known.id == run_id:
        return known
    for run in cron.open_runs:
        if run.id == run_id:
            return run.as_run(cron.id)
    last = cron.last_run
    if last is not None and last.id == run_id:
        return Run(cron.id, last.id, last.status, started_at=last.started_at, finished_at=last.finished_at)
    return Run(cron.id, run_id, RunStatus.LOG)


def named_run(cron: Cron, key: str) -> OpenRun | None:
    """Returns the open run of an id; of several, the one that started last."""
    return next((run for run in reversed(cron.open_runs) if run.answers_to(key)), None)


def _reuses_open(open_run: OpenRun, received: Received) -> bool:
    is_callers = received.signal.run_key != open_run.id
    return is_callers and received.at - open_run.start_arrived_at > ID_REUSED_AFTER


def reuses_id(cron: Cron, received: Received) -> bool:
    """Whether a caller's id that stood for an earlier run now stands for a new one."""
    known = received.known
    if known is None or known.key is None or received.signal.run_key == known.id:
        return False
    if _age(received) <= ID_REUSED_AFTER:
        return False
    is_due = cron.expected_at is not None and cron.expected_at <= received.at
    return is_due or not ends_late(received)


def ends_late(received: Received) -> bool:
    """Whether it is the finish of a run that was given up."""
    known = received.known
    if known is None or received.signal.kind not in FINISHES:
        return False
    return known.status in GIVEN_UP and known.finished_at is None


def corrects(received: Received) -> bool:
    """Whether it says another outcome of a run that finished within the last hour: the last word counts."""
    known, kind = received.known, received.signal.kind
    if known is None or kind not in FINISHES or known.status not in _FINISHED_AS.values():
        return False
    return known.status is not _FINISHED_AS[kind] and _age(received) <= ID_REUSED_AFTER


def _age(received: Received) -> timedelta:
    """Returns how long ago the known run was last heard of."""
    known = received.known
    assert known is not None
    heard_at = known.heard_at or known.finished_at or known.started_at or known.scheduled_at
    return timedelta() if heard_at is None else received.at - heard_at
