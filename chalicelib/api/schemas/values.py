"""The kinds of values that requests and answers hold: how each is checked, and what JSON Schema says of it."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import Annotated, Any, ClassVar, TypeAlias

from msgspec import Meta, Struct

from chalicelib.domain.accounts.origin import is_origin
from chalicelib.domain.errors import FieldError
from chalicelib.domain.ids import is_timed_id
from chalicelib.domain.schedule.schedule import ScheduleError, parse_schedule
from chalicelib.outbound.mail import is_address

LONGEST = timedelta(days=366)
LONGEST_SECONDS = int(LONGEST.total_seconds())
LONGEST_MS = LONGEST_SECONDS * 1000
MOST_LISTED = 1000
CONTROL = r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]"
# What cannot be seen or turns the text around it: with it one name can be made to look like another.
INVISIBLE = r"[\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
_NAME_LENGTH = 128
_LONE_SURROGATE = r"[\ud800-\udfff]"
_SLUG = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_CRON_SLUG = r"[a-z0-9_-]{1,100}(@[a-z0-9_-]{1,100})?"
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = "must be a time in ISO 8601 with a time zone, such as 2026-02-17T02:00:00Z"


class Request(Struct):
    """What a request holds. Unknown fields are refused by name."""

    #: A longer body is refused.
    MOST_BYTES: ClassVar[int] = 100 * 1024


class SignalRequest(Struct):
    """What a signal holds. Unknown fields are ignored, and named in the answer."""


class Answer(Struct):
    """What an answer holds."""


def fields_of(one: Struct) -> dict[str, Any]:
    """The fields of an answer that another answer holds as its own."""
    return {name: getattr(one, name) for name in one.__struct_fields__}


class Wrong(Exception):
    """A value that breaks its field's rules; the errors' fields are paths below it, such as `[3].name`."""

    def __init__(self, *errors: FieldError) -> None:
        super().__init__()
        self.errors = errors


def wrong(message: str) -> Wrong:
    return Wrong(FieldError("", message))


def text(most: int | None = None) -> Callable[[Any], str]:
    """A string that can be stored and sent: without lone surrogates."""

    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise wrong("must be a string")
        if re.search(_LONE_SURROGATE, value):
            raise wrong("must be valid Unicode (contains a lone surrogate)")
        if most is not None and len(value) > most:
            raise wrong(f"must be at most {most} characters")
        return value

    return check


_string = text()


def name(value: Any) -> str:
    found = _string(value)
    if not 1 <= len(found) <= _NAME_LENGTH:
        raise wrong(f"must be 1 to {_NAME_LENGTH} characters")
    if not found.strip():
        raise wrong("must not be blank")
    if re.search(CONTROL, found):
        raise wrong("must not contain control characters")
    hidden = re.search(INVISIBLE, found)
    if hidden:
        code = ord(hidden.group())
        raise wrong(f"must not contain invisible or direction-changing characters (U+{code:04X})")
    return found


def email(value: Any) -> str:
    found = _string(value)
    if not is_address(found):
        raise wrong("must be an e-mail address")
    return found


def slug(value: Any) -> str:
    found = _string(value)
    if not re.fullmatch(_SLUG, found):
        raise wrong("must be 1 to 63 of a-z, 0-9 and -, and start and end with a letter or digit")
    return found


def cron_slug(value: Any) -> str:
    found = _string(value)
    if not re.fullmatch(_CRON_SLUG, found):
        raise wrong("must be 1 to 100 of a-z, 0-9, - and _; an @ and an environment may follow")
    return found


def origin(value: Any) -> str:
    found = _string(value)
    if not is_origin(found):
        raise wrong("must be an origin such as https://example.com or http://localhost:8080, as browsers send it")
    return found


def whole(least: int | None, most: int | None, from_text: bool = False) -> Callable[[Any], int]:
    """A whole number; from_text: written as text, as in a query."""

    def check(value: Any) -> int:
        if from_text:
            if not re.fullmatch(r"-?[0-9]{1,20}", str(value)):
                raise wrong("must be a whole number")
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise wrong("must be a whole number")
        return int(_within(value, least, most))

    return check


def decimal(least: float | None, most: float | None) -> Callable[[Any], float]:
    def check(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise wrong("must be a number")
        # Compared before it is converted: a whole number may be too large for a float.
        return float(_within(value, least, most))

    return check


def _within(value: float, least: float | None, most: float | None) -> float:
    if (least is not None and value < least) or (most is not None and value > most):
        raise wrong(f"must be between {least} and {most}")
    return value


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise wrong("must be true or false")
    return value


def flag_text(value: Any) -> bool:
    if value not in ("true", "false"):
        raise wrong("must be true or false")
    return bool(value == "true")


def one_of(choices: type[Enum]) -> Callable[[Any], Any]:
    known = {choice.value: choice for choice in choices}

    def check(value: Any) -> Any:
        found = known.get(_string(value))
        if found is None:
            raise wrong(f"must be one of {', '.join(known)}")
        return found

    return check


def instant(value: Any) -> datetime:
    """A time in ISO 8601 with a zone, as an aware UTC datetime in whole milliseconds."""
    if not isinstance(value, str) or len(value) > 64:
        raise wrong(_TIME)
    try:
        # In a query, an unescaped + arrives as a blank.
        at = datetime.fromisoformat(value.strip().replace(" ", "+" if "T" in value else "T"))
        if at.tzinfo is None:
            raise wrong(_TIME)
        at = at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise wrong(_TIME) from None
    if not 1970 <= at.year <= 2899:
        raise wrong("must be within the years 1970 to 2899")
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
    return _scheduled(_string(value), "UTC")


def timezone(value: Any) -> str:
    found = _string(value)
    _scheduled("@hourly", found)
    return found


def _scheduled(expression: str, zone: str) -> str:
    try:
        parse_schedule(expression, zone)
    except ScheduleError as error:
        raise wrong(str(error)) from None
    return expression


def cursor_of_ids(value: Any) -> str:
    found = _string(value)
    if not is_timed_id(found):
        raise wrong("is not a cursor of this list")
    return found


def checked(check: Callable[[Any], Any], **schema: Any) -> Meta:
    """A value with a check of its own; schema: what JSON Schema says of it."""
    return Meta(extra={"check": check}, extra_json_schema=schema)


Name: TypeAlias = Annotated[str, checked(name, minLength=1, maxLength=_NAME_LENGTH, pattern=r"\S")]
Slug: TypeAlias = Annotated[str, checked(slug, pattern=f"^{_SLUG}$")]
CronSlug: TypeAlias = Annotated[str, checked(cron_slug, pattern=f"^{_CRON_SLUG}$")]
Origin: TypeAlias = Annotated[str, checked(origin, maxLength=300)]
Email: TypeAlias = Annotated[str, checked(email, format="email")]
Schedule: TypeAlias = Annotated[str, checked(schedule, maxLength=160)]
Timezone: TypeAlias = Annotated[str, checked(timezone)]
Instant: TypeAlias = Annotated[datetime, Meta(tz=True, extra={"check": instant})]
Day: TypeAlias = Annotated[date, Meta(extra={"check": day})]
Cursor: TypeAlias = Annotated[str, checked(cursor_of_ids)]
Description: TypeAlias = Annotated[str, Meta(max_length=1000)]
Seconds: TypeAlias = Annotated[int, Meta(ge=0, le=LONGEST_SECONDS)]
SecondsFromOne: TypeAlias = Annotated[int, Meta(ge=1, le=LONGEST_SECONDS)]
Limit: TypeAlias = Annotated[int, Meta(ge=1, le=MOST_LISTED)]
