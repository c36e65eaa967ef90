"""When is a cron late, missed, overrunning, timed out: the one file to read for it."""

from datetime import datetime, timedelta

from chalicelib.domain.monitor.cron import Cron, OpenRun, Status
from chalicelib.domain.monitor.expectation import occurrences, occurrences_around
from chalicelib.domain.runs.anomaly import overrun_after_ms
from chalicelib.domain.schedule.occurrences import Occurrences
from chalicelib.domain.times import HOUR, MINUTE

_LEAST_TOLERANCE = timedelta(seconds=30)
_MOST_TOLERANCE = timedelta(minutes=15)
# A year is the period of what has one occurrence left: only bounds are taken from it.
_NO_NEXT = timedelta(days=366)


def within(value: timedelta, least: timedelta, most: timedelta) -> timedelta:
    return min(max(value, least), most)


def period_at(times: Occurrences, occurrence: datetime) -> timedelta:
    """The time from an occurrence to the next one."""
    following = times.next(occurrence)
    return _NO_NEXT if following is None else following - occurrence


def grace_at(cron: Cron, times: Occurrences, occurrence: datetime) -> timedelta:
    """How long after an occurrence it is missed: given, or 10% of the period, 60 s to 1 h."""
    if cron.settings.grace_seconds is not None:
        return timedelta(seconds=cron.settings.grace_seconds)
    return within(period_at(times, occurrence) / 10, MINUTE, HOUR)


def drift_tolerance(grace: timedelta) -> timedelta:
    """How far from its occurrence a run may start: half the grace, 30 s to 15 min."""
    return within(grace / 2, _LEAST_TOLERANCE, _MOST_TOLERANCE)


def early_tolerance(times: Occurrences, occurrence: datetime) -> timedelta:
    """How long before an occurrence a signal may come for it: 10% of the period, at most 60 s."""
    return min(period_at(times, occurrence) / 10, MINUTE)


def tolerance_of(cron: Cron, occurrence: datetime | None = None) -> timedelta:
    """The drift tolerance at an occurrence, the expected one where none is given.

    The least one where there is neither, or no schedule.
    """
    at = occurrence or cron.expected_at
    times = None if at is None else occurrences_around(cron.settings, at)
    if times is None or at is None:
        return _LEAST_TOLERANCE
    return drift_tolerance(grace_at(cron, times, at))


def effective_grace(cron: Cron) -> timedelta | None:
    """The grace of the occurrence that is expected; None where none is."""
    times = occurrences(cron)
    if times is None or cron.expected_at is None:
        return None
    return grace_at(cron, times, cron.expected_at)


def overrun_at(cron: Cron, run: OpenRun) -> datetime | None:
    after = overrun_after_ms(cron.baseline, cron.settings.anomaly_factor)
    return None if after is None else run.seen_at + timedelta(milliseconds=after)


def timeout_at(cron: Cron, run: OpenRun) -> datetime | None:
    """Where it fell into a blackout, the cron's grace after that."""
    seconds = cron.settings.max_runtime_seconds
    if seconds is None:
        return None
    at = run.seen_at + timedelta(seconds=seconds)
    return _again(cron, at, effective_grace(cron) or MINUTE)


def missed_at(cron: Cron, occurrence: datetime, grace: timedelta) -> datetime:
    """When its grace is over; where that fell into a blackout, it gets its grace again."""
    return _again(cron, occurrence + grace, grace)


def _again(cron: Cron, deadline: datetime, grace: timedelta) -> datetime:
    return cron.blackout.until + grace if cron.blackout and cron.blackout.holds(deadline) else deadline


def reminder_at(cron: Cron) -> datetime | None:
    """When people are reminded of an incident that nobody has in hand."""
    seconds, incident = cron.settings.reminder_seconds, cron.incident
    if seconds is None or incident is None or incident.held or incident.acknowledged:
        return None
    return (incident.reminded_at or incident.opened_at) + timedelta(seconds=seconds)


def sum_up_at(cron: Cron) -> datetime | None:
    """When it is told what came of a cron that goes up and down."""
    told_at = cron.noise.flapping_announced_at
    return None if told_at is None else told_at + HOUR


def due_at(cron: Cron) -> datetime | None:
    """The one time at which somebody must look at this cron again; None: never, until it signals.

    A healthy cron signals before it comes.
    """
    if not cron.is_watched:
        return None
    deadlines = [_expectation_due(cron)]
    for run in cron.open_runs:
        deadlines.append(timeout_at(cron, run))
        if not run.overran:
            deadlines.append(_held(cron, overrun_at(cron, run)))
    if cron.incident is not None and cron.incident.held:
        deadlines.append(cron.held_until)
    deadlines += [_held(cron, reminder_at(cron)), sum_up_at(cron)]
    return min((deadline for deadline in deadlines if deadline is not None), default=None)


def _expectation_due(cron: Cron) -> datetime | None:
    times = occurrences(cron)
    if times is None or cron.expected_at is None:
        return None
    grace = grace_at(cron, times, cron.expected_at)
    over_at = missed_at(cron, cron.expected_at, grace)
    if cron.status is Status.DOWN:
        # It was told already: further misses are only counted, once an hour.
        return max(over_at, cron.looked_at + HOUR) if cron.looked_at else over_at
    if cron.late_alerted:
        return over_at
    late_at = _held(cron, cron.expected_at + drift_tolerance(grace))
    return over_at if late_at is None else min(late_at, over_at)


def _held(cron: Cron, deadline: datetime | None) -> datetime | None:
    """A deadline that is only told of waits for the end of maintenance."""
    if deadline is None or cron.held_until is None:
        return deadline
    return max(deadline, cron.held_until)
