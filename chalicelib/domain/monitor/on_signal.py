"""What a signal makes of a cron: `apply(cron, signal, now, random) -> Decision`."""

from datetime import datetime, timedelta

from chalicelib.domain.ids import timed_id
from chalicelib.domain.monitor.context import Context
from chalicelib.domain.monitor.cron import MAX_OPEN_RUNS, Cron, LastRun, OpenRun, Reason, Status
from chalicelib.domain.monitor.dampening import announce_rarely
from chalicelib.domain.monitor.deadlines import tolerance_of
from chalicelib.domain.monitor.decision import Decision
from chalicelib.domain.monitor.dependencies import Blocker, blockers
from chalicelib.domain.monitor.event import EventKind
from chalicelib.domain.monitor.matching import arrive
from chalicelib.domain.monitor.misses import maintenance_of
from chalicelib.domain.monitor.signal import Signal, SignalKind
from chalicelib.domain.monitor.transition import Transition
from chalicelib.domain.monitor.up_and_down import failed_run, succeeded_run
from chalicelib.domain.runs.anomaly import Anomaly, judge, learn
from chalicelib.domain.runs.drift import Drift, drift_of
from chalicelib.domain.runs.run import Run, RunStatus
from chalicelib.domain.times import to_ms

_FINISHED_AS = {SignalKind.SUCCESS: RunStatus.SUCCESS, SignalKind.FAIL: RunStatus.FAILED}
_GIVEN_UP = {RunStatus.TIMEOUT, RunStatus.ABANDONED, RunStatus.BLOCKED, RunStatus.UNKNOWN}


def apply(
    cron: Cron,
    signal: Signal,
    now: datetime,
    random: bytes,
    known: Run | None = None,
    context: Context | None = None,
) -> Decision:
    """Decides what one signal changes.

    random: 10 bytes for the id of a run that it may begin. known: the run that the signal's
    `run_key` stands for, where that run is recorded but not open any more.
    """
    transition = Transition(cron, now, context)
    transition.change(last_signal_at=now)
    if signal.kind is SignalKind.LOG:
        return _log(transition, signal, random)
    open_run = _meant(cron, signal)
    counted = _counted(cron, signal, open_run, known)
    if counted is not None:
        return Decision(cron, run=counted, anomaly=counted.anomaly, replay=True)
    if cron.status is Status.NEW:
        transition.change(status=Status.UP)
    if open_run is None and known is not None:
        return _end_given_up(transition, signal, known)
    if signal.kind in _FINISHED_AS:
        return _finish(transition, signal, random, open_run)
    if open_run is None:
        blocked_by = _blockers(transition, signal)
        return (
            _refuse(transition, signal, random, blocked_by) if blocked_by else _start(transition, signal, random)
        )
    return _progress(transition, signal, open_run)


def _meant(cron: Cron, signal: Signal) -> OpenRun | None:
    """The open run a signal is about: by its id; without one the latest, but a start is a new one."""
    if signal.run_key is not None:
        return next((run for run in cron.open_runs if run.answers_to(signal.run_key)), None)
    if signal.kind is SignalKind.START or not cron.open_runs:
        return None
    # Of two that started at once, the one told of last.
    return max(reversed(cron.open_runs), key=lambda run: run.started_at)


def _counted(cron: Cron, signal: Signal, open_run: OpenRun | None, known: Run | None) -> Run | None:
    """The run of a signal that was counted before, and changes nothing; None for any other.

    A run given up (timed out, abandoned) may still end, once.
    """
    if open_run is not None:
        return _shown(cron, open_run) if signal.kind is SignalKind.START else None
    if known is None:
        return None
    is_given_up = known.finished_at is None and known.status in _GIVEN_UP
    return None if is_given_up and signal.kind in _FINISHED_AS else known


def _blockers(transition: Transition, signal: Signal) -> tuple[Blocker, ...]:
    """What a start has to wait for; a run that says it is running is not asked."""
    if signal.kind is not SignalKind.START or not transition.cron.is_watched:
        return ()
    return blockers(transition.dependencies(), transition.now)


def _refuse(transition: Transition, signal: Signal, random: bytes, blocked_by: tuple[Blocker, ...]) -> Decision:
    """Its occurrence stays open: the job may be started again once its dependencies are completed."""
    transition.change(is_blocked=True)
    run = Run(
        cron_id=transition.cron.id,
        id=timed_id(transition.now, random),
        key=signal.run_key,
        status=RunStatus.BLOCKED,
        started_at=transition.now,
        finished_at=transition.now,
        message=signal.message,
    )
    transition.write(run, new=True)
    names = ", ".join(f"{blocker.name} ({blocker.reason})" for blocker in blocked_by)
    if transition.maintained_until() is None:
        transition.announce(EventKind.BLOCKED, transition.now, run.id, f"waits for {names}")
    return transition.decide(run, blocked_by=blocked_by)


def _start(transition: Transition, signal: Signal, random: bytes) -> Decision:
    started_at = signal.started_at or transition.now
    occurrence = arrive(transition, started_at, transition.now)
    open_run = OpenRun(
        id=timed_id(started_at, random),
        key=signal.run_key,
        started_at=started_at,
        seen_at=transition.now,
        scheduled_at=occurrence,
        late=_is_late(transition.cron, started_at, occurrence),
    )
    _make_room(transition)
    transition.change(open_runs=(*transition.cron.open_runs, open_run), is_blocked=False, blamed_on=None)
    run = _shown(transition.cron, open_run)._replace(message=signal.message)
    transition.write(run, new=True)
    _announce_drift(transition, run)
    return transition.decide(run, drift=_drift(transition, run))


def _make_room(transition: Transition) -> None:
    """At most 20 runs are open: the one that started first is given up."""
    runs = transition.cron.open_runs
    if len(runs) < MAX_OPEN_RUNS:
        return
    oldest = min(runs, key=lambda run: run.started_at)
    transition.write(_shown(transition.cron, oldest)._replace(status=RunStatus.ABANDONED), new=False)
    _close(transition, oldest)


def _close(transition: Transition, run: OpenRun) -> None:
    transition.change(open_runs=tuple(other for other in transition.cron.open_runs if other is not run))


def _progress(transition: Transition, signal: Signal, open_run: OpenRun) -> Decision:
    """A sign of life: the run's deadlines count from now."""
    seen = open_run._replace(seen_at=transition.now, overran=False)
    transition.change(open_runs=tuple(seen if run is open_run else run for run in transition.cron.open_runs))
    run = _shown(transition.cron, seen)._replace(message=signal.message)
    if signal.message is not None:
        transition.write(run, new=False)
    return transition.decide(run, drift=_drift(transition, run))


def _finish(transition: Transition, signal: Signal, random: bytes, open_run: OpenRun | None) -> Decision:
    finished_at = signal.finished_at or transition.now
    if open_run is not None:
        _close(transition, open_run)
        run = _finished(_shown(transition.cron, open_run), signal, finished_at)
    else:
        began_at = _began_at(signal, finished_at)
        occurrence = arrive(transition, began_at or finished_at, finished_at)
        run = Run(
            cron_id=transition.cron.id,
            id=timed_id(began_at or finished_at, random),
            key=signal.run_key,
            status=RunStatus.RUNNING,
            scheduled_at=occurrence,
            started_at=began_at,
            offset_ms=_offset(began_at or finished_at, occurrence),
            late=_is_late(transition.cron, began_at or finished_at, occurrence),
        )
        run = _finished(run, signal, finished_at)
    anomaly = _judge_duration(transition, run)
    run = run._replace(anomaly=anomaly)
    _settle(transition, run)
    if run.status is RunStatus.FAILED:
        run = run._replace(excused=maintenance_of(transition, run.scheduled_at))
    was_told = open_run is not None and open_run.overran
    if anomaly is not None and anomaly.told and not was_told:
        announce_rarely(transition, EventKind.ANOMALY, run.started_at, run.id, _anomaly_words(anomaly))
    transition.write(run, new=open_run is None)
    if open_run is None:
        _announce_drift(transition, run)
    return transition.decide(run, anomaly, _drift(transition, run))


def _began_at(signal: Signal, finished_at: datetime) -> datetime | None:
    """When a run that only its end is known of began: None where the signal does not say."""
    if signal.started_at is not None:
        return signal.started_at
    if signal.duration_ms is not None:
        return finished_at - timedelta(milliseconds=signal.duration_ms)
    return None


def _finished(run: Run, signal: Signal, finished_at: datetime) -> Run:
    started_at = signal.started_at or run.started_at
    duration = signal.duration_ms
    if duration is None and started_at is not None:
        # The clock of a host may be ahead of ours: no run takes less than no time.
        duration = max(0, to_ms(finished_at) - to_ms(started_at))
    return run._replace(
        status=_FINISHED_AS[signal.kind],
        started_at=started_at,
        finished_at=finished_at,
        duration_ms=duration,
        exit_code=signal.exit_code,
        message=signal.message,
    )


def _settle(transition: Transition, run: Run) -> None:
    """A finished run counts: as the last run, and as a good or a bad one."""
    assert run.finished_at is not None
    last = LastRun(run.id, run.status, run.finished_at, run.started_at, run.duration_ms)
    transition.change(last_run=last, is_blocked=False, blamed_on=None)
    if run.status is RunStatus.SUCCESS:
        succeeded_run(transition)
    else:
        failed_run(transition, Reason.FAILED, run.id, run.started_at, _failure_words(run))


def _judge_duration(transition: Transition, run: Run) -> Anomaly | None:
    cron = transition.cron
    if run.status is not RunStatus.SUCCESS or run.duration_ms is None or not cron.is_watched:
        return None
    anomaly = judge(cron.baseline, run.duration_ms, cron.settings.anomaly_factor)
    transition.change(baseline=learn(cron.baseline, run.duration_ms, anomaly))
    return anomaly


def _end_given_up(transition: Transition, signal: Signal, known: Run) -> Decision:
    run = _finished(known, signal, signal.finished_at or transition.now)
    if known.status is RunStatus.TIMEOUT:
        # It ran out of its time and stays so; that it ended well after all brings the cron up.
        run = run._replace(status=RunStatus.TIMEOUT)
        if signal.kind is SignalKind.SUCCESS:
            succeeded_run(transition)
    else:
        _settle(transition, run)
    transition.write(run, new=False, before=known)
    return transition.decide(run)


def _log(transition: Transition, signal: Signal, random: bytes) -> Decision:
    run = Run(
        cron_id=transition.cron.id,
        id=timed_id(transition.now, random),
        key=signal.run_key,
        status=RunStatus.LOG,
        started_at=transition.now,
        finished_at=transition.now,
        exit_code=signal.exit_code,
        message=signal.message,
    )
    transition.write(run, new=True)
    return transition.decide(run)


def _shown(cron: Cron, open_run: OpenRun) -> Run:
    return Run(
        cron_id=cron.id,
        id=open_run.id,
        key=open_run.key,
        status=RunStatus.RUNNING,
        scheduled_at=open_run.scheduled_at,
        started_at=open_run.started_at,
        offset_ms=_offset(open_run.started_at, open_run.scheduled_at),
        late=open_run.late,
    )


def _offset(began_at: datetime, occurrence: datetime | None) -> int | None:
    return None if occurrence is None else to_ms(began_at) - to_ms(occurrence)


def _is_late(cron: Cron, began_at: datetime, occurrence: datetime | None) -> bool:
    offset = _offset(began_at, occurrence)
    return offset is not None and offset > _tolerance_ms(cron, occurrence)


def _tolerance_ms(cron: Cron, occurrence: datetime | None) -> int:
    return tolerance_of(cron, occurrence) // timedelta(milliseconds=1)


def _drift(transition: Transition, run: Run) -> Drift | None:
    return drift_of(run.offset_ms, transition.cron.offsets_ms, _tolerance_ms(transition.cron, run.scheduled_at))


def _announce_drift(transition: Transition, run: Run) -> None:
    """At a run's beginning: that its cron drifts, not that this run alone is off."""
    found = _drift(transition, run)
    if found is not None and found.drifting and run.scheduled_at is not None and transition.cron.is_watched:
        detail = f"its last runs began {found.median_ms / 1000:+.0f} s from their time"
        announce_rarely(transition, EventKind.DRIFT, run.scheduled_at, run.id, detail)


def _failure_words(run: Run) -> str:
    return "failed" if run.exit_code is None else f"failed with exit code {run.exit_code}"


def _anomaly_words(anomaly: Anomaly) -> str:
    return f"took {anomaly.duration_ms} ms, on average {anomaly.average_ms:.0f} ms"
