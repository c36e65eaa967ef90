"""Answers in JSON."""

import json
from datetime import datetime
from typing import Any

from chalice.app import Response


def json_response(status: int, body: Any, headers: dict[str, str] | None = None) -> Response:
    # A string, as Chalice would write `application/problem+json` as Python otherwise.
    text = "" if body is None else json.dumps(body, ensure_ascii=False, separators=(",", ":")) + "\n"
    return Response(text, {"Content-Type": "application/json", **(headers or {})}, status)


def instant(at: datetime | None) -> str | None:
    """ISO 8601 in UTC with `Z`; milliseconds only where there are any."""
    if at is None:
        return None
    text = at.isoformat(timespec="milliseconds" if at.microsecond else "seconds")
    return text.replace("+00:00", "Z")
