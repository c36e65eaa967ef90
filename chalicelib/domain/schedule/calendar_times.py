"""The days and the times of day that a calendar expression of systemd names.

systemd leaves some of them out. `*:0/45` names minutes 0 and 45. After 23:45 systemd looks for minute 90,
which is 00:30 of the next day, and goes on from there: 00:00 never comes. Where only the next larger unit
changes, it starts that unit at its beginning: 13:90 becomes 14:00 (`tm_within_bounds` in systemd's
calendarspec.c). So values are left out at the start of a unit where a larger unit starts as well, and only if
systemd came there from the end of the one before.
"""

from bisect import bisect_left, bisect_right
from calendar import monthrange
from collections.abc import Iterable
from typing import NamedTuple, Self


class Occurring(NamedTuple):
    """The values of one unit, such as minutes."""

    #: In order.
    values: tuple[int, ...]
    #: After a carry from the end of the unit systemd goes on here, and leaves out what is smaller.
    carried_to: int = 0


class Days(NamedTuple):
    """Which days. The sets are sorted."""

    #: Monday is 0.
    weekdays: frozenset[int]
    years: tuple[int, ...]
    months: tuple[int, ...]
    #: Days of the month; where they count from its end, each with the step from there to the end, or 0.
    days: tuple[int, ...]
    from_end: tuple[tuple[int, int], ...] | None
    #: The first day of January after a December that matches.
    carried_to: int

    def of_month(self, year: int, month: int) -> list[int]:
        """The matching days of one month, in order."""
        if year not in self.years or month not in self.months:
            return []
        first, length = monthrange(year, month)
        found = [day for day in self.days if day <= length] if self.from_end is None else self._from_end(length)
        opening = self.carried_to if month == 1 and 12 in self.months and year - 1 in self.years else 1
        return [day for day in found if day >= opening and (first + day - 1) % 7 in self.weekdays]

    def _from_end(self, length: int) -> list[int]:
        assert self.from_end is not None
        found: set[int] = set()
        for back, step in self.from_end:
            if back <= length:
                start = length - back + 1
                found.update(range(start, length + 1, step) if step else (start,))
        return sorted(found)


class TimesOfDay(NamedTuple):
    hours: Occurring
    minutes: Occurring
    seconds: Occurring
    #: What is earlier on the day is left out.
    opening: int = 0
    #: The hours whose first seconds are left out, in order.
    cut_hours: tuple[int, ...] = ()

    @classmethod
    def of(cls, hours: Occurring, minutes: Occurring, seconds: Occurring) -> Self:
        """The times on a day after one that does not match."""
        cut = seconds.carried_to > seconds.values[0] and minutes.values[0] == 0 and minutes.values[-1] == 59
        cut_hours = tuple(hour for hour in hours.values if cut and hour - 1 in hours.values)
        return cls(hours, minutes, seconds, 0, cut_hours)

    def after_a_day(self) -> Self:
        """The times on a day after one that matches."""
        if self.hours.values[0] != 0 or self.hours.values[-1] != 23:
            return self
        if self.minutes.carried_to > self.minutes.values[0]:
            return self._replace(opening=self.minutes.carried_to * 60)
        if self.seconds.carried_to > self.seconds.values[0] and {0, 59} <= set(self.minutes.values):
            return self._replace(cut_hours=(0, *self.cut_hours))
        return self

    def after_a_month(self) -> Self:
        """The times on the first of a month, where the day before matches."""
        if self.hours.carried_to > self.hours.values[0]:
            return self._replace(opening=self.hours.carried_to * 3600)
        return self.after_a_day()

    def first(self, after: int) -> int | None:
        """The first second of the day from `after` on."""
        found = self._first(max(after, self.opening))
        if found is not None and self._is_cut(found):
            return self._first(found // 3600 * 3600 + self.seconds.carried_to)
        return found

    def last(self, until: int) -> int | None:
        """The last second of the day up to `until`."""
        found = self._last(until)
        if found is not None and self._is_cut(found):
            found = self._last(found // 3600 * 3600 - 1)
        return None if found is None or found < self.opening else found

    def count(self, until: int) -> int:
        """How many there are up to this second of the day."""
        if until < self.opening:
            return 0
        total = self._count(until) - (self._count(self.opening - 1) if self.opening else 0)
        for hour in self.cut_hours:
            if hour * 3600 <= until:
                total -= bisect_right(self.seconds.values, min(until - hour * 3600, self.seconds.carried_to - 1))
        return total

    def _is_cut(self, second: int) -> bool:
        return second // 3600 in self.cut_hours and second % 3600 < self.seconds.carried_to

    def _first(self, after: int) -> int | None:
        hours, minutes, seconds = self.hours.values, self.minutes.values, self.seconds.values
        hour, minute, second = after // 3600, after // 60 % 60, after % 60
        if hour in hours:
            if minute in minutes and (place := bisect_left(seconds, second)) < len(seconds):
                return hour * 3600 + minute * 60 + seconds[place]
            if (place := bisect_right(minutes, minute)) < len(minutes):
                return hour * 3600 + minutes[place] * 60 + seconds[0]
        if (place := bisect_right(hours, hour)) < len(hours):
            return hours[place] * 3600 + minutes[0] * 60 + seconds[0]
        return None

    def _last(self, until: int) -> int | None:
        count = self._count(until)
        if count == 0:
            return None
        rest, second = divmod(count - 1, len(self.seconds.values))
        hour, minute = divmod(rest, len(self.minutes.values))
        return self.hours.values[hour] * 3600 + self.minutes.values[minute] * 60 + self.seconds.values[second]

    def _count(self, until: int) -> int:
        """As if nothing were left out."""
        hours, minutes, seconds = self.hours.values, self.minutes.values, self.seconds.values
        hour, minute, second = until // 3600, until // 60 % 60, until % 60
        total = bisect_left(hours, hour) * len(minutes) * len(seconds)
        if hour in hours:
            total += bisect_left(minutes, minute) * len(seconds)
            if minute in minutes:
                total += bisect_right(seconds, second)
        return total


def first_beyond(steps: Iterable[tuple[int, int]], last: int) -> int | None:
    """The first value above `last` of the sequences that start here and go on by this step."""
    found = [start + step * ((last - start) // step + 1) for start, step in steps]
    return min(found) if found else None
