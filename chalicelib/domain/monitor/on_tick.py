"""What the clock makes of a cron: `evaluate(cron, now) -> Decision`."""

from datetime import datetime, timedelta

from chalicelib.domain.monitor.blackout import Gap
from chalicelib.domain.monitor.context import Surroundings
from chalicelib.domain.monitor.cron import Cron, LastRun, OpenRun, Reason, Status
from chalicelib.domain.monitor.dampening import remind, sum_up
from chalicelib.domain.monitor.deadlines import drift_tolerance, grace_at, overrun_at, timeout_at
from chalicelib.domain.monitor.decision import Decision
from chalicelib.domain.monitor.event import EventKind
from chalicelib.domain.monitor.misses import incident_to_blame, maintenance_of, missed_until, record_unmet
from chalicelib.domain.monitor.transition import Draft
from chalicelib.domain.monitor.up_and_down import bad_run, hold, tell_held
from chalicelib.domain.runs.run import Excuse, Run, RunStatus
from chalicelib.domain.schedule.occurrences import Occurrences, occurrences


def evaluate(cron: Cron, now: datetime, around: Surroundings | None = None) -> Decision:
    """Decides what has become late, missed, overrunning or timed out by now.

    Looking twice, too early or too late does no harm: all that was due by now is decided at once.
    """
    draft = Draft(cron, now, around)
    if cron.is_watched:
        _look_at_hold(draft)
        look_for_missed(draft)
        _look_for_late(draft)
        for run in cron.open_runs:
            _look_at_run(draft, run)
        sum_up(draft)
        remind(draft)
    return draft.decide()


def _look_at_hold(draft: Draft) -> None:
    held_until = draft.cron.held_until
    if held_until is None:
        return
    # Looked at even before its end: a window may have been moved, or another one begun.
    held_until = draft.maintained_until()
    if held_until is None:
        tell_held(draft)
    else:
        hold(draft, held_until)


def look_for_missed(draft: Draft) -> None:
    cron = draft.cron
    times = occurrences(cron)
    if times is None:
        return
    last = missed_until(cron, times, draft.now)
    if last is None:
        return
    gap = _gap_to_wait_for(draft, times)
    if gap is not None:
        draft.change(blind=gap)
        last = missed_until(cron, times, gap.since)
        if last is None:
            return
    record_unmet(draft, times, last)
    looked_at = draft.now if draft.cron.status is Status.DOWN else None
    draft.change(expected_at=times.next(last), late_told=False, looked_at=looked_at)


def _gap_to_wait_for(draft: Draft, times: Occurrences) -> Gap | None:
    """The gap that deadlines fell into, while the grace that they get again lasts."""
    for gap in draft.gaps():
        last = missed_until(draft.cron, times, gap.until)
        if last is not None:
            grace = grace_at(draft.cron, times, last)
            if gap.holds(last + grace) and draft.now < gap.until + grace:
                return gap
    return None


def _look_for_late(draft: Draft) -> None:
    cron = draft.cron
    times = occurrences(cron)
    if times is None or cron.expected_at is None:
        return
    if cron.late_told or cron.status is Status.DOWN:
        return
    tolerance = drift_tolerance(grace_at(cron, times, cron.expected_at))
    if cron.expected_at + tolerance <= draft.now and not _is_held(draft):
        draft.change(late_told=True)
        blind = draft.gap_at(cron.expected_at + tolerance) is not None
        if not blind and incident_to_blame(draft) is None:
            detail = f"expected {cron.expected_at:%H:%M:%S} UTC"
            draft.tell(EventKind.LATE, cron.expected_at, detail=detail)


def _is_held(draft: Draft) -> bool:
    """Whether maintenance holds what there is to tell now; then it is looked at when that ends."""
    until = draft.maintained_until()
    if until is not None:
        hold(draft, until)
    return until is not None


def _look_at_run(draft: Draft, run: OpenRun) -> None:
    timeout = timeout_at(draft.cron, run)
    if timeout is not None and timeout <= draft.now:
        _look_at_overdue(draft, run)
        return
    overrun = overrun_at(draft.cron, run)
    if not run.overran and overrun is not None and overrun <= draft.now and not _is_held(draft):
        _replace_open(draft, run, run._replace(overran=True))
        if draft.gap_at(overrun) is not None:
            return
        average = draft.cron.baseline.average_ms or 0
        detail = f"running since {run.started_at:%H:%M:%S} UTC, on average {average:.0f} ms"
        draft.tell(EventKind.OVERRUNNING, run.started_at, run.id, detail)


def _look_at_overdue(draft: Draft, run: OpenRun) -> None:
    """Its time is over, but if that was while nobody looked, it has the cron's grace to end."""
    seconds = draft.cron.settings.max_runtime_seconds
    assert seconds is not None
    gap = draft.gap_at(run.seen_at + timedelta(seconds=seconds))
    if gap is None:
        _time_out(draft, run)
        return
    draft.change(blind=gap)
    again = timeout_at(draft.cron, run)
    if again is not None and again <= draft.now:
        _replace_open(draft, run, None)
        draft.write(_unended(draft, run, RunStatus.UNKNOWN)._replace(excused=Excuse.BLINDNESS), new=False)


def _unended(draft: Draft, run: OpenRun, status: RunStatus) -> Run:
    return Run(
        cron_id=draft.cron.id,
        id=run.id,
        key=run.key,
        status=status,
        scheduled_at=run.scheduled_at,
        started_at=run.started_at,
        late=run.late,
    )


def _time_out(draft: Draft, run: OpenRun) -> None:
    _replace_open(draft, run, None)
    excused = maintenance_of(draft, run.scheduled_at)
    draft.write(_unended(draft, run, RunStatus.TIMEOUT)._replace(excused=excused), new=False)
    draft.change(last_run=LastRun(run.id, RunStatus.TIMEOUT, draft.now, run.started_at))
    seconds = draft.cron.settings.max_runtime_seconds
    detail = f"running since {run.started_at:%H:%M:%S} UTC, longer than {seconds} s"
    bad_run(draft, Reason.TIMEOUT, run.id, run.started_at, detail)


def _replace_open(draft: Draft, run: OpenRun, by: OpenRun | None) -> None:
    runs = (by if other.id == run.id else other for other in draft.cron.open_runs)
    draft.change(open_runs=tuple(other for other in runs if other is not None))
