"""systemd's OnCalendar, as systemd.time(7) defines it, said as a cron expression where that is the same."""

from __future__ import annotations

import re
from typing import NamedTuple

from cronhub.discover.job import NotUnderstood

_SHORTHANDS = {
    "minutely": "*-*-* *:*:00",
    "hourly": "*-*-* *:00:00",
    "daily": "*-*-* 00:00:00",
    "monthly": "*-*-01 00:00:00",
    "weekly": "Mon *-*-* 00:00:00",
    "yearly": "*-01-01 00:00:00",
    "annually": "*-01-01 00:00:00",
    "quarterly": "*-01,04,07,10-01 00:00:00",
    "semiannually": "*-01,07-01 00:00:00",
    "semi-annually": "*-01,07-01 00:00:00",
    "biannually": "*-01,07-01 00:00:00",
    "bi-annually": "*-01,07-01 00:00:00",
}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ITEM = re.compile(r"(\*|\d+)(?:\.\.(\d+))?(?:/(\d+))?")
_ZONE = re.compile(r"UTC|[A-Z][A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+)+|[A-Z]{3}|GMT|CET|EET|MET|WET|EST5EDT")


class Calendar(NamedTuple):
    """One OnCalendar expression."""

    #: Monday is 0; None: any.
    weekdays: tuple[int, ...] | None
    year: str
    month: str
    day: str
    #: Whether the day is counted from the end of the month.
    from_end: bool
    hour: str
    minute: str
    second: str
    timezone: str | None


class _Part(NamedTuple):
    name: str
    low: int
    high: int


_MONTH, _DAY, _HOUR = _Part("month", 1, 12), _Part("day", 1, 31), _Part("hour", 0, 23)
_MINUTE, _SECOND, _YEAR = _Part("minute", 0, 59), _Part("second", 0, 59), _Part("year", 1970, 2199)


def parse(text: str) -> Calendar:
    """Raises NotUnderstood where systemd would refuse it."""
    words = text.split()
    if not words:
        raise NotUnderstood("the calendar expression is empty")
    zone = words.pop() if len(words) > 1 and _ZONE.fullmatch(words[-1]) and not _is_weekdays(words[-1]) else None
    if len(words) == 1 and words[0].lower() in _SHORTHANDS:
        words = _SHORTHANDS[words[0].lower()].split()
    weekdays = _weekdays(words.pop(0)) if words and _is_weekdays(words[0]) else None
    date = words.pop(0) if words and ":" not in words[0] else "*-*-*"
    time = words.pop(0) if words else "00:00:00"
    if words:
        raise NotUnderstood(f"{' '.join(words)} is left over")
    year, month, day, from_end = _date(date)
    hour, minute, second = _time(time)
    return Calendar(weekdays, year, month, day, from_end, hour, minute, second, zone)


def as_cron(calendar: Calendar) -> str:
    """The cron expression that means the same. Raises NotUnderstood where there is none."""
    if calendar.from_end:
        raise NotUnderstood("days from the end of the month cannot be said as a cron expression")
    if calendar.year != "*":
        raise NotUnderstood("years cannot be said as a cron expression")
    if _values(calendar.second, _SECOND) != {0}:
        raise NotUnderstood("seconds cannot be said as a cron expression")
    if calendar.weekdays is not None and calendar.day != "*":
        raise NotUnderstood(
            "a weekday and a day of the month that must both fit cannot be said as a cron expression"
        )
    weekday = "*" if calendar.weekdays is None else ",".join(str((day + 1) % 7) for day in calendar.weekdays)
    return " ".join(
        (
            _field(calendar.minute, _MINUTE),
            _field(calendar.hour, _HOUR),
            _field(calendar.day, _DAY),
            _field(calendar.month, _MONTH),
            weekday,
        )
    )


def _is_weekdays(word: str) -> bool:
    return all(_weekday(part) is not None for part in re.split(r"\.\.|,|-", word.rstrip(",")) if part)


def _weekday(text: str) -> int | None:
    given = text.lower()
    for place, name in enumerate(_DAYS):
        if given in (name, name[:3]):
            return place
    return None


def _weekdays(word: str) -> tuple[int, ...]:
    found: set[int] = set()
    for item in word.rstrip(",").split(","):
        ends = [_weekday(part) for part in re.split(r"\.\.|-", item)]
        if None in ends or len(ends) > 2:
            raise NotUnderstood(f"{item} is no weekday")
        first, last = ends[0], ends[-1]
        assert first is not None
        assert last is not None
        if first > last:
            raise NotUnderstood(f"{item} runs backwards")
        found.update(range(first, last + 1))
    return tuple(sorted(found))


def _date(text: str) -> tuple[str, str, str, bool]:
    if text.startswith("@"):
        raise NotUnderstood("a single moment does not repeat")
    head, tilde, last = text.partition("~")
    parts = head.split("-") + ([last] if tilde else [])
    if len(parts) == 2:
        parts.insert(0, "*")
    if len(parts) != 3:
        raise NotUnderstood(f"{text} is no date")
    year, month, day = parts
    if year != "*":
        _values(_whole_years(year), _YEAR)
    _values(month, _MONTH)
    _values(day, _DAY)
    return year, month, day, bool(tilde)


def _whole_years(text: str) -> str:
    """Two digits are a year from 1970 to 2069."""
    return re.sub(r"(?<!\d)\d\d(?!\d)", lambda found: str(2000 + int(found[0]) - 100 * (int(found[0]) > 69)), text)


def _time(text: str) -> tuple[str, str, str]:
    parts = text.split(":")
    if len(parts) == 2:
        parts.append("00")
    if len(parts) != 3:
        raise NotUnderstood(f"{text} is no time")
    second = re.sub(r"\.0+(?!\d)", "", parts[2])
    for part, what in ((parts[0], _HOUR), (parts[1], _MINUTE), (second, _SECOND)):
        _values(part, what)
    return parts[0], parts[1], second


def _values(text: str, part: _Part) -> set[int]:
    found: set[int] = set()
    for item in text.split(","):
        matched = _ITEM.fullmatch(item)
        if matched is None:
            raise NotUnderstood(f"{part.name}: {item or '(nothing)'} is not understood")
        found.update(_range(matched, part))
    return found


def _range(matched: re.Match[str], part: _Part) -> range:
    first = part.low if matched[1] == "*" else int(matched[1])
    last = int(matched[2]) if matched[2] else (part.high if matched[1] == "*" or matched[3] else first)
    step = int(matched[3] or 1)
    if not part.low <= first <= last <= part.high or step == 0 or (matched[1] == "*" and matched[2]):
        raise NotUnderstood(f"{part.name}: {matched[0]} is not within {part.low}..{part.high}")
    return range(first, last + 1, step)


def _field(text: str, part: _Part) -> str:
    """As a field of cron: a star stays a star, everything else is numbers."""
    if text == "*":
        return "*"
    values = sorted(_values(text, part))
    if len(values) == part.high - part.low + 1:
        return "*"
    steps = {after - before for before, after in zip(values, values[1:])}
    if len(values) > 2 and len(steps) == 1:
        step = steps.pop()
        if values[0] == part.low and values[-1] + step > part.high:
            return f"*/{step}"
        return f"{values[0]}-{values[-1]}" + (f"/{step}" if step > 1 else "")
    return ",".join(map(str, values))
