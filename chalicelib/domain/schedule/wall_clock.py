"""Which wall times a cron expression names, on a calendar without a time zone.

A wall time is in seconds since 1970-01-01 00:00 of that same wall clock, always a whole minute.
"""

import threading
from bisect import bisect_left
from calendar import monthrange
from datetime import date

from croniter import CroniterBadDateError, croniter

from chalicelib.domain.schedule.expression import CronFields

MINUTE = 60
DAY = 86400

_MAX_WALKERS = 512
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_EVERY_SEVENTH_DAY = sum(1 << 7 * week for week in range(5))


class _Walkers(threading.local):
    """The croniters of one thread: one is costly to build, and it keeps its steps in itself."""

    def __init__(self) -> None:
        self.prepared: dict[tuple[str, bool], croniter] = {}

    def of(self, fields: CronFields) -> croniter:
        key = (fields.text, fields.days_and_weekdays)
        walker = self.prepared.get(key)
        if walker is None:
            if len(self.prepared) >= _MAX_WALKERS:
                self.prepared.clear()
            walker = croniter(fields.text, 0.0, day_or=not fields.days_and_weekdays)
            self.prepared[key] = walker
        return walker


_walkers = _Walkers()


def first_match(fields: CronFields, wall: int) -> int | None:
    """The first wall time >= `wall` that `fields` name; None if there is none within 50 years."""
    try:
        return int(_walkers.of(fields).get_next(float, start_time=float(wall - MINUTE)))
    except CroniterBadDateError:
        return None


def last_match(fields: CronFields, wall: int) -> int | None:
    """The last wall time <= `wall` that `fields` name; None if there is none within 50 years."""
    try:
        return int(_walkers.of(fields).get_prev(float, start_time=float(wall + MINUTE)))
    except CroniterBadDateError:
        return None


def count_matches(fields: CronFields, first: int, last: int) -> int:
    """How many wall times within [first, last] `fields` name; costs a few µs a month."""
    if first > last:
        return 0
    return _matches_before(fields, first, last + MINUTE) - _matches_before(fields, first, first)


def _matches_before(fields: CronFields, since: int, wall: int) -> int:
    """Matches from the midnight at or before `since` until just before `wall`."""
    day = wall // DAY
    whole_days = _count_days(fields, since // DAY, day)
    matches = whole_days * len(fields.hours) * len(fields.minutes)
    if _count_days(fields, day, day + 1):
        matches += _times_before(fields, wall % DAY // MINUTE)
    return matches


def _times_before(fields: CronFields, minute_of_day: int) -> int:
    hour, minute = divmod(minute_of_day, 60)
    times = bisect_left(fields.hours, hour) * len(fields.minutes)
    return times + (bisect_left(fields.minutes, minute) if hour in fields.hours else 0)


def _count_days(fields: CronFields, first: int, end: int) -> int:
    """How many days within [first, end), counted from 1970-01-01, the schedule fires on."""
    total = 0
    while first < end:
        day = date.fromordinal(_EPOCH_DAY + first)
        mask = _days_of_month(fields, day.year, day.month)
        here = min(end - first, monthrange(day.year, day.month)[1] - day.day + 1)
        total += (mask >> day.day & (1 << here) - 1).bit_count()
        first += here
    return total


def _days_of_month(fields: CronFields, year: int, month: int) -> int:
    """The days of this month the schedule fires on: bit 1 is the first."""
    if month not in fields.months:
        return 0
    first_weekday = (monthrange(year, month)[0] + 1) % 7  # of the 1st, Sunday is 0
    weekdays = sum(_EVERY_SEVENTH_DAY << 1 + (day - first_weekday) % 7 for day in fields.weekdays)
    days = sum(1 << day for day in fields.days)
    return days & weekdays if fields.days_and_weekdays else days | weekdays
