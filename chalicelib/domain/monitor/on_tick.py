"""What the clock makes of a cron: `evaluate(cron, now) -> Decision`."""

from datetime import datetime, timedelta

from chalicelib.domain.monitor.blackout import Blackout
from chalicelib.domain.monitor.context import Context
from chalicelib.domain.monitor.cron import Cron, LastRun, OpenRun, Reason, Status
from chalicelib.domain.monitor.dampening import remind, sum_up
from chalicelib.domain.monitor.deadlines import drift_tolerance, grace_at, overrun_at, timeout_at
from chalicelib.domain.monitor.decision import Decision
from chalicelib.domain.monitor.event import EventKind
from chalicelib.domain.monitor.expectation import occurrences
from chalicelib.domain.monitor.misses import incident_to_blame, maintenance_of, missed_until, record_unmet
from chalicelib.domain.monitor.transition import Transition
from chalicelib.domain.monitor.up_and_down import announce_held, failed_run, hold
from chalicelib.domain.runs.run import Excuse, Run, RunStatus
from chalicelib.domain.schedule.occurrences import Occurrences


def evaluate(cron: Cron, now: datetime, context: Context | None = None) -> Decision:
    """Decides what has become late, missed, overrunning or timed out by now.

    Looking twice, too early or too late does no harm: all that was due by now is decided at once.
    """
    transition = Transition(cron, now, context)
    if cron.is_watched:
        _look_at_hold(transition)
        look_for_missed(transition)
        _look_for_late(transition)
        for run in cron.open_runs:
            _look_at_run(transition, run)
        sum_up(transition)
        remind(transition)
    return transition.decide()


def _look_at_hold(transition: Transition) -> None:
    held_until = transition.cron.held_until
    if held_until is None:
        return
    # Looked at even before its end: a window may have been moved, or another one begun.
    held_until = transition.maintained_until()
    if held_until is None:
        announce_held(transition)
    else:
        hold(transition, held_until)


def look_for_missed(transition: Transition) -> None:
    cron = transition.cron
    times = occurrences(cron)
    if times is None:
        return
    last = missed_until(cron, times, transition.now)
    if last is None:
        return
    blackout = _blackout_to_wait_for(transition, times)
    if blackout is not None:
        transition.change(blackout=blackout)
        last = missed_until(cron, times, blackout.since)
        if last is None:
            return
    record_unmet(transition, times, last)
    looked_at = transition.now if transition.cron.status is Status.DOWN else None
    transition.change(expected_at=times.next(last), late_alerted=False, looked_at=looked_at)


def _blackout_to_wait_for(transition: Transition, times: Occurrences) -> Blackout | None:
    """The blackout that deadlines fell into, while the grace that they get again lasts."""
    for blackout in transition.blackouts():
        last = missed_until(transition.cron, times, blackout.until)
        if last is not None:
            grace = grace_at(transition.cron, times, last)
            if blackout.holds(last + grace) and transition.now < blackout.until + grace:
                return blackout
    return None


def _look_for_late(transition: Transition) -> None:
    cron = transition.cron
    times = occurrences(cron)
    if times is None or cron.expected_at is None:
        return
    if cron.late_alerted or cron.status is Status.DOWN:
        return
    tolerance = drift_tolerance(grace_at(cron, times, cron.expected_at))
    if cron.expected_at + tolerance <= transition.now and not _is_held(transition):
        transition.change(late_alerted=True)
        blind = transition.blackout_at(cron.expected_at + tolerance) is not None
        if not blind and incident_to_blame(transition) is None:
            detail = f"expected {cron.expected_at:%H:%M:%S} UTC"
            transition.announce(EventKind.LATE, cron.expected_at, detail=detail)


def _is_held(transition: Transition) -> bool:
    """Whether maintenance holds what there is to tell now; then it is looked at when that ends."""
    until = transition.maintained_until()
    if until is not None:
        hold(transition, until)
    return until is not None


def _look_at_run(transition: Transition, run: OpenRun) -> None:
    timeout = timeout_at(transition.cron, run)
    if timeout is not None and timeout <= transition.now:
        _look_at_overdue(transition, run)
        return
    overrun = overrun_at(transition.cron, run)
    if not run.overran and overrun is not None and overrun <= transition.now and not _is_held(transition):
        _replace_open(transition, run, run._replace(overran=True))
        if transition.blackout_at(overrun) is not None:
            return
        average = transition.cron.baseline.average_ms or 0
        detail = f"running since {run.started_at:%H:%M:%S} UTC, on average {average:.0f} ms"
        transition.announce(EventKind.OVERRUNNING, run.started_at, run.id, detail)


def _look_at_overdue(transition: Transition, run: OpenRun) -> None:
    """Its time is over, but if that was while nobody looked, it has the cron's grace to end."""
    seconds = transition.cron.settings.max_runtime_seconds
    assert seconds is not None
    blackout = transition.blackout_at(run.seen_at + timedelta(seconds=seconds))
    if blackout is None:
        _time_out(transition, run)
        return
    transition.change(blackout=blackout)
    again = timeout_at(transition.cron, run)
    if again is not None and again <= transition.now:
        _replace_open(transition, run, None)
        transition.write(
            _unended(transition, run, RunStatus.UNKNOWN)._replace(excused=Excuse.BLINDNESS), new=False
        )


def _unended(transition: Transition, run: OpenRun, status: RunStatus) -> Run:
    return Run(
        cron_id=transition.cron.id,
        id=run.id,
        key=run.key,
        status=status,
        scheduled_at=run.scheduled_at,
        started_at=run.started_at,
        late=run.late,
    )


def _time_out(transition: Transition, run: OpenRun) -> None:
    _replace_open(transition, run, None)
    excused = maintenance_of(transition, run.scheduled_at)
    transition.write(_unended(transition, run, RunStatus.TIMEOUT)._replace(excused=excused), new=False)
    transition.change(last_run=LastRun(run.id, RunStatus.TIMEOUT, transition.now, run.started_at))
    seconds = transition.cron.settings.max_runtime_seconds
    detail = f"running since {run.started_at:%H:%M:%S} UTC, longer than {seconds} s"
    failed_run(transition, Reason.TIMEOUT, run.id, run.started_at, detail)


def _replace_open(transition: Transition, run: OpenRun, by: OpenRun | None) -> None:
    runs = (by if other.id == run.id else other for other in transition.cron.open_runs)
    transition.change(open_runs=tuple(other for other in runs if other is not None))
