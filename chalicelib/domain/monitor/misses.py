"""Missed occurrences: which they are, and what is recorded of them."""

from collections.abc import Callable
from datetime import datetime, timedelta

from chalicelib.domain.ids import derived_id
from chalicelib.domain.monitor.cron import Cron, Reason, Status
from chalicelib.domain.monitor.deadlines import grace_at
from chalicelib.domain.monitor.maintenance import in_maintenance, next_change
from chalicelib.domain.monitor.transition import Transition
from chalicelib.domain.monitor.up_and_down import count_missed, failed_run
from chalicelib.domain.runs.run import Excuse, Run, RunStatus
from chalicelib.domain.schedule.occurrences import Occurrences
from chalicelib.domain.times import INSTANT

# Each missed occurrence has a record of its own, up to this many in one decision (a transaction
# holds 100 items); of a longer outage the earliest share one record, which says how many they are.
RECORDS_AT_ONCE = 25
_MOST_STRETCHES = 9
_LONGEST_OWN_GRACE = timedelta(hours=1)


def missed_until(cron: Cron, times: Occurrences, now: datetime) -> datetime | None:
    """The last occurrence, from the expected one on, whose grace is over; None: none is."""
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


def record_unmet(transition: Transition, times: Occurrences, last: datetime) -> None:
    """Records the occurrences from the expected one to `last`, and judges them: as missed, but as
    unknown those whose deadline fell into a blackout.

    What is expected after them is the caller's to set.
    """
    for blackout in transition.blackouts():
        _record_until(transition, times, blackout.since, last, _record_missed)
        _record_until(transition, times, blackout.until, last, _record_unknown)
    if transition.cron.expected_at is not None and transition.cron.expected_at <= last:
        _record_missed(transition, times, last)


def _record_until(
    transition: Transition,
    times: Occurrences,
    end: datetime,
    last: datetime,
    record: Callable[[Transition, Occurrences, datetime], None],
) -> None:
    """Records those whose grace was over by `end`, up to `last`."""
    if transition.cron.expected_at is None or transition.cron.expected_at > last:
        return
    until = missed_until(transition.cron, times, end)
    if until is not None:
        record(transition, times, min(until, last))
        transition.change(expected_at=times.next(min(until, last)))


def _record_unknown(transition: Transition, times: Occurrences, last: datetime) -> None:
    """Nobody looked when they were due: that says nothing of the job."""
    first = transition.cron.expected_at
    assert first is not None
    run = Run(
        cron_id=transition.cron.id,
        id=derived_id(first, transition.cron.id, "unknown"),
        status=RunStatus.UNKNOWN,
        scheduled_at=first,
        scheduled_until=last if last > first else None,
        occurrences=times.count(first - INSTANT, last),
        excused=Excuse.BLINDNESS,
    )
    transition.write(run, new=True, times=times)


def _record_missed(transition: Transition, times: Occurrences, last: datetime) -> None:
    first = transition.cron.expected_at
    assert first is not None
    was_down = transition.cron.status is Status.DOWN
    blamed_on = incident_to_blame(transition)
    forgiven = (
        0 if was_down else max(0, transition.cron.settings.failure_tolerance - transition.cron.failure_streak)
    )
    count = times.count(first - INSTANT, last)
    alone_from = _first_recorded_alone(times, first, last, count)
    runs = [
        _missed_run(transition.cron, occurrence)
        for occurrence in times.between(alone_from - INSTANT, last, RECORDS_AT_ONCE)
    ]
    if count > len(runs):
        runs = _missed_together(transition, times, first, alone_from) + runs
    for run in _excused(transition, runs, blamed_on):
        transition.write(run, new=True, times=times)
        if blamed_on is not None and not was_down:
            transition.change(is_blocked=True, blamed_on=blamed_on)
            continue
        for _ in range(run.occurrences if not was_down else 1):
            failed_run(transition, Reason.MISSED, run.id, run.scheduled_at, _detail(run))
            if transition.cron.status is Status.DOWN:
                break
    if transition.cron.status is Status.DOWN:
        count_missed(transition, count - forgiven)


def _missed_together(transition: Transition, times: Occurrences, first: datetime, end: datetime) -> list[Run]:
    """The occurrences before `end`: one record for each stretch inside maintenance, or outside."""
    runs: list[Run] = []
    start: datetime | None = first
    while start is not None and start < end:
        change = next_change(transition.windows(), start)
        stop = end if change is None or len(runs) == _MOST_STRETCHES else min(change, end)
        until = times.latest(stop - INSTANT)
        runs.append(_missed_run(transition.cron, start, until, times.count(start - INSTANT, stop - INSTANT)))
        start = times.next(stop - INSTANT)
    return runs


def incident_to_blame(transition: Transition) -> str | None:
    """The incident of a dependency that is down, or that is itself kept from running by one."""
    for dependency in transition.dependencies():
        if dependency.status is Status.DOWN and dependency.incident is not None:
            return dependency.incident.id
        if dependency.blamed_on is not None:
            return dependency.blamed_on
    return None


def _excused(transition: Transition, runs: list[Run], blamed_on: str | None) -> list[Run]:
    if blamed_on is not None:
        return [run._replace(excused=Excuse.DEPENDENCY, incident_id=blamed_on) for run in runs]
    return [run._replace(excused=maintenance_of(transition, run.scheduled_at)) for run in runs]


def maintenance_of(transition: Transition, occurrence: datetime | None) -> Excuse | None:
    """MAINTENANCE for an occurrence inside a window."""
    inside = occurrence is not None and in_maintenance(transition.windows(), occurrence)
    return Excuse.MAINTENANCE if inside else None


def _first_recorded_alone(times: Occurrences, first: datetime, last: datetime, count: int) -> datetime:
    if count <= RECORDS_AT_ONCE:
        return first
    start = last
    for _ in range(RECORDS_AT_ONCE - 2):
        start = times.latest(start - INSTANT) or start
    return start


def _missed_run(cron: Cron, first: datetime, until: datetime | None = None, occurrences: int = 1) -> Run:
    return Run(
        cron_id=cron.id,
        id=derived_id(first, cron.id, "missed"),
        status=RunStatus.MISSED,
        scheduled_at=first,
        scheduled_until=until,
        occurrences=occurrences,
    )


def _detail(run: Run) -> str:
    return f"expected {run.scheduled_at:%Y-%m-%d %H:%M:%S} UTC"
