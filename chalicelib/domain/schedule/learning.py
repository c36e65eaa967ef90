"""Which schedule a job seems to run on, from when it ran. Where two schedules would do, none is proposed.

A wrong schedule makes false alerts, so this waits until the runs themselves rule out every other one: daily is
not told from Monday to Friday before a Saturday is over.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import NamedTuple
from zoneinfo import ZoneInfo

from chalicelib.domain.schedule.schedule import CronSchedule, parse_schedule
from chalicelib.domain.times import DAY, HOUR, MINUTE

#: Of a job that ran this often nothing is said yet.
LEAST_RUNS = 4
_MOST_RUNS = 100
_EARLY = timedelta(seconds=5)
#: Runs this close to each other count as one.
_SAME = timedelta(seconds=2)
#: Of the occurrences, so many may be without a run: a host that was down once.
_MISSED_SHARE = 0.1
#: An interval is proposed for gaps that differ from their median by no more.
_STEADY_SHARE = 0.1
_LEAST_GAPS = 6
_CREEP_SECONDS = 3
_OFTEN = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)
_HOURS = (2, 3, 4, 6, 8, 12)
#: A zone is told from UTC only by runs on both sides of a change of clocks, so a few stand for many.
_ZONES = (
    "UTC",
    "Europe/London",
    "Europe/Paris",
    "Europe/Helsinki",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "America/Sao_Paulo",
    "Asia/Tokyo",
    "Australia/Sydney",
)


class ScheduleProposal(NamedTuple):
    schedule: str
    timezone: str
    #: How many runs it was learned from.
    runs: int


class _Candidate(NamedTuple):
    expression: str
    timezone: str
    #: How long after its time a run may begin.
    tolerance: timedelta
    #: How many runs it takes at least.
    least: int


def propose(times: Sequence[datetime], now: datetime) -> ScheduleProposal | None:
    """times: when runs began, in any order; the last 100 count. None while unsure."""
    ran = _apart(sorted(times)[-_MOST_RUNS:])
    if len(ran) < LEAST_RUNS:
        return None
    for zone in _ZONES:
        fitting = [one for one in _candidates(ran, zone) if _fits(one, ran, now)]
        if len(fitting) > 1 or any(len(ran) < one.least for one in fitting):
            return None
        if fitting:
            return ScheduleProposal(fitting[0].expression, zone, len(ran))
    return _interval(ran)


def _apart(ran: Sequence[datetime]) -> list[datetime]:
    found: list[datetime] = []
    for at in ran:
        if not found or at - found[-1] > _SAME:
            found.append(at)
    return found


def _candidates(ran: Sequence[datetime], zone: str) -> Iterator[_Candidate]:
    if zone == "UTC":
        yield from _often(ran)
    local = [(at + _EARLY).astimezone(ZoneInfo(zone)) for at in ran]
    yield from _at_a_time_of_day(local, zone)


def _often(ran: Sequence[datetime]) -> Iterator[_Candidate]:
    """Several times a day, as their usual gap suggests: whole minutes of an hour, or hours of a day."""
    gap = median(_gaps(ran)) / 60
    minutes = min(_OFTEN, key=lambda step: abs(gap - step))
    if abs(gap - minutes) <= minutes / 4:
        offset = min((at + _EARLY).minute % minutes for at in ran)
        first = f"*/{minutes}" if offset == 0 else f"{offset}-59/{minutes}"
        yield _Candidate("* * * * *" if minutes == 1 else f"{first} * * * *", "UTC", MINUTE * minutes / 3, 8)
    minute = _earliest([(at + _EARLY).minute for at in ran], 60)
    if abs(gap - 60) <= 15:
        yield _Candidate(f"{minute} * * * *", "UTC", 10 * MINUTE, 8)
    hours = min(_HOURS, key=lambda step: abs(gap - 60 * step))
    if abs(gap - 60 * hours) <= 15 * hours:
        offset = min((at + _EARLY).hour % hours for at in ran)
        span = f"*/{hours}" if offset == 0 else f"{offset}-23/{hours}"
        yield _Candidate(f"{minute} {span} * * *", "UTC", 15 * MINUTE, 8)


def _at_a_time_of_day(local: Sequence[datetime], zone: str) -> Iterator[_Candidate]:
    """Once a day at most, and always at about the same time of day."""
    time = _earliest([at.hour * 60 + at.minute for at in local], 24 * 60)
    late = max((at.hour * 60 + at.minute - time) % (24 * 60) for at in local)
    if late > 30:
        return
    at_time = f"{time % 60} {time // 60}"
    tolerance = HOUR / 2 + MINUTE
    days, dates = {at.isoweekday() % 7 for at in local}, {at.day for at in local}
    yield _Candidate(f"{at_time} * * *", zone, tolerance, 5)
    if days <= {1, 2, 3, 4, 5}:
        yield _Candidate(f"{at_time} * * 1-5", zone, tolerance, 5)
    if len(days) == 1:
        yield _Candidate(f"{at_time} * * {days.pop()}", zone, tolerance, 4)
    if len(dates) == 1:
        yield _Candidate(f"{at_time} {dates.pop()} * *", zone, tolerance, 4)


def _earliest(values: Sequence[int], cycle: int) -> int:
    """The first of these values on their circle: of 58, 59 and 0 minutes that is 58."""
    ordered = sorted(set(values))
    gaps = [(after - before) % cycle for before, after in zip([ordered[-1], *ordered], ordered, strict=False)]
    return ordered[gaps.index(max(gaps))] if len(ordered) > 1 else ordered[0]


def _fits(one: _Candidate, ran: Sequence[datetime], now: datetime) -> bool:
    """Whether every run has an occurrence of its own, and nearly every occurrence until now has a run."""
    schedule = parse_schedule(one.expression, one.timezone)
    assert isinstance(schedule, CronSchedule)
    met: list[datetime] = []
    for at in ran:
        occurrence = schedule.latest(at + _EARLY)
        if occurrence is None or at - occurrence > one.tolerance or occurrence in met[-1:]:
            return False
        met.append(occurrence)
    due = schedule.count(met[0] - MINUTE, max(now - one.tolerance, met[-1]))
    return due - len(met) <= due * _MISSED_SHARE and not _creeps(ran, met)


def _creeps(ran: Sequence[datetime], met: Sequence[datetime]) -> bool:
    """Whether it begins later and later: a loop that sleeps, which no cron started."""
    delays = [(at - occurrence).total_seconds() for at, occurrence in zip(ran, met, strict=True)]
    later = sum(after > before for before, after in pairwise(delays))
    return later >= 0.8 * (len(delays) - 1) and delays[-1] - delays[0] > _CREEP_SECONDS


def _interval(ran: Sequence[datetime]) -> ScheduleProposal | None:
    gaps = _gaps(ran)
    if len(gaps) < _LEAST_GAPS:
        return None
    usual = median(gaps)
    if any(abs(gap - usual) > usual * _STEADY_SHARE for gap in gaps) or usual >= DAY.total_seconds() * 300:
        return None
    unit = 60 if usual >= 600 else 5 if usual >= 30 else 1
    seconds = max(1, round(usual / unit) * unit)
    every = f"{seconds // 60}m" if seconds % 60 == 0 else f"{seconds}s"
    return ScheduleProposal(f"@every {every}", "UTC", len(ran))


def _gaps(ran: Sequence[datetime]) -> list[float]:
    return [(after - before).total_seconds() for before, after in pairwise(ran)]
