"""The five fields of a cron expression, read as strictly as Debian's cron reads them.

Rules: crontab(5) and entry.c of Debian's cron 3.0pl1-162. Where that daemon silently drops what it
does not understand (`1.5`, `*5`) or takes a range that never runs (`22-2`), it is refused here.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

MAX_ITEMS = 64
MAX_STEP = 2**31 - 1  # cron keeps a step in a C int

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_LONGEST_MONTH = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}


class ScheduleError(ValueError):
    """A refused schedule; `str(error)` is one line for the user, naming the field and the rule."""


class CronFields(NamedTuple):
    """What a cron expression says. Each set is a sorted tuple without repeats; Sunday is 0.

    - days_and_weekdays: a day must be in both `days` and `weekdays`, rather than in either.
    - fixed: a job at fixed times of day, rather than one that runs by the real minutes (cron(8)).
    - text: the same sets in numbers, `a-b` and `*` only, which other readers of cron expressions
      take without surprise.
    """

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    days_and_weekdays: bool
    fixed: bool
    text: str


class _Field(NamedTuple):
    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 0, 7, _WEEKDAYS),
)


def parse_fields(expression: str) -> CronFields:
    """Read five fields that are parted by single blanks.

    Raises ScheduleError, naming the field, for anything else, and for a schedule that never fires.
    """
    texts = expression.split(" ")
    if len(texts) != len(_FIELDS):
        raise ScheduleError(f"a cron expression has 5 fields (no seconds, no year), this one has {len(texts)}")
    minute, hour, day, month, weekday = (_values(field, text) for field, text in zip(_FIELDS, texts, strict=True))
    both = texts[2].startswith("*") or texts[4].startswith("*")
    if both:
        _require_a_date(day, month)
    weekday = {value % 7 for value in weekday}
    return CronFields(
        minutes=tuple(sorted(minute)),
        hours=tuple(sorted(hour)),
        days=tuple(sorted(day)),
        months=tuple(sorted(month)),
        weekdays=tuple(sorted(weekday)),
        days_and_weekdays=both,
        fixed=not (texts[0].startswith("*") or texts[1].startswith("*")),
        text=_canonical((minute, hour, day, month, weekday), both),
    )


def _values(field: _Field, text: str) -> set[int]:
    items = text.split(",")
    if len(items) > MAX_ITEMS:
        raise ScheduleError(f"{field.name}: more than {MAX_ITEMS} items in a list")
    return {value for item in items for value in _item(field, item)}


def _item(field: _Field, item: str) -> range:
    if not item:
        raise ScheduleError(f"{field.name}: an item of the list is empty")
    span, slash, step_text = item.partition("/")
    step = _step(field, step_text) if slash else 1
    if span == "*":
        return range(field.low, field.high + 1, step)
    first_text, dash, last_text = span.partition("-")
    first = _number(field, first_text)
    if not dash:
        if slash:
            raise ScheduleError(f"{field.name}: a step needs * or a range before it, not {span}")
        return range(first, first + 1)
    last = _number(field, last_text)
    if first > last:
        raise ScheduleError(f"{field.name}: the range {span} runs backwards, so it never fires")
    return range(first, last + 1, step)


def _step(field: _Field, text: str) -> int:
    if not text.isdecimal():
        raise ScheduleError(f"{field.name}: the step {_shown(text)} is not a number")
    if int(text) == 0:
        raise ScheduleError(f"{field.name}: the step is 0, it must be 1 or more")
    if int(text) > MAX_STEP:
        raise ScheduleError(f"{field.name}: the step {_shown(text)} is too large")
    return int(text)


def _number(field: _Field, text: str) -> int:
    if text.lower() in field.names:
        return field.low + field.names.index(text.lower())
    if not text.isdecimal():
        names = f" or a name like {field.names[0].upper()}" if field.names else ""
        raise ScheduleError(f"{field.name}: {_shown(text)} is not a number{names}")
    if not field.low <= int(text) <= field.high:
        raise ScheduleError(f"{field.name}: {_shown(text)} is not within {field.low}-{field.high}")
    return int(text)


def _shown(text: str) -> str:
    """`text` for a message: short, and visible where it is empty."""
    return (text if len(text) <= 20 else f"{text[:20]}…") or "(nothing)"


def _require_a_date(days: set[int], months: set[int]) -> None:
    """Every date meets every weekday in time: only day and month can exclude each other."""
    if not any(min(days) <= _LONGEST_MONTH.get(month, 31) for month in months):
        raise ScheduleError(f"day of month: no month of this schedule has a day {min(days)}, so it never fires")


def _canonical(sets: tuple[set[int], ...], both: bool) -> str:
    texts = [
        "*" if len(values) == size else ",".join(_ranges(sorted(values)))
        for values, size in zip(sets, (60, 24, 31, 12, 7), strict=True)
    ]
    if not both and "*" in (texts[2], texts[4]):
        texts[2] = texts[4] = "*"  # any day, or some weekday: croniter would keep to the weekday
    return " ".join(texts)


def _ranges(values: list[int]) -> Iterator[str]:
    """[1, 2, 3, 7] as "1-3", "7"."""
    starts = [values[0], *(value for before, value in pairwise(values) if value != before + 1)]
    ends = [*(before for before, value in pairwise(values) if value != before + 1), values[-1]]
    for start, end in zip(starts, ends, strict=True):
        yield str(start) if start == end else f"{start}-{end}"
