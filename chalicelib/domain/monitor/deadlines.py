"""When a cron is late, missed, overrunning or timed out: one function per instant."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from chalicelib.domain.monitor.cron import Cron, OpenRun, Status
from chalicelib.domain.monitor.expectation import interval_of, occurrences_around
from chalicelib.domain.runs.anomaly import RUNS_BEFORE_JUDGING, overrun_after_ms
from chalicelib.domain.schedule.occurrences import Occurrences
from chalicelib.domain.times import DAY, HOUR, INSTANT, MILLISECOND, MINUTE

_LEAST_TOLERANCE = timedelta(seconds=30)
_MOST_TOLERANCE = timedelta(minutes=15)
# Bounds are taken from the period; a year stands for that of the last occurrence.
_NO_NEXT = timedelta(days=366)
_LIMIT_FACTOR = 3
# A run of a few milliseconds may well be delayed by some seconds on its way.
_LEAST_LIMIT = timedelta(seconds=30)
_LEAST_FIRST_LIMIT = HOUR
_LIMIT_WITHOUT_SCHEDULE = DAY
_BEYOND_HABIT = 1.25
#: A cron that keeps going down and up is steady again when it did neither for this long.
STEADY_AFTER = timedelta(minutes=10)


def within(value: timedelta, least: timedelta, most: timedelta) -> timedelta:
    return min(max(value, least), most)


def period_at(times: Occurrences, occurrence: datetime) -> timedelta:
    """Returns the time from an occurrence to the next one."""
    following = times.next(occurrence)
    return _NO_NEXT if following is None else following - occurrence


def grace_at(cron: Cron, times: Occurrences, occurrence: datetime) -> timedelta:
    """Returns how long after an occurrence it is missed: as set, or 10% of the period within 60 s and 1 h."""
    if cron.settings.grace_seconds is not None:
        return timedelta(seconds=cron.settings.grace_seconds)
    return within(period_at(times, occurrence) / 10, MINUTE, HOUR)


def grace_of(cron: Cron, occurrence: datetime | None) -> timedelta:
    """Returns the grace of an occurrence; without one, or without a schedule, as set or 1 h."""
    times = None if occurrence is None else occurrences_around(cron.settings, occurrence)
    if times is None or occurrence is None:
        seconds = cron.settings.grace_seconds
        return HOUR if seconds is None else timedelta(seconds=seconds)
    return grace_at(cron, times, occurrence)


def lateness_tolerance(grace: timedelta) -> timedelta:
    """Returns how long after its occurrence a run may start: half the grace, within 30 s and 15 min."""
    return within(grace / 2, _LEAST_TOLERANCE, _MOST_TOLERANCE)


def early_tolerance(times: Occurrences, occurrence: datetime) -> timedelta:
    """Returns how long before an occurrence a run may start for it, as clocks of hosts run a little fast.

    It is half the time since the occurrence before, at most 60 s.
    """
    before = times.latest(occurrence - INSTANT)
    if before is None:
        following = times.next(occurrence)
        return MINUTE if following is None else min((following - occurrence) / 2, MINUTE)
    return min((occurrence - before) / 2, MINUTE)


def tolerance_of(cron: Cron, occurrence: datetime | None = None) -> timedelta:
    """Returns the lateness tolerance of an occurrence, by default of the expected one.

    Without a schedule it is the least one.
    """
    at = occurrence or cron.expected_at
    if at is None or cron.settings.schedule is None:
        return _LEAST_TOLERANCE
    return lateness_tolerance(grace_of(cron, at))


def effective_grace(cron: Cron) -> timedelta | None:
    """Returns the grace of the expected occurrence; None where none is expected."""
    return None if cron.expected_at is None else grace_of(cron, cron.expected_at)


def late_at(cron: Cron, occurrence: datetime) -> datetime:
    """Returns when a run for this occurrence counts as late: its time plus the lateness tolerance."""
    return occurrence + tolerance_of(cron, occurrence)


def late_alert_at(cron: Cron, occurrence: datetime) -> datetime:
    """Returns when people are told that this occurrence is late: later than `late_at` for a job that often is.

    A job that begins late by habit, such as one with a random delay, must be later than in its last runs.
    """
    habit = max(cron.offsets_ms, default=0) * MILLISECOND
    if cron.last_run is not None and cron.last_run.unstarted:
        # It is heard only when a run ends.
        habit += max(cron.baseline.durations_ms, default=0) * MILLISECOND
    return max(late_at(cron, occurrence), occurrence + habit * _BEYOND_HABIT)


def missed_at(cron: Cron, occurrence: datetime) -> datetime:
    """Returns when this occurrence is missed: its time plus its grace.

    It is later where that fell into a blackout, or where the verdict on a dependency is still to come.
    """
    grace = grace_of(cron, occurrence)
    at = _after_blackout(cron, occurrence + grace, grace)
    return at if cron.waits_until is None else max(at, cron.waits_until)


def overrunning_at(cron: Cron, run: OpenRun) -> datetime | None:
    """Returns when a run counts as overrunning; None while too few durations are known.

    It is later for a run that was judged by the longest days of the last weeks.
    """
    after = overrun_after_ms(cron.baseline, cron.settings.anomaly_factor)
    if after is None:
        return None
    return run.seen_at + max(timedelta(milliseconds=after), run.overrun_after or timedelta())


def timeout_at(cron: Cron, run: OpenRun) -> datetime:
    """Returns when a run counts as failed because it never finished."""
    at = max_runtime_at(cron, run)
    if at is None:
        at = default_timeout_at(cron, run)
    return _after_blackout(cron, at, effective_grace(cron) or MINUTE)


def max_runtime_at(cron: Cron, run: OpenRun) -> datetime | None:
    """Returns when a run exceeds the maximum run time that is set; None where none is."""
    seconds = cron.settings.max_runtime_seconds
    return None if seconds is None else run.seen_at + timedelta(seconds=seconds)


def default_timeout_at(cron: Cron, run: OpenRun) -> datetime:
    """Returns when a run times out where no maximum run time is set.

    With 3 known durations that is after 3 × the longest, or after the grace if that is longer. Before, it is
    when the next occurrence is missed, at least after 1 h; without a schedule after 24 h.
    """
    known = cron.baseline.durations_ms
    if len(known) >= RUNS_BEFORE_JUDGING:
        return run.seen_at + max(limit_by(cron, run, known), run.limit or timedelta())
    following = _occurrence_after(cron, run)
    if following is None:
        return run.seen_at + _LIMIT_WITHOUT_SCHEDULE
    return max(following + grace_of(cron, following), run.seen_at + _LEAST_FIRST_LIMIT)


def limit_by(cron: Cron, run: OpenRun, durations_ms: Iterable[int]) -> timedelta:
    """Returns how long a run may take, judged by these durations of others."""
    longest = timedelta(milliseconds=max(durations_ms, default=0))
    return max(_LEAST_LIMIT, grace_of(cron, run.scheduled_at or cron.expected_at), _LIMIT_FACTOR * longest)


def _occurrence_after(cron: Cron, run: OpenRun) -> datetime | None:
    step = interval_of(cron.settings)
    if step is not None:
        return run.seen_at + step
    after = max(run.scheduled_at or run.seen_at, run.seen_at)
    times = occurrences_around(cron.settings, after)
    return None if times is None else times.next(after)


def _after_blackout(cron: Cron, deadline: datetime, grace: timedelta) -> datetime:
    """Returns a deadline; one that fell into a blackout gets its grace again."""
    return cron.blackout.until + grace if cron.blackout and cron.blackout.holds(deadline) else deadline


def reminder_at(cron: Cron) -> datetime | None:
    """Returns when people are reminded of an incident that nobody has acknowledged."""
    seconds, incident = cron.settings.reminder_seconds, cron.incident
    if seconds is None or incident is None or incident.held or incident.acknowledged:
        return None
    return (incident.reminded_at or incident.opened_at) + timedelta(seconds=seconds)


def steady_at(cron: Cron) -> datetime | None:
    """Returns when a cron that keeps going down and up counts as steady again."""
    noise = cron.noise
    if noise.flapping_announced_at is None or not noise.changes:
        return None
    return noise.changes[-1] + STEADY_AFTER


def sum_up_at(cron: Cron) -> datetime | None:
    """Returns when people are told again that a cron keeps going down and up."""
    announced_at = cron.noise.flapping_announced_at
    return None if announced_at is None else announced_at + HOUR


def due_at(cron: Cron) -> datetime | None:
    """Returns the earliest time at which the clock may change this cron; None: never, until it signals.

    A healthy cron signals before that time.
    """
    if not cron.is_watched:
        return None
    deadlines = [_expectation_due(cron)]
    for run in cron.open_runs:
        deadlines.append(timeout_at(cron, run))
        if not run.overran and run.holds_up:
            deadlines.append(_held(cron, overrunning_at(cron, run)))
    if cron.incident is not None and cron.incident.held:
        deadlines.append(cron.held_until)
    deadlines += [_held(cron, reminder_at(cron)), sum_up_at(cron), steady_at(cron)]
    return min((deadline for deadline in deadlines if deadline is not None), default=None)


def _expectation_due(cron: Cron) -> datetime | None:
    if cron.expected_at is None or cron.is_running:
        return None
    over_at = missed_at(cron, cron.expected_at)
    if cron.status is Status.DOWN:
        # People know already: further misses are only counted, once per hour.
        return max(over_at, cron.looked_at + HOUR) if cron.looked_at else over_at
    if cron.late_alerted:
        return over_at
    late = _held(cron, late_alert_at(cron, cron.expected_at))
    return over_at if late is None else min(late, over_at)


def _held(cron: Cron, deadline: datetime | None) -> datetime | None:
    """Returns a deadline that only leads to an alert: that waits for the end of maintenance."""
    if deadline is None or cron.held_until is None:
        return deadline
    return max(deadline, cron.held_until)
