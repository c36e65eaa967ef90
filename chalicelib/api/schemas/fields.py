"""The kinds of values that requests hold, and `Shape`, which names every wrong one at once.

Our own, as the libraries for it cost 40 ms and more of a cold start, or stop at the first wrong field.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar

from chalicelib.domain.errors import FieldError, Invalid
from chalicelib.domain.schedule.schedule import ScheduleError, parse_schedule
from chalicelib.outbound.mail import is_address

LONGEST = timedelta(days=366)
LONGEST_SECONDS = int(LONGEST.total_seconds())
LONGEST_MS = LONGEST_SECONDS * 1000
_NAME_LENGTH = 128
_CONTROL = r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]"
_LONE_SURROGATE = r"[\ud800-\udfff]"
_SLUG = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_MOST_ERRORS = 100


class Wrong(Exception):
    """A value that breaks its field's rules; the errors' fields are paths below it, such as `[3].name`."""

    def __init__(self, *errors: FieldError) -> None:
        super().__init__()
        self.errors = errors


def wrong(message: str) -> Wrong:
    return Wrong(FieldError("", message))


Choice = TypeVar("Choice", bound=StrEnum)
# Takes a value as it was sent, gives it as the domain has it. Raises Wrong.
Check = Callable[[Any], Any]


class Field(NamedTuple):
    """A field of a shape. One that is not sent is left out, or has its default."""

    check: Check
    required: bool = False
    nullable: bool = False
    default: Any = ...

    def read(self, value: Any) -> Any:
        if value is not None:
            return self.check(value)
        if not self.nullable:
            raise wrong("must not be null")
        return None


def required(check: Check) -> Field:
    return Field(check, required=True)


def optional(check: Check, default: Any = ...) -> Field:
    return Field(check, default=default)


def nullable(check: Check) -> Field:
    """May be null as well as left out."""
    return Field(check, nullable=True)


class Shape:
    """A JSON object of known fields only; `lenient` lets others be."""

    def __init__(self, fields: dict[str, Field], *, lenient: bool = False) -> None:
        self.fields = fields
        self.lenient = lenient

    def __call__(self, given: Any) -> dict[str, Any]:
        """A shape is itself a check of a value."""
        if not isinstance(given, dict):
            raise wrong("must be an object")
        values: dict[str, Any] = {}
        errors: list[FieldError] = []
        for name, field in self.fields.items():
            if name in given:
                with errors_below(name, errors):
                    values[name] = field.read(given[name])
            elif field.required:
                errors.append(FieldError(name, "is required"))
            elif field.default is not ...:
                values[name] = field.default
        if not self.lenient:
            unknown = (name for name in given if name not in self.fields)
            errors.extend(FieldError(_printable(name), "is not a field of this request") for name in unknown)
        if errors:
            raise Wrong(*errors)
        return values


@contextmanager
def errors_below(path: str, errors: list[FieldError]) -> Iterator[None]:
    """Collects what is wrong, under its path."""
    try:
        yield
    except Wrong as bad:
        errors.extend(FieldError(_below(path, error.field), error.message) for error in bad.errors)


def _below(path: str, inner: str) -> str:
    return f"{path}.{inner}" if inner and not inner.startswith("[") else path + inner


def _printable(name: str) -> str:
    # What a caller made up as a field's name comes back to them: keep it short and clean.
    return re.sub(_CONTROL, "\ufffd", name)[:_NAME_LENGTH]


def load(shape: Shape, given: dict[str, Any]) -> dict[str, Any]:
    """The checked values. Raises Invalid with every wrong field, such as `crons[3].schedule`."""
    try:
        return shape(given)
    except Wrong as bad:
        raise Invalid(*bad.errors[:_MOST_ERRORS]) from None


def string(value: Any) -> str:
    """A string that can be stored and sent: no lone surrogates."""
    if not isinstance(value, str):
        raise wrong("must be a string")
    if re.search(_LONE_SURROGATE, value):
        raise wrong("holds half a character (a lone surrogate)")
    return value


def text(most: int) -> Check:
    def check(value: Any) -> str:
        found = string(value)
        if len(found) > most:
            raise wrong(f"must be at most {most} characters")
        return found

    return check


def name(value: Any) -> str:
    found = string(value)
    if not 1 <= len(found) <= _NAME_LENGTH:
        raise wrong(f"must be 1 to {_NAME_LENGTH} characters")
    if not found.strip():
        raise wrong("must not be blank")
    if re.search(_CONTROL, found):
        raise wrong("must not hold control characters")
    return found


def email(value: Any) -> str:
    found = string(value)
    if not is_address(found):
        raise wrong("must be an e-mail address")
    return found


def slug(value: Any) -> str:
    found = string(value)
    if not re.fullmatch(_SLUG, found):
        raise wrong("must be 1 to 63 of a-z, 0-9 and -, and begin and end with a letter or digit")
    return found


def whole(least: int, most: int) -> Check:
    """A whole number, given as a number."""

    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise wrong("must be a whole number")
        return int(_within(value, least, most))

    return check


def whole_text(least: int, most: int) -> Check:
    """A whole number in a query, so given as text."""
    check = whole(least, most)

    def check_text(value: Any) -> Any:
        if not re.fullmatch(r"-?[0-9]{1,20}", str(value)):
            raise wrong("must be a whole number")
        return check(int(value))

    return check_text


def decimal(least: float, most: float) -> Check:
    """A number, given as a number."""

    def check(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise wrong("must be a number")
        # Compared before it is converted: a whole number may be too large for a float.
        return float(_within(value, least, most))

    return check


def _within(value: float, least: float, most: float) -> float:
    if not least <= value <= most:
        raise wrong(f"must be within {least} and {most}")
    return value


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise wrong("must be true or false")
    return value


def one_of(choices: type[Choice]) -> Callable[[Any], Choice]:
    word = one_of_words([choice.value for choice in choices])
    return lambda value: choices(word(value))


def one_of_words(words: Iterable[str]) -> Callable[[Any], str]:
    known = list(words)

    def check(value: Any) -> str:
        found = string(value)
        if found not in known:
            raise wrong(f"must be one of {', '.join(known)}")
        return found

    return check


def list_of(check: Check, most: int) -> Check:
    def check_list(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise wrong("must be a list")
        if len(value) > most:
            raise wrong(f"must be at most {most} of them")
        found: list[Any] = []
        errors: list[FieldError] = []
        for place, item in enumerate(value):
            with errors_below(f"[{place}]", errors):
                found.append(check(item))
        if errors:
            raise Wrong(*errors)
        return found

    return check_list


def instant(value: Any) -> datetime:
    """A time in ISO 8601 with a zone, as an aware UTC datetime in whole milliseconds."""
    message = "must be a time in ISO 8601 with a zone, such as 2026-02-17T02:00:00Z"
    if not isinstance(value, str) or len(value) > 64:
        raise wrong(message)
    try:
        # In a query, an unescaped + arrives as a blank.
        at = datetime.fromisoformat(value.strip().replace(" ", "+" if "T" in value else "T"))
        if at.tzinfo is None:
            raise wrong(message)
        at = at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise wrong(message) from None
    if not 1970 <= at.year <= 2899:
        raise wrong("must be within the years 1970 and 2899")
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def day(value: Any) -> date:
    """A UTC day, such as 2026-02-17; or a time, for the day it is on."""
    if isinstance(value, str) and re.fullmatch(_DAY, value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise wrong("must be a day, such as 2026-02-17") from None
    return instant(value).date()


def schedule(value: Any) -> str:
    return _scheduled(string(value), "UTC")


def timezone(value: Any) -> str:
    found = string(value)
    _scheduled("@hourly", found)
    return found


def _scheduled(expression: str, zone: str) -> str:
    try:
        parse_schedule(expression, zone)
    except ScheduleError as error:
        raise wrong(str(error)) from None
    return expression
