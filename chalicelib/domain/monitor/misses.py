"""Missed occurrences: which they are, and what is recorded about them."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from chalicelib.domain.ids import derived_id
from chalicelib.domain.monitor.blackout import Blackout
from chalicelib.domain.monitor.cron import Cron, Reason, Status
from chalicelib.domain.monitor.deadlines import grace_at, missed_at
from chalicelib.domain.monitor.dependencies import is_undecided
from chalicelib.domain.monitor.expectation import interval_of, occurrences
from chalicelib.domain.monitor.maintenance import next_change
from chalicelib.domain.monitor.transition import Transition
from chalicelib.domain.monitor.up_and_down import Failure, count_missed, failed_run
from chalicelib.domain.runs.run import Excuse, Run, RunStatus
from chalicelib.domain.schedule.occurrences import Occurrences
from chalicelib.domain.times import INSTANT

# Each missed occurrence has a record of its own, up to this many in one decision (a transaction
# holds 100 items). Of a longer outage the earliest share one record, which says how many they are.
RECORDS_AT_ONCE = 25
_MOST_STRETCHES = 9
_LONGEST_OWN_GRACE = timedelta(hours=1)
# The next tick looks again: half a minute, so that a tick that comes a little early does so, too.
_VERDICT_AGAIN_AFTER = timedelta(seconds=30)


def missed_until(cron: Cron, times: Occurrences, now: datetime) -> datetime | None:
    """Returns the last occurrence, from the expected one on, whose grace is over; None: none is."""
    assert cron.expected_at is not None
    longest = _LONGEST_OWN_GRACE
    if cron.settings.grace_seconds is not None:
        longest = timedelta(seconds=cron.settings.grace_seconds)
    # However long the outage was: all that is older than the longest grace is missed at once, …
    last = times.latest(now - longest)
    if last is not None and last < cron.expected_at:
        last = None
    # … and the few after it are looked at one by one.
    following = cron.expected_at if last is None else times.next(last)
    while following is not None and following + grace_at(cron, times, following) <= now:
        last, following = following, times.next(following)
    return last


def next_expected_at(cron: Cron, now: datetime) -> datetime | None:
    """Returns the earliest occurrence that may still be met; while a cron is down, its state is counted hourly."""
    times = occurrences(cron)
    if times is None or cron.is_running or cron.waits_until is not None:
        return cron.expected_at
    last = missed_until(cron, times, now)
    return cron.expected_at if last is None else times.next(last)


def judge_unmet(transition: Transition) -> None:
    """Records the occurrences that are missed by now, and what that makes of the cron.

    While a run is open, or the verdict on a dependency is still to come, they wait. One whose deadline fell into a
    blackout gets its grace again.
    """
    cron = transition.cron
    times = occurrences(cron)
    if times is None or not cron.is_watched or cron.is_running:
        return
    last = missed_until(cron, times, transition.now)
    if last is None or _waits_for_verdict(transition):
        return
    last_excused = _last_while_running(cron, times, last)
    if last_excused is not None:
        _record_quietly(transition, times, last_excused)
        if last_excused == last:
            return
    blackout = _blackout_to_wait_for(transition, times)
    if blackout is not None:
        transition.change(blackout=blackout)
        last = missed_until(cron, times, blackout.since)
        if last is None:
            return
    _record_unmet(_Stretch(transition, times, last), _record_missed)
    looked_at = transition.now if transition.cron.status is Status.DOWN else None
    _expect_after(transition, times, last)
    transition.change(looked_at=looked_at)


def _last_while_running(cron: Cron, times: Occurrences, last: datetime) -> datetime | None:
    """Returns the last occurrence, up to `last`, that came while the last run was going on, as under a lock."""
    run = cron.last_run
    if run is None or run.started_at is None or cron.expected_at is None or interval_of(cron.settings) is not None:
        return None
    found = times.latest(min(run.finished_at, last))
    is_covered = found is not None and run.started_at < cron.expected_at <= found
    return found if is_covered else None


def _expect_after(transition: Transition, times: Occurrences, last: datetime) -> None:
    transition.change(expected_at=times.next(last), late_alerted=False, waits_until=None)


def _waits_for_verdict(transition: Transition) -> bool:
    """Whether the expected occurrence waits for the verdict on a dependency, or has its grace after that."""
    cron, now = transition.cron, transition.now
    if not cron.depends_on or cron.expected_at is None:
        return False
    if cron.waits_until is not None and now < cron.waits_until:
        return True
    if incident_to_blame(transition) is not None:
        return False
    dependencies = transition.dependencies()
    if any(is_undecided(one, now) for one in dependencies):
        transition.change(waits_until=now + _VERDICT_AGAIN_AFTER)
        return True
    decided_at = max((one.last_run.finished_at for one in dependencies if one.last_run), default=None)
    again_at = None if decided_at is None else _grace_after(cron, decided_at)
    if again_at is None or again_at <= now:
        return False
    transition.change(waits_until=again_at)
    return True


def _grace_after(cron: Cron, moment: datetime) -> datetime | None:
    times = occurrences(cron)
    if times is None or cron.expected_at is None:
        return None
    return moment + grace_at(cron, times, cron.expected_at)


def _blackout_to_wait_for(transition: Transition, times: Occurrences) -> Blackout | None:
    """Returns the blackout that deadlines fell into, while the grace that they get again lasts."""
    for blackout in _blackouts(transition):
        last = missed_until(transition.cron, times, blackout.until)
        if last is not None:
            grace = grace_at(transition.cron, times, last)
            if blackout.holds(last + grace) and transition.now < blackout.until + grace:
                return blackout
    return None


class _Stretch(NamedTuple):
    """The occurrences from the expected one to the last of them."""

    transition: Transition
    times: Occurrences
    last: datetime

    @property
    def first(self) -> datetime:
        expected_at = self.transition.cron.expected_at
        assert expected_at is not None
        return expected_at

    @property
    def number(self) -> int:
        return self.times.count(self.first - INSTANT, self.last)


def _blackouts(transition: Transition) -> Iterator[Blackout]:
    if transition.cron.blackout is not None:
        yield transition.cron.blackout
    yield from transition.blackouts()


def _record_unmet(stretch: _Stretch, record_missed: Callable[[_Stretch], None]) -> None:
    """Records the occurrences of a stretch: as missed, or as unknown where the deadline fell into a blackout."""
    transition, _, last = stretch
    for blackout in transition.blackouts():
        _record_until(stretch, blackout.since, record_missed)
        _record_until(stretch, blackout.until, _record_unknown)
    if transition.cron.expected_at is not None and transition.cron.expected_at <= last:
        record_missed(stretch)


def _record_until(stretch: _Stretch, end: datetime, record: Callable[[_Stretch], None]) -> None:
    """Records those of a stretch whose grace was over by `end`."""
    transition, times, last = stretch
    if transition.cron.expected_at is None or transition.cron.expected_at > last:
        return
    until = missed_until(transition.cron, times, end)
    if until is not None:
        record(stretch._replace(last=min(until, last)))
        transition.change(expected_at=times.next(min(until, last)))


def _record_unknown(stretch: _Stretch) -> None:
    """CronHub could not see when they were due: that says nothing about the job."""
    transition, times, last = stretch
    run = Run(
        cron_id=transition.cron.id,
        id=derived_id(stretch.first, transition.cron.id, "unknown"),
        status=RunStatus.UNKNOWN,
        scheduled_at=stretch.first,
        scheduled_until=last if last > stretch.first else None,
        occurrences=stretch.number,
        excused=Excuse.BLINDNESS,
    )
    transition.record_new(run, times)


def record_passed_over(transition: Transition, occurrence: datetime) -> None:
    """Records the open occurrences before one that a run satisfies, as missed; they open no incident."""
    times = occurrences(transition.cron)
    last = None if times is None else times.latest(occurrence - INSTANT)
    if times is not None and last is not None:
        _record_quietly(transition, times, last)


def record_missed_while_running(transition: Transition, until: datetime) -> None:
    """When no run is open any more: records the occurrences whose grace ended until then, as missed.

    They open no incident of their own, because the job was running.
    """
    cron = transition.cron
    times = occurrences(cron)
    if times is None or not cron.is_watched or cron.is_running:
        return
    last = missed_until(cron, times, until)
    if last is not None:
        _record_quietly(transition, times, last)


def _record_quietly(transition: Transition, times: Occurrences, last: datetime) -> None:
    expected_at = transition.cron.expected_at
    if expected_at is None or last < expected_at:
        return
    _record_unmet(_Stretch(transition, times, last), _record_missed_quietly)
    _expect_after(transition, times, last)


def _record_missed_quietly(stretch: _Stretch) -> None:
    missed = [run for run in _missed_runs(stretch, None) if run.excused is None]
    if stretch.transition.cron.status is Status.DOWN:
        count_missed(stretch.transition, sum(run.occurrences for run in missed))


def restart_interval(transition: Transition) -> None:
    """An `@every` schedule counts from the last start or finish, whichever run it was of."""
    step = interval_of(transition.cron.settings)
    if step is not None and transition.cron.expected_at is not None:
        transition.change(expected_at=transition.now + step, late_alerted=False, waits_until=None)


def _record_missed(stretch: _Stretch) -> None:
    transition = stretch.transition
    blamed_on = incident_to_blame(transition)
    was_down = transition.cron.status is Status.DOWN
    counted = 0
    for run in _missed_runs(stretch, blamed_on):
        if run.excused is not None:
            continue
        counted += _count_failures(stretch, run)
    if blamed_on is not None and not was_down:
        transition.change(is_blocked=True, blamed_on=blamed_on)
    if transition.cron.status is Status.DOWN:
        count_missed(transition, counted)


def _count_failures(stretch: _Stretch, run: Run) -> int:
    """Counts each occurrence of a record as a failure; returns how many were missed since the cron is down."""
    transition, times, _ = stretch
    if transition.cron.status is Status.DOWN:
        failed_run(transition, _failure(transition.cron, run, stretch.last))
        return run.occurrences
    assert run.scheduled_at is not None
    tolerated = transition.cron.settings.failure_tolerance - transition.cron.failure_streak
    each = times.between(
        run.scheduled_at - INSTANT, run.scheduled_until or run.scheduled_at, max(0, tolerated) + 1
    )
    for place, occurrence in enumerate(each):
        if failed_run(transition, _failure(transition.cron, run, occurrence)):
            return run.occurrences - place
    return 0


def _failure(cron: Cron, run: Run, occurrence: datetime) -> Failure:
    detail = f"expected {occurrence:%Y-%m-%d %H:%M:%S} UTC"
    return Failure(Reason.MISSED, missed_at(cron, occurrence), occurrence, run.id, detail)


def _missed_runs(stretch: _Stretch, blamed_on: str | None) -> list[Run]:
    """Records the missed occurrences of a stretch, and returns the records."""
    transition, times, last = stretch
    first, count = stretch.first, stretch.number
    alone_from = _first_recorded_alone(stretch)
    runs = [
        _missed_run(transition.cron, occurrence)
        for occurrence in times.between(alone_from - INSTANT, last, RECORDS_AT_ONCE)
    ]
    if count > len(runs):
        runs = _missed_together(transition, times, first, alone_from) + runs
    runs = [_excused(transition, run, blamed_on) for run in runs]
    for run in runs:
        transition.record_new(run, times)
    return runs


def _missed_together(transition: Transition, times: Occurrences, first: datetime, end: datetime) -> list[Run]:
    """Returns the occurrences before `end`: one record per stretch inside maintenance, or outside."""
    runs: list[Run] = []
    start: datetime | None = first
    while start is not None and start < end:
        change = next_change(transition.windows(), start)
        stop = end if change is None or len(runs) == _MOST_STRETCHES else min(change, end)
        until = times.latest(stop - INSTANT)
        run = _missed_run(transition.cron, start)
        runs.append(run._replace(scheduled_until=until, occurrences=times.count(start - INSTANT, stop - INSTANT)))
        start = times.next(stop - INSTANT)
    return runs


def incident_to_blame(transition: Transition) -> str | None:
    """Returns the incident of a dependency that is down, or that is itself blocked by one."""
    for dependency in transition.dependencies():
        if dependency.status is Status.DOWN and dependency.incident is not None:
            return dependency.incident.id
        if dependency.blamed_on is not None:
            return dependency.blamed_on
    return None


def _excused(transition: Transition, run: Run, blamed_on: str | None) -> Run:
    if blamed_on is not None:
        return run._replace(excused=Excuse.DEPENDENCY, incident_id=blamed_on)
    if run.occurrences == 1 and run.scheduled_at == transition.cron.refused_for:
        # The job came in time, and CronHub itself refused its start.
        return run._replace(excused=Excuse.DEPENDENCY)
    return run._replace(excused=maintenance_of(transition, run.scheduled_at))


def maintenance_of(transition: Transition, occurrence: datetime | None) -> Excuse | None:
    """Returns MAINTENANCE for an occurrence inside a window."""
    inside = occurrence is not None and transition.is_in_maintenance(occurrence)
    return Excuse.MAINTENANCE if inside else None


def _first_recorded_alone(stretch: _Stretch) -> datetime:
    if stretch.number <= RECORDS_AT_ONCE:
        return stretch.first
    start = stretch.last
    for _ in range(RECORDS_AT_ONCE - 2):
        start = stretch.times.latest(start - INSTANT) or start
    return start


def _missed_run(cron: Cron, occurrence: datetime) -> Run:
    run_id = derived_id(occurrence, cron.id, "missed")
    return Run(cron_id=cron.id, id=run_id, status=RunStatus.MISSED, scheduled_at=occurrence)
