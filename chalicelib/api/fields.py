"""The kinds of values that requests hold, and `load`, which names every wrong one at once."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields
from marshmallow.validate import Length, Range

from chalicelib.domain.errors import FieldError, Invalid
from chalicelib.domain.schedule import ScheduleError, parse_schedule

LONGEST = timedelta(days=366)
LONGEST_SECONDS = int(LONGEST.total_seconds())
LONGEST_MS = LONGEST_SECONDS * 1000
_NAME_LENGTH = 128
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]")
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")
_SLUG = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_MOST_ERRORS = 100

fields.Field.default_error_messages.update(
    {"required": "is required", "null": "must not be null", "validator_failed": "is not valid"}
)


class Shape(Schema):
    """A JSON object of known fields only."""

    class Meta:
        unknown = RAISE

    error_messages = {
        "unknown": "is not a field of this request",
        "type": "must be an object",
    }


def load(shape: Shape, given: dict[str, Any]) -> dict[str, Any]:
    """The checked values. Raises Invalid with every wrong field, such as `crons[3].schedule`."""
    try:
        loaded: dict[str, Any] = shape.load(given)
    except ValidationError as error:
        found = list(_flat(error.messages, ""))
        raise Invalid(*found[:_MOST_ERRORS]) from None
    return loaded


def _flat(messages: Any, path: str) -> Iterator[FieldError]:
    if isinstance(messages, dict):
        for name, inner in messages.items():
            yield from _flat(inner, _below(path, name))
    elif isinstance(messages, list):
        for message in messages:
            yield from _flat(message, path)
    else:
        yield FieldError(path or "body", str(messages))


def _below(path: str, name: Any) -> str:
    if name == "_schema":
        return path
    if isinstance(name, int):
        return f"{path}[{name}]"
    # What a caller made up as a field's name comes back to them: keep it short and clean.
    shown = _CONTROL.sub("\ufffd", str(name))[:_NAME_LENGTH]
    return f"{path}.{shown}" if path else shown


class Text(fields.String):
    """A string that can be stored and sent: no lone surrogates."""

    default_error_messages = {
        "invalid": "must be a string",
        "invalid_utf8": "must be a string",
    }

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> str:
        if not isinstance(value, str):
            raise self.make_error("invalid")
        if _LONE_SURROGATE.search(value):
            raise ValidationError("holds half a character (a lone surrogate)")
        return value


class Whole(fields.Integer):
    """A whole number, given as a number."""

    default_error_messages = {
        "invalid": "must be a whole number",
        "too_large": "is too large",
    }

    def __init__(self, least: int, most: int, **kwargs: Any) -> None:
        message = f"must be within {least} and {most}"
        super().__init__(strict=True, validate=Range(least, most, error=message), **kwargs)


class WholeText(Whole):
    """A whole number in a query, so given as text."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        if not re.fullmatch(r"-?[0-9]{1,20}", str(value)):
            raise self.make_error("invalid")
        return super()._deserialize(int(value), *args, **kwargs)


class Decimal(fields.Float):
    """A number, given as a number."""

    default_error_messages = {
        "invalid": "must be a number",
        "special": "must be a number",
        "too_large": "is too large",
    }

    def __init__(self, least: float, most: float, **kwargs: Any) -> None:
        message = f"must be within {least} and {most}"
        super().__init__(validate=Range(least, most, error=message), **kwargs)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.make_error("invalid")
        return super()._deserialize(value, *args, **kwargs)


class Flag(fields.Field[bool]):
    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("must be true or false")
        return value


class Instant(fields.Field[datetime]):
    """A time in ISO 8601 with a zone, as an aware UTC datetime in whole milliseconds."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> datetime:
        message = "must be a time in ISO 8601 with a zone, such as 2026-02-17T02:00:00Z"
        if not isinstance(value, str) or len(value) > 64:
            raise ValidationError(message)
        try:
            # In a query, an unescaped + arrives as a blank.
            at = datetime.fromisoformat(value.strip().replace(" ", "T" if value.count(":") < 3 else "+"))
            if at.tzinfo is None:
                raise ValidationError(message)
            at = at.astimezone(UTC)
        except (ValueError, OverflowError):
            raise ValidationError(message) from None
        if not 1970 <= at.year <= 2899:
            raise ValidationError("must be within the years 1970 and 2899")
        return at.replace(microsecond=at.microsecond // 1000 * 1000)


def plain(text: str) -> None:
    """Raises ValidationError for blank names and ones with control characters."""
    if not text.strip():
        raise ValidationError("must not be blank")
    if _CONTROL.search(text):
        raise ValidationError("must not hold control characters")


def name(**kwargs: Any) -> Text:
    limit = Length(1, _NAME_LENGTH, error=f"must be 1 to {_NAME_LENGTH} characters")
    return Text(validate=[limit, plain], **kwargs)


def text(most: int, **kwargs: Any) -> Text:
    return Text(validate=Length(0, most, error=f"must be at most {most} characters"), **kwargs)


def slug(value: str) -> None:
    if not _SLUG.fullmatch(value):
        raise ValidationError("must be 1 to 63 of a-z, 0-9 and -, and begin and end with a letter or digit")


def schedule(value: str) -> None:
    try:
        parse_schedule(value, "UTC")
    except ScheduleError as error:
        raise ValidationError(str(error)) from None


def timezone(value: str) -> None:
    try:
        parse_schedule("@hourly", value)
    except ScheduleError as error:
        raise ValidationError(str(error)) from None
