"""systemd's OnCalendar, as systemd.time(7) defines it. CronHub takes it as it is."""

from __future__ import annotations

import re
from typing import NamedTuple

from cronhub.discover.job import NotUnderstood

_SHORTHANDS = frozenset(
    (
        *("minutely", "hourly", "daily", "weekly", "monthly", "quarterly", "yearly", "annually"),
        *("semiannually", "semi-annually", "biannually", "bi-annually"),
    )
)
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ITEM = re.compile(r"(\*|\d+)(?:\.\.(\d+))?(?:/(\d+))?")
_ZONE = re.compile(r"UTC|[A-Z][A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+)+|[A-Z]{3}|GMT|CET|EET|MET|WET|EST5EDT")


class Calendar(NamedTuple):
    """One OnCalendar expression: without its time zone, and that."""

    text: str
    timezone: str | None


class _Part(NamedTuple):
    name: str
    low: int
    high: int


_MONTH, _DAY, _HOUR = _Part("month", 1, 12), _Part("day", 1, 31), _Part("hour", 0, 23)
_MINUTE, _SECOND, _YEAR = _Part("minute", 0, 59), _Part("second", 0, 59), _Part("year", 1970, 2199)


def parse(text: str) -> Calendar:
    """Raises NotUnderstood where systemd would refuse it, and where it does not repeat."""
    words = text.split()
    if not words:
        raise NotUnderstood("the calendar expression is empty")
    zone = words.pop() if len(words) > 1 and _ZONE.fullmatch(words[-1]) and not _is_weekdays(words[-1]) else None
    found = Calendar(" ".join(words), zone)
    if len(words) == 1 and words[0].lower() in _SHORTHANDS:
        return found
    if _is_weekdays(words[0]):
        _check_weekdays(words.pop(0))
    if words and ":" not in words[0]:
        _check_date(words.pop(0))
    if words:
        _check_time(words.pop(0))
    if words:
        raise NotUnderstood(f"{' '.join(words)} is left over")
    return found


def merged(texts: list[str]) -> Calendar | None:
    """One expression for several that differ in one part, such as the hour; None: there is none.

    Raises NotUnderstood.
    """
    parsed = [parse(text) for text in texts]
    parts = [_parts(one) for one in parsed]
    differing = [place for place, found in enumerate(zip(*parts)) if len(set(found)) > 1]
    if len(differing) > 1:
        return None
    if not differing:
        return parsed[0]
    values = list(dict.fromkeys(part[differing[0]] for part in parts))
    # No mark and no zone is a list; what fits anything has none beside it; steps together differ from each alone.
    if differing[0] in (_MARK_PLACE, _ZONE_PLACE) or any(
        value == "" or set("*/") & set(value) for value in values
    ):
        return None
    whole = [*parts[0]]
    whole[differing[0]] = ",".join(values)
    weekdays, year, month, mark, day, hour, minute, second, zone = whole
    text = f"{weekdays} {year}-{month}{mark}{day} {hour}:{minute}:{second}".strip()
    return Calendar(text, zone or None)


_MARK_PLACE, _ZONE_PLACE = 3, 8
_WHOLE = {
    "minutely": "*-*-* *:*:00", "hourly": "*-*-* *:00:00", "daily": "*-*-* 00:00:00",
    "weekly": "Mon *-*-* 00:00:00",
    "monthly": "*-*-01 00:00:00", "quarterly": "*-01,04,07,10-01 00:00:00", "yearly": "*-01-01 00:00:00",
    "annually": "*-01-01 00:00:00", "semiannually": "*-01,07-01 00:00:00", "semi-annually": "*-01,07-01 00:00:00",
    "biannually": "*-01,07-01 00:00:00", "bi-annually": "*-01,07-01 00:00:00",
}  # fmt: skip


def _parts(one: Calendar) -> tuple[str, ...]:
    """Weekdays, year, month, the mark before the day, day, hour, minute, second, zone; the same for the same."""
    words = _WHOLE.get(one.text.lower(), one.text).split()
    weekdays = words.pop(0).rstrip(",").title() if words and _is_weekdays(words[0]) else ""
    date = words.pop(0) if words and ":" not in words[0] else "*-*-*"
    mark = "~" if "~" in date else "-"
    days = date.replace("~", "-").split("-")
    if len(days) == 2:
        days.insert(0, "*")
    times = (words.pop(0) if words else "00:00:00").split(":")
    if len(times) == 2:
        times.append("00")
    numbers = [re.sub(r"(?<![\d.])0+(?=\d)", "", part) for part in (*days, *times)]
    return (weekdays, *numbers[:2], mark, *numbers[2:], one.timezone or "")


def _is_weekdays(word: str) -> bool:
    return all(_weekday(part) is not None for part in re.split(r"\.\.|,|-", word.rstrip(",")) if part)


def _weekday(text: str) -> int | None:
    given = text.lower()
    for place, name in enumerate(_DAYS):
        if given in (name, name[:3]):
            return place
    return None


def _check_weekdays(word: str) -> None:
    for item in word.rstrip(",").split(","):
        ends = [_weekday(part) for part in re.split(r"\.\.|-", item)]
        first, last = ends[0], ends[-1]
        if first is None or last is None or len(ends) > 2:
            raise NotUnderstood(f"{item} is no weekday")
        if first > last:
            raise NotUnderstood(f"{item} runs backwards")


def _check_date(text: str) -> None:
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
        _check(_whole_years(year), _YEAR)
    _check(month, _MONTH)
    _check(re.sub(r"/\d+", "", day) if tilde else day, _DAY)


def _whole_years(text: str) -> str:
    """Two digits are a year from 1970 to 2069."""
    return re.sub(r"(?<!\d)\d\d(?!\d)", lambda found: str(2000 + int(found[0]) - 100 * (int(found[0]) > 69)), text)


def _check_time(text: str) -> None:
    parts = text.split(":")
    if len(parts) == 2:
        parts.append("00")
    if len(parts) != 3:
        raise NotUnderstood(f"{text} is no time")
    parts[2] = re.sub(r"\.0+(?!\d)", "", parts[2])
    for part, what in zip(parts, (_HOUR, _MINUTE, _SECOND)):
        _check(part, what)


def _check(text: str, part: _Part) -> None:
    for item in text.split(","):
        matched = _ITEM.fullmatch(item)
        if matched is None or (matched[1] == "*" and (matched[2] or matched[3])):
            raise NotUnderstood(f"{part.name}: {item or '(nothing)'} is not understood")
        _check_range(matched, part)


def _check_range(matched: re.Match[str], part: _Part) -> None:
    if matched[1] == "*":
        return
    first = int(matched[1])
    last = int(matched[2] or first)
    if not part.low <= first <= last <= part.high:
        raise NotUnderstood(f"{part.name}: {matched[0]} is not within {part.low}..{part.high}")
    step = int(matched[3] or 1)
    if step == 0 or (matched[3] and not matched[2] and first + step > part.high):
        raise NotUnderstood(f"{part.name}: {matched[0]} has no second value up to {part.high}")
