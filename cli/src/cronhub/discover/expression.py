"""Cron expressions as Debian's cron, Kubernetes and GitHub read them, said so that CronHub reads the same."""

from __future__ import annotations

import re
from typing import NamedTuple

from cronhub.discover.job import NotUnderstood

NAMES = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_GO_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?")


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


class Dialect(NamedTuple):
    name: str
    #: `5/10` means from 5 on, each tenth.
    open_steps: bool = False
    #: `?` means `*`.
    question_mark: bool = False
    #: 7 is Sunday too.
    sunday_is_7: bool = True
    #: Whether `*/2` as a day counts as any day, so that the other day field alone decides.
    stepped_star_is_any: bool = True


CRON = Dialect("cron")
KUBERNETES = Dialect(
    "Kubernetes", open_steps=True, question_mark=True, sunday_is_7=False, stepped_star_is_any=False
)
GITHUB = Dialect("GitHub", open_steps=True)


def translated(expression: str, dialect: Dialect) -> str:
    """The same five fields for CronHub. Raises NotUnderstood."""
    texts = expression.split()
    if len(texts) != len(_FIELDS):
        raise NotUnderstood(f"{dialect.name} needs 5 fields, here are {len(texts)}")
    done = [_field(field, text, dialect) for field, text in zip(_FIELDS, texts)]
    if not dialect.stepped_star_is_any and not {"*", "?"} & {texts[2], texts[4]}:
        # Either day is enough there; to CronHub, as to cron, a field that begins with * would mean both.
        done[2], done[4] = _without_star(done[2], _FIELDS[2]), _without_star(done[4], _FIELDS[4])
    return " ".join(done)


def interval(text: str) -> str:
    """`@every` and a duration as Go writes it."""
    found = _GO_DURATION.fullmatch(text.strip())
    if not text.strip() or found is None:
        raise NotUnderstood(f"@every {text}: this is no duration such as 1h30m")
    total = round(sum(float(part or 0) * size for part, size in zip(found.groups(), (3600, 60, 1))))
    if total < 1:
        raise NotUnderstood(f"@every {text}: this is shorter than a second")
    parts = [(total // 3600, "h"), (total % 3600 // 60, "m"), (total % 60, "s")]
    return "@every " + "".join(f"{count}{unit}" for count, unit in parts if count)


def _field(field: _Field, text: str, dialect: Dialect) -> str:
    items = text.split(",")
    if not all(items):
        raise NotUnderstood(f"{field.name}: an item of the list is empty")
    return ",".join(_item(field, item, dialect) for item in items)


def _item(field: _Field, item: str, dialect: Dialect) -> str:
    span, slash, step = item.partition("/")
    is_star = span == "*" or (span == "?" and dialect.question_mark)
    if slash and (not step.isdecimal() or int(step) == 0):
        raise NotUnderstood(f"{field.name}: {item} has no step of 1 or more")
    if is_star:
        return "*" + slash + step
    if "~" in span:
        raise NotUnderstood(f"{field.name}: {item} is a time by chance")
    first_text, dash, last_text = span.partition("-")
    first = _number(field, first_text, dialect)
    if not dash:
        if not slash:
            return str(first)
        if not dialect.open_steps:
            raise NotUnderstood(f"{field.name}: a step needs * or a range before it, not {span}")
        # Sunday stands once.
        return f"{first}-{min(field.high, 6) if field.name == 'day of week' else field.high}/{step}"
    last = _number(field, last_text, dialect)
    if first > last:
        raise NotUnderstood(f"{field.name}: the range {span} runs backwards, so it never runs")
    return f"{first}-{last}{slash}{step}"


def _number(field: _Field, text: str, dialect: Dialect) -> int:
    if text.lower() in field.names:
        return field.low + field.names.index(text.lower())
    if not text.isascii() or not text.isdecimal():
        raise NotUnderstood(f"{field.name}: {text or '(nothing)'} is not a number")
    value, high = int(text), field.high
    if field.name == "day of week" and not dialect.sunday_is_7:
        high = 6
    if not field.low <= value <= high:
        raise NotUnderstood(f"{field.name}: {text} is not within {field.low}-{high}")
    return value


def _without_star(text: str, field: _Field) -> str:
    high = 6 if field.name == "day of week" else field.high
    return ",".join(re.sub(r"^\*", f"{field.low}-{high}", item) for item in text.split(","))
