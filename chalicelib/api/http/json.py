"""Answers in JSON."""

import json
from datetime import datetime
from typing import Any

import msgspec
from chalice.app import Response
from msgspec import Struct

from chalicelib.domain.times import iso_utc


def json_response(status: int, body: Struct | None, headers: dict[str, str] | None = None) -> Response:
    # A string, as Chalice would write `application/problem+json` as Python otherwise.
    text = "" if body is None else as_json(body)
    return Response(text, {"Content-Type": "application/json", **(headers or {})}, status)


def as_json(body: Struct) -> str:
    return text_of(body)


def text_of(body: Any) -> str:
    """The JSON of a struct, or of a list of them: some other monitors answer bare lists."""
    # msgspec writes microseconds; ours are milliseconds, and only where there are any.
    plain = msgspec.to_builtins(body, builtin_types=(datetime,))
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"), default=_instant) + "\n"


def _instant(value: Any) -> str:
    if not isinstance(value, datetime):
        raise TypeError(f"an answer holds a {type(value).__name__}")
    return iso_utc(value)
