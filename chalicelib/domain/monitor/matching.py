"""Matching: which occurrence a run satisfies, and which open run a finish closes."""

from datetime import datetime, timedelta

from chalicelib.domain.monitor.cron import Cron, OpenRun
from chalicelib.domain.monitor.deadlines import early_tolerance
from chalicelib.domain.monitor.expectation import interval_of, occurrences
from chalicelib.domain.monitor.misses import record_passed_over, restart_interval
from chalicelib.domain.monitor.retry import named_run
from chalicelib.domain.monitor.signal import FINISHES, Received, SignalKind
from chalicelib.domain.monitor.transition import Transition
from chalicelib.domain.runs.anomaly import judge
from chalicelib.domain.runs.drift import OFFSETS_KEPT, median
from chalicelib.domain.schedule.occurrences import Occurrences
from chalicelib.domain.times import MILLISECOND, MINUTE, to_ms

#: A sender's time this close to the arrival may be taken for the right one.
TRUSTED_WITHIN = MINUTE
_OFFSETS_TO_GO_BY = 3
_CLEARLY_EARLY = timedelta(seconds=1)
_JITTER = timedelta(seconds=5)


def began_at(received: Received) -> datetime | None:
    """Returns when a run began whose finish alone arrived; None where the finish does not say it."""
    signal = received.signal
    if signal.started_at is not None:
        return signal.started_at
    if signal.duration_ms is not None:
        return ended_at(received) - signal.duration_ms * MILLISECOND
    return None


def ended_at(received: Received) -> datetime:
    return received.signal.finished_at or received.at


def times_of_start(received: Received) -> tuple[datetime]:
    """Returns when a run began, for matching: by the sender if that is close to the arrival."""
    started_at = received.signal.started_at
    is_trusted = started_at is not None and abs(received.at - started_at) <= TRUSTED_WITHIN
    return (started_at if is_trusted and started_at is not None else received.at,)


def times_of_finish(received: Received) -> tuple[datetime, ...]:
    """Returns the times at which a run without a start counts, in the order in which they are tried.

    A job that reports only its end counts for the occurrence it began for, if that is still open. A report of
    a run that ended long ago counts for no later occurrence.
    """
    began, ended = began_at(received), ended_at(received)
    if abs(received.at - ended) <= TRUSTED_WITHIN:
        ended = min(ended, received.at)
    return (ended,) if began is None else (min(began, ended), ended)


def occurrence_at(cron: Cron, at: datetime) -> datetime | None:
    """Returns the occurrence that a run at this time satisfies; None for an extra run.

    It is the latest open one, else the next one if the run is only a little early. All occurrences whose
    deadline has passed must have been judged before.
    """
    times = occurrences(cron)
    if times is None or cron.expected_at is None or not cron.is_watched:
        return None
    if interval_of(cron.settings) is not None:
        # An interval has one open occurrence: it counts from the last run.
        is_time = at >= cron.expected_at - early_tolerance(times, cron.expected_at)
        return cron.expected_at if is_time else None
    latest = times.latest(at)
    latest = None if latest is None or latest < cron.expected_at else latest
    following = _slightly_later(cron, times, at)
    if latest is None or following is None:
        return latest or following
    return following if _is_usually_early(cron, at, latest, following) else latest


def _slightly_later(cron: Cron, times: Occurrences, at: datetime) -> datetime | None:
    assert cron.expected_at is not None
    following = cron.expected_at if cron.expected_at > at else times.next(at)
    if following is None or at < following - early_tolerance(times, following):
        return None
    return following


def _is_usually_early(cron: Cron, at: datetime, latest: datetime, following: datetime) -> bool:
    """Whether the job's recent runs came a little before their time, as this one would."""
    if len(cron.offsets_ms) < _OFFSETS_TO_GO_BY:
        return False
    usual = median(cron.offsets_ms) * MILLISECOND
    off = abs(at - following - usual)
    return usual < -_CLEARLY_EARLY and off < abs(at - latest - usual) and off <= _JITTER


def satisfy(transition: Transition, times: tuple[datetime, ...]) -> datetime | None:
    """Satisfies the occurrence that a run is for, at the first of these times that has one, and returns it.

    None: an extra run; nothing that is expected moves. Open occurrences before it are recorded as missed, but
    open no incident: a later run honoured their grace.
    """
    cron = transition.cron
    found = next(((at, one) for at in times if (one := occurrence_at(cron, at)) is not None), None)
    if found is not None:
        at, occurrence = found
        record_passed_over(transition, occurrence)
        following = occurrences(transition.cron)
        offset = to_ms(at) - to_ms(occurrence)
        transition.change(
            expected_at=None if following is None else following.next(occurrence),
            late_alerted=False,
            waits_until=None,
            refused_for=None,
            offsets_ms=(*transition.cron.offsets_ms, offset)[-OFFSETS_KEPT:],
        )
    restart_interval(transition)
    return None if found is None else found[1]


def run_to_close(cron: Cron, received: Received) -> OpenRun | None:
    """Returns the open run that a finish or a sign of progress is about; None: it is a run of its own.

    With an id it is that run. Without one, of the runs without an id it is the one whose elapsed time is nearest
    to the usual duration.
    """
    signal = received.signal
    if signal.run_key is not None:
        return named_run(cron, signal.run_key)
    candidates = [run for run in cron.open_runs if run.key is None] or list(cron.open_runs)
    if signal.kind is SignalKind.START or not candidates:
        return None
    if signal.kind not in FINISHES:
        return _latest(candidates)
    usual = _expected_duration(cron, received)
    if usual is None:
        return _latest(candidates)
    found = min(reversed(candidates), key=lambda run: abs(_elapsed(run, received) - usual))
    return None if _is_another_run(cron, found, received) else found


def is_uncertain(cron: Cron, received: Received) -> bool:
    """Whether a finish without an id may be the end of any of several runs, as no usual duration is known yet."""
    if received.signal.run_key is not None or _expected_duration(cron, received) is not None:
        return False
    return sum(run.key is None for run in cron.open_runs) > 1


def _latest(runs: list[OpenRun]) -> OpenRun:
    # Of two that started at once, the one that arrived last.
    return max(reversed(runs), key=lambda run: run.start_arrived_at)


def _expected_duration(cron: Cron, received: Received) -> timedelta | None:
    began = began_at(received)
    if began is not None:
        return ended_at(received) - began
    durations = cron.baseline.durations_ms
    return median(durations) * MILLISECOND if durations else None


def _elapsed(run: OpenRun, received: Received) -> timedelta:
    return received.at - run.start_arrived_at


def _is_another_run(cron: Cron, run: OpenRun, received: Received) -> bool:
    """Whether the open run is too old or too young to end now, while another occurrence is due.

    Then the run that ends is the one of that occurrence, and its start was lost.
    """
    if cron.expected_at is None or cron.expected_at > received.at:
        return False
    elapsed_ms = _elapsed(run, received) // MILLISECOND
    return judge(cron.baseline, elapsed_ms, cron.settings.anomaly_factor) is not None
