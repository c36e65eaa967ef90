"""systemd's calendar expressions (`OnCalendar=`), as systemd.time(7) defines them.

When clocks change, a time that is skipped is left out, and one that comes twice counts the first time only:
systemd-analyze 252 does the same: `tests/unit/test_calendar.py`. What it leaves out besides: `calendar_times.py`.
"""

import re
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from chalicelib.domain.schedule.calendar_times import Days, Occurring, TimesOfDay, first_beyond
from chalicelib.domain.schedule.expression import ScheduleError
from chalicelib.domain.schedule.utc_offsets import Stretch, stretch_at, zone_names
from chalicelib.domain.schedule.walk import epoch_seconds, listed, summed
from chalicelib.domain.times import EPOCH

_DAY = 86400
_FIRST_DAY = date(1970, 1, 1).toordinal()
_LAST_YEAR = 2199
_END = int((datetime(_LAST_YEAR + 1, 1, 1, tzinfo=UTC) - EPOCH).total_seconds())
SHORTHANDS = {
    "minutely": "*-*-* *:*:00",
    "hourly": "*-*-* *:00:00",
    "daily": "*-*-* 00:00:00",
    "weekly": "Mon *-*-* 00:00:00",
    "monthly": "*-*-01 00:00:00",
    "quarterly": "*-01,04,07,10-01 00:00:00",
    "semiannually": "*-01,07-01 00:00:00",
    "semi-annually": "*-01,07-01 00:00:00",
    "biannually": "*-01,07-01 00:00:00",
    "bi-annually": "*-01,07-01 00:00:00",
    "yearly": "*-01-01 00:00:00",
    "annually": "*-01-01 00:00:00",
}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ITEM = re.compile(r"(\*|[0-9]{1,4})(?:\.\.([0-9]{1,4}))?(?:/([0-9]{1,4}))?")
_MOST_WORDS = 4
#: The shortest month has so many days.
_MOST_FROM_END = 28


class _Part(NamedTuple):
    name: str
    low: int
    high: int


_YEAR, _MONTH, _MONTH_DAY = _Part("year", 1970, _LAST_YEAR), _Part("month", 1, 12), _Part("day", 1, 31)
_HOUR, _MINUTE, _SECOND = _Part("hour", 0, 23), _Part("minute", 0, 59), _Part("second", 0, 59)


class CalendarSchedule:
    """A calendar expression in a time zone. Datetimes are aware, and in UTC where they come out.

    Walls are wall clock times in seconds, counted as if the zone were UTC.
    """

    def __init__(self, expression: str, timezone: str, days: Days, times: TimesOfDay) -> None:
        self.expression = expression
        self.timezone = timezone
        self._days = days
        self._times = times
        #: The same for each day after a matching one, and for the first of a month after a matching day.
        self._following = times.after_a_day()
        self._following_month = times.after_a_month()

    def next(self, after: datetime) -> datetime | None:
        """The first occurrence after `after`."""
        at = max(epoch_seconds(after), -1)
        if at >= _END:
            return None
        stretch = stretch_at(self.timezone, max(at, 0))
        wall = max(_opening(stretch), at + stretch.offset + 1)
        while (match := self._first(wall)) is not None:
            if match < stretch.end + stretch.offset:
                return EPOCH + timedelta(seconds=match - stretch.offset)
            if stretch.end >= _END:
                return None
            stretch = stretch_at(self.timezone, stretch.end)
            wall = _opening(stretch)
        return None

    def latest(self, until: datetime) -> datetime | None:
        """The last occurrence at or before `until`."""
        at = min(epoch_seconds(until), _END - 1)
        if at < 0:
            return None
        stretch = stretch_at(self.timezone, at)
        wall = at + stretch.offset
        while (match := self._last(wall)) is not None:
            if match >= _opening(stretch):
                return EPOCH + timedelta(seconds=match - stretch.offset)
            if stretch.start <= 0:
                return None
            stretch = stretch_at(self.timezone, stretch.start - 1)
            wall = stretch.end + stretch.offset - 1
        return None

    def count(self, after: datetime, until: datetime) -> int:
        """How many occurrences there are in (after, until]."""
        first, last = max(epoch_seconds(after), -1), min(epoch_seconds(until), _END - 1)
        return summed(self.timezone, first, last, self._count_within)

    def between(self, after: datetime, until: datetime, limit: int) -> list[datetime]:
        """The first `limit` occurrences in (after, until], in order."""
        return listed(self.next, after, until, limit)

    def _count_within(self, stretch: Stretch, after: int, until: int) -> int:
        """Occurrences in (after, until] of one stretch."""
        return self._count(max(_opening(stretch), after + 1 + stretch.offset), until + stretch.offset)

    def _first(self, wall: int) -> int | None:
        day, second = divmod(wall, _DAY)
        found = self._day_from(day)
        if found == day:
            time = self._times_on(day).first(second)
            if time is not None:
                return day * _DAY + time
            found = self._day_from(day + 1)
        if found is None:
            return None
        first = self._times_on(found).first(0)
        return None if first is None else found * _DAY + first

    def _last(self, wall: int) -> int | None:
        day, second = divmod(wall, _DAY)
        found = self._day_until(day)
        if found == day:
            time = self._times_on(day).last(second)
            if time is not None:
                return day * _DAY + time
            found = self._day_until(day - 1)
        if found is None:
            return None
        last = self._times_on(found).last(_DAY - 1)
        return None if last is None else found * _DAY + last

    def _count(self, first: int, last: int) -> int:
        """Matching walls from `first` to `last`."""
        if last < first:
            return 0
        total, day = 0, self._day_from(first // _DAY)
        while day is not None and day * _DAY <= last:
            times = self._times_on(day)
            to = times.count(min(last - day * _DAY, _DAY - 1))
            before = times.count(first - day * _DAY - 1) if first > day * _DAY else 0
            total += to - before
            day = self._day_from(day + 1)
        return total

    def _times_on(self, day: int) -> TimesOfDay:
        if self._following_month is self._times:
            return self._times
        at = date.fromordinal(day + _FIRST_DAY)
        if self._day_until(day - 1) != day - 1:
            return self._times
        return self._following_month if at.day == 1 else self._following

    def _day_from(self, day: int) -> int | None:
        """The first matching day from this one on, counted from 1970."""
        at = date.fromordinal(max(day, 0) + _FIRST_DAY)
        year, month, earliest = at.year, at.month, at.day
        while year <= self._days.years[-1]:
            for found in self._days.of_month(year, month):
                if found >= earliest:
                    return date(year, month, found).toordinal() - _FIRST_DAY
            year, month = (year, month + 1) if month < 12 else (year + 1, 1)
            earliest = 1
        return None

    def _day_until(self, day: int) -> int | None:
        at = date.fromordinal(max(day, 0) + _FIRST_DAY)
        year, month, latest = at.year, at.month, at.day
        while year >= self._days.years[0]:
            for found in reversed(self._days.of_month(year, month)):
                if found <= latest:
                    return date(year, month, found).toordinal() - _FIRST_DAY
            year, month = (year, month - 1) if month > 1 else (year - 1, 12)
            latest = 31
        return None


def looks_like_calendar(text: str) -> bool:
    """Whether it is meant as one; a cron expression has five fields."""
    words = text.split()
    if not 1 <= len(words) <= _MOST_WORDS or text.startswith("@"):
        return False
    return words[0].lower() in SHORTHANDS or ":" in text or "-" in text or "~" in text or _is_weekdays(words[0])


def parse_calendar(text: str, timezone: str) -> CalendarSchedule:
    """A zone in the expression counts before `timezone`. Raises ScheduleError."""
    words = text.split()
    if len(words) > 1 and words[-1] in zone_names():
        timezone = words.pop()
    if len(words) == 1 and words[0].lower() in SHORTHANDS:
        words = SHORTHANDS[words[0].lower()].split()
    weekdays = _weekdays(words.pop(0)) if words and _is_weekdays(words[0]) else frozenset(range(7))
    day_text = words.pop(0) if words and ":" not in words[0] else "*-*-*"
    time_text = words.pop(0) if words else "00:00:00"
    if words:
        raise ScheduleError(f"{' '.join(words)[:20]}: is neither a date, a time nor an IANA time zone")
    schedule = CalendarSchedule(text, timezone, _days(day_text, weekdays), _times(time_text))
    if schedule.next(EPOCH - timedelta(seconds=1)) is None:
        raise ScheduleError("the calendar expression never fires")
    return schedule


def _is_weekdays(word: str) -> bool:
    return all(_weekday(part) is not None for part in re.split(r"\.\.|,|-", word.rstrip(",")))


def _weekday(text: str) -> int | None:
    given = text.lower()
    return next((place for place, name in enumerate(_WEEKDAYS) if given in (name, name[:3])), None)


def _weekdays(word: str) -> frozenset[int]:
    found: set[int] = set()
    for item in word.rstrip(",").split(","):
        ends = [_weekday(part) for part in re.split(r"\.\.|-", item)]
        first, last = ends[0], ends[-1]
        if first is None or last is None or len(ends) > 2 or first > last:
            raise ScheduleError(f"weekday: {item[:20]} is no weekday or range of weekdays")
        found.update(range(first, last + 1))
    return frozenset(found)


def _days(text: str, weekdays: frozenset[int]) -> Days:
    head, tilde, back = text.partition("~")
    parts = head.split("-") + ([back] if tilde else [])
    if len(parts) == 2:
        parts.insert(0, "*")
    if len(parts) != 3:
        raise ScheduleError(f"{text[:20]}: is no date")
    year, month, day = parts
    years = tuple(range(_YEAR.low, _YEAR.high + 1)) if year == "*" else _values(_whole_years(year), _YEAR).values
    months = _values(month, _MONTH).values
    if not tilde or day == "*":
        days = _values(day, _MONTH_DAY)
        return Days(weekdays, years, months, days.values, None, days.carried_to)
    from_end = _from_end(day)
    starts = [(_MONTH_DAY.high - back + 1, step) for back, step in from_end]
    last = max(start + (_MONTH_DAY.high - start) // step * step if step else start for start, step in starts)
    steps = [(start, step) for start, step in starts if step]
    return Days(weekdays, years, months, (), from_end, _carried_to(steps, last, _MONTH_DAY))


def _from_end(text: str) -> tuple[tuple[int, int], ...]:
    found = []
    for item in text.split(","):
        matched = _ITEM.fullmatch(item)
        if matched is None or matched[1] == "*" or matched[2]:
            raise ScheduleError(f"day: {item[:20]} is no day counted from the end of the month")
        day, step = int(matched[1]), int(matched[3] or 0)
        if not 1 <= day <= _MOST_FROM_END:
            raise ScheduleError(f"day: {item[:20]} is not within 1..{_MOST_FROM_END}, counted from the end")
        if step >= day:
            raise ScheduleError(f"day: {item[:20]} has no second day up to the end of the month")
        found.append((day, step))
    return tuple(found)


def _whole_years(text: str) -> str:
    """Two digits are a year from 1970 to 2069."""

    def whole(found: re.Match[str]) -> str:
        return str(int(found[0]) + (1900 if int(found[0]) > 69 else 2000))

    return re.sub(r"(?<![0-9/])[0-9]{2}(?![0-9])", whole, text)


def _times(text: str) -> TimesOfDay:
    parts = text.split(":")
    if len(parts) == 2:
        parts.append("0")
    if len(parts) != 3:
        raise ScheduleError(f"{text[:20]}: is no time of day")
    seconds = re.sub(r"\.0+(?![0-9])", "", parts[2])
    return TimesOfDay.of(_values(parts[0], _HOUR), _values(parts[1], _MINUTE), _values(seconds, _SECOND))


def _values(text: str, part: _Part) -> Occurring:
    found: set[int] = set()
    steps: list[tuple[int, int]] = []
    for item in text.split(","):
        matched = _ITEM.fullmatch(item)
        if matched is None or (matched[1] == "*" and text != "*"):
            raise ScheduleError(f"{part.name}: {item[:20] or '(nothing)'} is not understood")
        values = _range(matched, part)
        found.update(values)
        if matched[3] and not matched[2]:
            steps.append((values.start, values.step))
    return Occurring(tuple(sorted(found)), _carried_to(steps, max(found), part))


def _carried_to(steps: list[tuple[int, int]], last: int, part: _Part) -> int:
    """Where systemd goes on in the next unit after the last value of this one: see `calendar_times.py`."""
    # The unit is over with its last value. A second is not: systemd counts microseconds.
    if last == part.high and part is not _SECOND:
        return part.low
    beyond = first_beyond(steps, last)
    return part.low if beyond is None else beyond - (part.high - part.low + 1)


def _range(matched: re.Match[str], part: _Part) -> range:
    is_open = matched[1] == "*" or (matched[3] is not None and matched[2] is None)
    first = part.low if matched[1] == "*" else int(matched[1])
    last = part.high if is_open else int(matched[2] or first)
    if not part.low <= first <= last <= part.high:
        raise ScheduleError(f"{part.name}: {matched[0]} is not within {part.low}..{part.high}")
    step = int(matched[3] or 1)
    if step == 0:
        raise ScheduleError(f"{part.name}: the step is 0, it must be 1 or more")
    if matched[3] and is_open and first + step > part.high:
        raise ScheduleError(f"{part.name}: {matched[0]} has no second value up to {part.high}")
    return range(first, last + 1, step)


def _opening(stretch: Stretch) -> int:
    """The first wall that a stretch answers for: of a repeated hour, the stretch before."""
    return stretch.start + max(stretch.offset, stretch.offset_before)
