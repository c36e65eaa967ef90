"""What the clock changes about a cron: `evaluate(cron, now) -> Decision`."""

from datetime import datetime, timedelta

from chalicelib.domain.monitor.context import Context
from chalicelib.domain.monitor.cron import Cron, LastRun, OpenRun, Reason, Status
from chalicelib.domain.monitor.dampening import remind, settle, sum_up
from chalicelib.domain.monitor.deadlines import (
    default_timeout_at,
    late_alert_at,
    limit_by,
    max_runtime_at,
    overrunning_at,
    timeout_at,
)
from chalicelib.domain.monitor.decision import Decision
from chalicelib.domain.monitor.dependencies import is_undecided
from chalicelib.domain.monitor.duration_alerts import look_for_overrunning
from chalicelib.domain.monitor.event import Event, EventKind
from chalicelib.domain.monitor.misses import (
    incident_to_blame,
    judge_unmet,
    maintenance_of,
    record_missed_while_running,
)
from chalicelib.domain.monitor.transition import Transition
from chalicelib.domain.monitor.up_and_down import Failure, announce_held, failed_run, hold
from chalicelib.domain.runs.judgement import history_of
from chalicelib.domain.runs.run import Excuse, RunStatus

#: A limit is raised only for a job that takes at least this many times as long on some days.
_OTHER_DAYS_FACTOR = 2
_DAYS_TO_GO_BY = 3


def evaluate(cron: Cron, now: datetime, context: Context | None = None) -> Decision:
    """Decides what has become late, missed, overrunning or timed out by now.

    Looking twice, too early or too late does no harm: all that was due by now is decided at once.
    """
    transition = Transition(cron, now, context)
    if cron.is_watched:
        _look_at_hold(transition)
        for run in sorted(cron.open_runs, key=lambda one: timeout_at(cron, one)):
            _look_at_run(transition, run)
        judge_unmet(transition)
        _look_for_late(transition)
        settle(transition)
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


def _look_for_late(transition: Transition) -> None:
    cron = transition.cron
    if cron.expected_at is None or cron.late_alerted or cron.status is Status.DOWN or cron.is_running:
        return
    deadline = late_alert_at(cron, cron.expected_at)
    if deadline > transition.now or _is_held(transition):
        return
    transition.change(late_alerted=True)
    is_excused = (
        transition.blackout_at(deadline) is not None
        or transition.is_in_maintenance(cron.expected_at)
        or incident_to_blame(transition) is not None
        or any(is_undecided(one, transition.now) for one in transition.dependencies())
    )
    if not is_excused:
        detail = f"expected {cron.expected_at:%H:%M:%S} UTC"
        transition.announce(Event(EventKind.LATE, transition.now, cron.expected_at, detail=detail))


def _is_held(transition: Transition) -> bool:
    """Whether an alert has to wait for the end of maintenance; then the cron is looked at again."""
    until = transition.maintained_until()
    if until is not None:
        hold(transition, until)
    return until is not None


def _look_at_run(transition: Transition, run: OpenRun) -> None:
    if timeout_at(transition.cron, run) <= transition.now:
        run = _with_longer_limit(transition, run)
    if timeout_at(transition.cron, run) <= transition.now:
        _look_at_overdue(transition, run)
        return
    overrunning = overrunning_at(transition.cron, run)
    if overrunning is None or overrunning > transition.now or run.overran or not run.holds_up:
        return
    if not _is_held(transition):
        _replace_open(transition, run, look_for_overrunning(transition, run))


def _with_longer_limit(transition: Transition, run: OpenRun) -> OpenRun:
    """Returns a run with the limit that longer runs of the last weeks suggest, such as those of a full backup.

    It is raised only where at least three days had runs that took twice as long as any of the recent ones.
    """
    cron = transition.cron
    if max_runtime_at(cron, run) is not None or run.limit is not None or not run.holds_up:
        return run
    if cron.baseline.average_ms is None:
        return run
    today = () if cron.today is None else (cron.today,)
    longest = sorted(history_of((*transition.recent_days(), *today)).maxima_ms)[-_DAYS_TO_GO_BY:]
    if len(longest) < _DAYS_TO_GO_BY:
        return run
    recent = max(cron.baseline.durations_ms)
    if longest[0] < _OTHER_DAYS_FACTOR * recent:
        return run
    longer = run._replace(limit=limit_by(cron, run, longest[:1]))
    _replace_open(transition, run, longer)
    return longer


def _look_at_overdue(transition: Transition, run: OpenRun) -> None:
    """Its time is over. If that was in a blackout, it has the cron's grace to end."""
    blackout = transition.blackout_at(_limit_at(transition.cron, run))
    if blackout is None:
        _give_up(transition, run)
        return
    transition.change(blackout=blackout)
    if timeout_at(transition.cron, run) <= transition.now:
        _replace_open(transition, run, None)
        unknown = run.as_run(transition.cron.id, RunStatus.UNKNOWN)
        transition.record(unknown._replace(excused=Excuse.BLINDNESS))
        record_missed_while_running(transition, blackout.until)


def _limit_at(cron: Cron, run: OpenRun) -> datetime:
    return max_runtime_at(cron, run) or default_timeout_at(cron, run)


def _give_up(transition: Transition, run: OpenRun) -> None:
    if run.overtaken:
        # Its finish came before it: the two are one run, which is recorded already.
        _replace_open(transition, run, None)
        transition.remove(run.as_run(transition.cron.id))
    else:
        _time_out(transition, run)


def _time_out(transition: Transition, run: OpenRun) -> None:
    before = transition.cron
    deadline = timeout_at(before, run)
    _replace_open(transition, run, None)
    record = run.as_run(before.id, RunStatus.TIMEOUT)
    transition.record(record._replace(excused=maintenance_of(transition, run.scheduled_at)))
    if not run.superseded:
        last = LastRun(run.id, RunStatus.TIMEOUT, deadline, run.started_at, unfinished=run.key is None)
        transition.change(last_run=last)
    limit = (deadline - run.seen_at) // timedelta(seconds=1)
    detail = f"running since {run.started_at:%H:%M:%S} UTC, longer than {limit} s"
    failed_run(transition, Failure(Reason.TIMEOUT, deadline, run.started_at, run.id, detail))
    record_missed_while_running(transition, deadline)


def _replace_open(transition: Transition, run: OpenRun, by: OpenRun | None) -> None:
    runs = (by if other.id == run.id else other for other in transition.cron.open_runs)
    transition.change(open_runs=tuple(other for other in runs if other is not None))
