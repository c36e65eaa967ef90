"""What a signal changes about a cron: `apply(cron, received, context) -> Decision`."""

from chalicelib.domain.monitor.context import Context
from chalicelib.domain.monitor.cron import MAX_OPEN_RUNS, Cron, LastRun, LastSignal, OpenRun, Reason, Status
from chalicelib.domain.monitor.deadlines import tolerance_of
from chalicelib.domain.monitor.decision import Decision
from chalicelib.domain.monitor.dependencies import Blocker, blockers
from chalicelib.domain.monitor.drift_alerts import announce_drift, drift_of_run
from chalicelib.domain.monitor.duration_alerts import judge_duration
from chalicelib.domain.monitor.event import Event, EventKind
from chalicelib.domain.monitor.matching import (
    TRUSTED_WITHIN,
    began_at,
    ended_at,
    is_uncertain,
    occurrence_at,
    run_to_close,
    satisfy,
    times_of_finish,
    times_of_start,
)
from chalicelib.domain.monitor.misses import (
    incident_to_blame,
    judge_unmet,
    maintenance_of,
    record_missed_while_running,
    restart_interval,
)
from chalicelib.domain.monitor.on_request import resume_within
from chalicelib.domain.monitor.retry import (
    corrects,
    ends_late,
    named_run,
    replayed,
    reuses_id,
    unfinished_run_id,
)
from chalicelib.domain.monitor.signal import FINISHES, Received, Signal, SignalKind
from chalicelib.domain.monitor.timeouts import time_out_overdue
from chalicelib.domain.monitor.transition import Transition
from chalicelib.domain.monitor.up_and_down import Failure, failed_run, succeeded_run
from chalicelib.domain.runs.anomaly import Anomaly, learn
from chalicelib.domain.runs.run import Run, RunStatus
from chalicelib.domain.times import MILLISECOND, MINUTE, to_ms

_FINISHED_AS = {SignalKind.SUCCESS: RunStatus.SUCCESS, SignalKind.FAIL: RunStatus.FAILED}
_OVERTAKEN_WITHIN = MINUTE


def apply(cron: Cron, received: Received, context: Context | None = None) -> Decision:
    """Decides what one signal changes."""
    again = replayed(cron, received)
    if again is not None:
        return Decision(cron, run=again, anomaly=again.anomaly, replay=True)
    transition = Transition(cron, received.at, context, received.random)
    transition.change(last_signal_at=received.at, last_signal=None, signals=cron.signals + 1)
    if received.signal.kind is SignalKind.LOG:
        return _log(transition, received)
    if _is_history(cron, received):
        return _record_history(transition, received)
    if cron.status is Status.PAUSED and cron.settings.resumes_on_signal:
        resume_within(transition)
    if transition.cron.status is Status.NEW:
        transition.change(status=Status.UP)
    time_out_overdue(transition, run_to_close(cron, received))
    judge_unmet(transition)
    known = received.known if received.signal.run_key is not None else None
    if known is not None and corrects(received):
        return _correct(transition, received, known)
    if known is not None and ends_late(received) and not reuses_id(cron, received):
        return _end_late(transition, received, known)
    return _finish(transition, received) if received.signal.kind in FINISHES else _begin(transition, received)


def _answer(
    transition: Transition,
    received: Received,
    run: Run,
    anomaly: Anomaly | None = None,
) -> Decision:
    """Closes a decision; a signal without a run id is remembered, so that a retry of it is recognized."""
    signal = received.signal
    if signal.run_key is None:
        transition.change(last_signal=LastSignal(signal.digest, run.id))
    drift = None if run.status is RunStatus.LOG else drift_of_run(transition.cron, run)
    return transition.decide(run, anomaly, drift)


# -- starts and signs of progress


def _begin(transition: Transition, received: Received) -> Decision:
    open_run = None if received.signal.kind is SignalKind.START else run_to_close(transition.cron, received)
    if open_run is not None:
        return _progress(transition, received, open_run)
    blocked_by = _blockers(transition)
    return _refuse(transition, received, blocked_by) if blocked_by else _start(transition, received)


def _blockers(transition: Transition) -> tuple[Blocker, ...]:
    return blockers(transition.dependencies(), transition.now) if transition.cron.is_watched else ()


def _refuse(transition: Transition, received: Received, blocked_by: tuple[Blocker, ...]) -> Decision:
    """Records a start that has to wait. Its occurrence stays open for a start after its dependencies completed."""
    cron, now = transition.cron, transition.now
    occurrence = next(filter(None, (occurrence_at(cron, at) for at in times_of_start(received))), None)
    names = ", ".join(f"{blocker.name} ({blocker.reason})" for blocker in blocked_by)
    run = Run(
        cron_id=cron.id,
        id=transition.new_run_id(now),
        key=received.signal.run_key,
        status=RunStatus.BLOCKED,
        scheduled_at=occurrence,
        started_at=now,
        finished_at=now,
        message=received.signal.message or f"waits for {names}",
        incident_id=incident_to_blame(transition),
    )
    transition.record_new(run)
    is_news = not cron.is_blocked or occurrence is None or occurrence != cron.refused_for
    transition.change(is_blocked=True, refused_for=occurrence or cron.refused_for)
    if is_news and transition.maintained_until() is None:
        transition.announce(Event(EventKind.BLOCKED, now, now, run.id, f"waits for {names}"))
    return transition.decide(run, blocked_by=blocked_by)


def _start(transition: Transition, received: Received) -> Decision:
    signal, now = received.signal, received.at
    before = transition.cron
    started_at = signal.started_at or now
    occurrence = satisfy(transition, times_of_start(received))
    open_run = OpenRun(
        id=transition.new_run_id(started_at),
        key=signal.run_key,
        started_at=started_at,
        seen_at=now,
        arrived_at=None if signal.started_at is None else now,
        scheduled_at=occurrence,
        overtaken=occurrence is None and signal.run_key is None and _may_be_overtaken(received, before),
    )
    open_run = open_run._replace(late=_is_late(before, open_run.as_run(before.id)))
    _make_room(transition)
    others = tuple(_without_key(run, signal.run_key) for run in transition.cron.open_runs)
    transition.change(open_runs=(*others, open_run), is_blocked=False, blamed_on=None)
    run = open_run.as_run(before.id)._replace(message=signal.message)
    transition.record_new(run, reused_from=_reused(before, received))
    announce_drift(transition, run)
    return _answer(transition, received, run)


def _without_key(run: OpenRun, key: str | None) -> OpenRun:
    """An id that is reused stands for the new run alone."""
    return run._replace(key=None) if key is not None and run.key == key else run


def _reused(before: Cron, received: Received) -> str | None:
    """Returns the run that the caller's id stood for until now."""
    key = received.signal.run_key
    if key is None:
        return None
    known = named_run(before, key) or received.known
    return known.id if known is not None and known.key == key else None


def _may_be_overtaken(received: Received, before: Cron) -> bool:
    """Whether a start came just after a finish that had none: that may have been its own."""
    last = before.last_run
    return last is not None and last.unstarted and received.at - last.finished_at <= _OVERTAKEN_WITHIN


def _make_room(transition: Transition) -> None:
    """Keeps at most 20 runs open: the one that started first is given up."""
    cron = transition.cron
    if len(cron.open_runs) < MAX_OPEN_RUNS:
        return
    oldest = min(cron.open_runs, key=lambda run: run.started_at)
    transition.record(oldest.as_run(cron.id, RunStatus.ABANDONED))
    _close(transition, oldest)


def _close(transition: Transition, run: OpenRun) -> None:
    transition.change(open_runs=tuple(other for other in transition.cron.open_runs if other is not run))


def _progress(transition: Transition, received: Received, open_run: OpenRun) -> Decision:
    """Records a sign of life: the run's deadlines count from now."""
    seen = open_run._replace(
        seen_at=received.at, overran=False, overtaken=False, superseded=False, uncertain=False
    )
    transition.change(open_runs=tuple(seen if run is open_run else run for run in transition.cron.open_runs))
    run = seen.as_run(transition.cron.id)._replace(message=received.signal.message)
    if received.signal.message is not None:
        transition.record(run)
    return _answer(transition, received, run)


# -- finishes


def _finish(transition: Transition, received: Received) -> Decision:
    open_run = run_to_close(transition.cron, received)
    if open_run is not None:
        return _finish_open(transition, received, open_run)
    late_end = _of_last_timeout(transition.cron, received)
    if late_end is not None:
        return _end_late(transition, received, late_end)
    return _finish_unstarted(transition, received)


def _finish_open(transition: Transition, received: Received, open_run: OpenRun) -> Decision:
    uncertain = is_uncertain(transition.cron, received)
    _close(transition, open_run)
    run = _finished(open_run.as_run(transition.cron.id), received, open_run)
    if uncertain:
        # Nothing is learned from it, and the others may have ended instead.
        others = (one if one.key else one._replace(uncertain=True) for one in transition.cron.open_runs)
        transition.change(open_runs=tuple(others))
    anomaly = None if uncertain else judge_duration(transition, run, open_run)
    run = run._replace(anomaly=anomaly)
    restart_interval(transition)
    record_missed_while_running(transition, received.at)
    run = _settled(transition, run)
    transition.record(run)
    return _answer(transition, received, run, anomaly)


def _finish_unstarted(transition: Transition, received: Received) -> Decision:
    began, ended = began_at(received), ended_at(received)
    before = transition.cron
    occurrence = satisfy(transition, times_of_finish(received))
    run = Run(
        cron_id=before.id,
        id=transition.new_run_id(began or ended),
        key=received.signal.run_key,
        status=RunStatus.RUNNING,
        scheduled_at=occurrence,
        started_at=began,
        offset_ms=None if occurrence is None else to_ms(began or ended) - to_ms(occurrence),
    )
    run = _finished(run, received, None)._replace(late=_is_late(before, run))
    anomaly = judge_duration(transition, run, None)
    run = _settled(transition, run._replace(anomaly=anomaly), unstarted=True)
    transition.record_new(run, reused_from=_reused(before, received))
    announce_drift(transition, run)
    return _answer(transition, received, run, anomaly)


def _finished(run: Run, received: Received, open_run: OpenRun | None) -> Run:
    signal = received.signal
    return run._replace(
        status=_FINISHED_AS[signal.kind],
        started_at=signal.started_at or run.started_at,
        finished_at=ended_at(received),
        duration_ms=_duration_ms(received, open_run),
        exit_code=signal.exit_code,
        message=signal.message,
        heard_at=received.at,
        metrics=signal.metrics,
    )


def _duration_ms(received: Received, open_run: OpenRun | None) -> int | None:
    """Returns how long a run took: never by one time of the job's clock and one of ours."""
    signal = received.signal
    if signal.duration_ms is not None:
        return signal.duration_ms
    given_start = signal.started_at or (open_run.started_at if open_run and open_run.arrived_at else None)
    if given_start is not None and signal.finished_at is not None:
        return max(0, to_ms(signal.finished_at) - to_ms(given_start))
    return None if open_run is None else to_ms(received.at) - to_ms(open_run.start_arrived_at)


def _settled(transition: Transition, run: Run, *, unstarted: bool = False) -> Run:
    """Counts a finished run as the last one, and as a success or a failure; returns it with its excuse."""
    assert run.finished_at is not None
    last = LastRun(run.id, run.status, run.finished_at, run.started_at, run.duration_ms, unstarted)
    transition.change(last_run=last, is_blocked=False, blamed_on=None)
    if run.status is RunStatus.SUCCESS:
        _supersede(transition, run)
        succeeded_run(transition)
        return run
    _fail(transition, run)
    return run._replace(excused=maintenance_of(transition, run.scheduled_at))


def _fail(transition: Transition, run: Run) -> None:
    words = "failed" if run.exit_code is None else f"failed with exit code {run.exit_code}"
    failed_run(transition, Failure(Reason.FAILED, transition.now, run.started_at, run.id, words))


def _supersede(transition: Transition, run: Run) -> None:
    """A newer success: runs that began before it and are still open hold nothing up any more."""
    began = run.started_at or run.finished_at
    assert began is not None
    transition.change(
        open_runs=tuple(
            one._replace(superseded=True) if one.started_at < began else one for one in transition.cron.open_runs
        )
    )


# -- runs that were given up, corrections, history


def _of_last_timeout(cron: Cron, received: Received) -> Run | None:
    """Returns the timed-out run that a finish without an id ends after all, while no other occurrence is due."""
    last, known = cron.last_run, received.known
    if last is None or unfinished_run_id(cron, received.signal) is None:
        return None
    if cron.expected_at is not None and cron.expected_at <= received.at:
        return None
    if known is not None and known.id == last.id:
        return known
    return Run(cron.id, last.id, last.status, started_at=last.started_at)


def _end_late(transition: Transition, received: Received, known: Run) -> Decision:
    """Records the end of a run that was given up. A timed-out run stays so; a good end brings the cron up."""
    run = _finished(known, received, None)
    run = run._replace(started_at=known.started_at or run.started_at)
    if run.duration_ms is None and known.started_at is not None:
        run = run._replace(duration_ms=max(0, to_ms(received.at) - to_ms(known.started_at)))
    restart_interval(transition)
    if known.status is not RunStatus.TIMEOUT:
        run = _settled(transition, run)
    else:
        run = _end_timed_out(transition, received.signal, run._replace(status=RunStatus.TIMEOUT))
    transition.record(run, counted_as=known)
    return _answer(transition, received, run)


def _end_timed_out(transition: Transition, signal: Signal, run: Run) -> Run:
    cron = transition.cron
    assert run.finished_at is not None
    if cron.last_run is None or cron.last_run.id == run.id or cron.last_run.finished_at < run.finished_at:
        last = LastRun(run.id, run.status, run.finished_at, run.started_at, run.duration_ms)
        transition.change(last_run=last)
    if run.duration_ms is not None:
        transition.count_duration(run)
    if signal.kind is not SignalKind.SUCCESS:
        return run
    if run.duration_ms is not None and cron.is_watched:
        transition.change(baseline=learn(cron.baseline, run.duration_ms))
    succeeded_run(transition)
    return run


def _correct(transition: Transition, received: Received, known: Run) -> Decision:
    """Records another outcome of a run that finished just now: the last word counts."""
    duration_ms = received.signal.duration_ms or known.duration_ms
    run = _finished(known, received, None)
    # It keeps its times, so that it stays on the day on which it was counted.
    run = run._replace(
        started_at=known.started_at, finished_at=known.finished_at or run.finished_at, duration_ms=duration_ms
    )
    last = transition.cron.last_run
    is_last = last is None or last.id == run.id
    if is_last:
        run = _settled(transition, run, unstarted=last is not None and last.unstarted)
    elif run.status is RunStatus.FAILED:
        _fail(transition, run)
    transition.record(run, counted_as=known)
    return _answer(transition, received, run)


def _is_history(cron: Cron, received: Received) -> bool:
    """Whether it reports a run that ended before the cron's last known run, or before the cron was registered."""
    signal = received.signal
    if signal.kind not in FINISHES or signal.finished_at is None:
        return False
    if received.at - signal.finished_at <= TRUSTED_WITHIN:
        return False
    if signal.run_key is not None and (received.known is not None or named_run(cron, signal.run_key) is not None):
        return False
    last = cron.last_run
    return signal.finished_at < cron.created_at or (last is not None and signal.finished_at < last.finished_at)


def _record_history(transition: Transition, received: Received) -> Decision:
    """Records and counts a run of the past; it says nothing about how the cron is now."""
    began, ended = began_at(received), ended_at(received)
    run = Run(
        cron_id=transition.cron.id,
        id=transition.new_run_id(began or ended),
        key=received.signal.run_key,
        status=RunStatus.RUNNING,
        started_at=began,
    )
    run = _finished(run, received, None)
    if transition.cron.status is Status.NEW and run.status is RunStatus.SUCCESS and run.duration_ms is not None:
        transition.change(baseline=learn(transition.cron.baseline, run.duration_ms))
    last = transition.cron.last_run
    if last is None or last.finished_at < ended:
        transition.change(last_run=LastRun(run.id, run.status, ended, run.started_at, run.duration_ms))
    transition.record_new(run)
    return _answer(transition, received, run)


def _log(transition: Transition, received: Received) -> Decision:
    run = Run(
        cron_id=transition.cron.id,
        id=transition.new_run_id(received.at),
        key=received.signal.run_key,
        status=RunStatus.LOG,
        started_at=received.at,
        finished_at=received.at,
        exit_code=received.signal.exit_code,
        message=received.signal.message,
    )
    transition.record_new(run)
    return _answer(transition, received, run)


def _is_late(cron: Cron, run: Run) -> bool:
    return run.offset_ms is not None and run.offset_ms > tolerance_of(cron, run.scheduled_at) // MILLISECOND
