"""Runs that never finish: when their time is over, they time out."""

from datetime import datetime, timedelta

from chalicelib.domain.monitor.cron import Cron, LastRun, OpenRun, Reason
from chalicelib.domain.monitor.deadlines import default_timeout_at, limit_by, max_runtime_at, timeout_at
from chalicelib.domain.monitor.misses import maintenance_of, record_missed_while_running
from chalicelib.domain.monitor.transition import Transition
from chalicelib.domain.monitor.up_and_down import Failure, failed_run
from chalicelib.domain.runs.judgement import history_of
from chalicelib.domain.runs.run import Excuse, RunStatus

#: A limit is raised only for a job that takes at least this many times as long on some days.
_OTHER_DAYS_FACTOR = 2
_DAYS_TO_GO_BY = 3


def time_out_overdue(transition: Transition, but: OpenRun | None = None) -> None:
    """Ends the runs whose time is over, in the order of their limits. but: the run that is ending by itself."""
    cron = transition.cron
    if not cron.is_watched:
        return
    for run in sorted(cron.open_runs, key=lambda one: timeout_at(cron, one)):
        if run is but or timeout_at(transition.cron, run) > transition.now:
            continue
        longer = _with_longer_limit(transition, run)
        if timeout_at(transition.cron, longer) <= transition.now:
            _look_at_overdue(transition, longer)


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
    replace_open(transition, run, longer)
    return longer


def _look_at_overdue(transition: Transition, run: OpenRun) -> None:
    """Its time is over. If that was in a blackout, it has the cron's grace to end."""
    blackout = transition.blackout_at(_limit_at(transition.cron, run))
    if blackout is None:
        _give_up(transition, run)
        return
    transition.change(blackout=blackout)
    if timeout_at(transition.cron, run) <= transition.now:
        replace_open(transition, run, None)
        unknown = run.as_run(transition.cron.id, RunStatus.UNKNOWN)
        transition.record(unknown._replace(excused=Excuse.BLINDNESS))
        record_missed_while_running(transition, blackout.until)


def _limit_at(cron: Cron, run: OpenRun) -> datetime:
    return max_runtime_at(cron, run) or default_timeout_at(cron, run)


def _give_up(transition: Transition, run: OpenRun) -> None:
    if run.overtaken:
        # Its finish came before it: the two are one run, which is recorded already.
        replace_open(transition, run, None)
        transition.remove(run.as_run(transition.cron.id))
    elif run.uncertain:
        # Its end counted for another run: nothing says that it died.
        replace_open(transition, run, None)
        transition.record(run.as_run(transition.cron.id, RunStatus.ABANDONED))
    else:
        _time_out(transition, run)


def _time_out(transition: Transition, run: OpenRun) -> None:
    before = transition.cron
    deadline = timeout_at(before, run)
    replace_open(transition, run, None)
    record = run.as_run(before.id, RunStatus.TIMEOUT)
    transition.record(record._replace(excused=maintenance_of(transition, run.scheduled_at)))
    if not run.superseded:
        last = LastRun(run.id, RunStatus.TIMEOUT, deadline, run.started_at, unfinished=run.key is None)
        transition.change(last_run=last)
    limit = (deadline - run.seen_at) // timedelta(seconds=1)
    detail = f"running since {run.started_at:%H:%M:%S} UTC, longer than {limit} s"
    failed_run(transition, Failure(Reason.TIMEOUT, deadline, run.started_at, run.id, detail))
    record_missed_while_running(transition, deadline)


def replace_open(transition: Transition, run: OpenRun, by: OpenRun | None) -> None:
    runs = (by if other.id == run.id else other for other in transition.cron.open_runs)
    transition.change(open_runs=tuple(other for other in runs if other is not None))
