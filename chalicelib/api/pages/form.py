"""What a form of a page sends: text, to be read by the types of the API."""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from chalice.app import Request

from chalicelib.api.pages.words import Words
from chalicelib.domain.errors import CronHubError, Invalid, Malformed, TooLarge

MOST_BYTES = 200 * 1024
_MOST_FIELDS = 2500
_SPAN = re.compile(r"(\d{1,9})\s*(s|m|min|h|d)?", re.IGNORECASE)
_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}


class Form:
    """The fields of a form, as they were sent; repeated ones in order."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._pairs = [(name, value.replace("\r\n", "\n")) for name, value in pairs]

    def __contains__(self, name: str) -> bool:
        return any(found == name for found, _ in self._pairs)

    def text(self, name: str) -> str:
        """The last value of a field without the space around it; "" where there is none."""
        values = self.all(name)
        return values[-1].strip() if values else ""

    def all(self, name: str) -> list[str]:
        return [value for found, value in self._pairs if found == name]

    def is_set(self, name: str) -> bool:
        """Whether a box is checked."""
        return self.text(name) != ""

    # What follows reads one field for a type of the API. What makes no sense stays text, so that the API's own
    # words say what is wrong with it.

    def optional(self, name: str) -> str | None:
        return self.text(name) or None

    def number(self, name: str) -> Any:
        """A number; None where the field is empty."""
        text = self.text(name)
        if re.fullmatch(r"-?\d{1,15}", text):
            return int(text)
        return float(text.replace(",", ".")) if re.fullmatch(r"-?\d{1,15}[.,]\d{1,6}", text) else text or None

    def seconds(self, name: str) -> Any:
        """A span such as `90`, `10m`, `2 h`, in seconds; None where the field is empty."""
        text = self.text(name)
        found = _SPAN.fullmatch(text)
        return int(found[1]) * _SECONDS[(found[2] or "s").lower()] if found else text or None

    def words(self, name: str) -> list[str]:
        """Words between commas or on lines of their own."""
        return [word.strip() for word in re.split(r"[,\n]", self.text(name)) if word.strip()]

    def values(self) -> dict[str, str]:
        """What was typed, to be shown again."""
        return dict(self._pairs)


def form_of(request: Request) -> Form:
    """Raises TooLarge, Malformed."""
    raw = request.raw_body
    data = raw.encode() if isinstance(raw, str) else raw or b""
    if len(data) > MOST_BYTES:
        raise TooLarge(f"the form is over {MOST_BYTES} bytes")
    try:
        return Form(parse_qsl(data.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except ValueError:
        raise Malformed("the form cannot be read") from None


def errors_by_field(error: Invalid) -> dict[str, str]:
    """The first error of each field; what is about a part of a field, such as `tags[2]`, is about the field."""
    found: dict[str, str] = {}
    for one in error.errors:
        found.setdefault(re.split(r"[.\[]", one.field)[0], one.message)
    return found


def without_prefix(error: CronHubError | None, prefix: str) -> CronHubError | None:
    """Where the API names `crons[0].schedule`, the form has `schedule`."""
    if not isinstance(error, Invalid):
        return error
    return Invalid(*(one._replace(field=one.field.removeprefix(prefix)) for one in error.errors))


def complaints(error: CronHubError | None, words: Words) -> dict[str, Any]:
    """What templates say of an error: beside the fields that it is about, else above the form."""
    if error is None:
        return {"errors": {}, "trouble": None}
    if isinstance(error, Invalid):
        return {"errors": errors_by_field(error), "trouble": None}
    said = words._(str(error))
    return {"errors": {}, "trouble": f"{said[:1].upper()}{said[1:]}."}


def span_text(seconds: float | None) -> str:
    """Seconds as a form shows them: `90s` as 90s, 600 as 10m."""
    if seconds is None:
        return ""
    whole = int(seconds)
    for unit in ("d", "h", "m"):
        if whole and whole % _SECONDS[unit] == 0:
            return f"{whole // _SECONDS[unit]}{unit}"
    return f"{whole}s"


def shown(values: Mapping[str, Any]) -> dict[str, str]:
    """Values as a form shows them."""
    return {name: "" if value is None else str(value) for name, value in values.items()}
