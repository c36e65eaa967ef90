"""Answers of the ping protocols: one line of plain text."""

from chalice.app import Response

from chalicelib.api.http.problem import told_of
from chalicelib.domain import errors
from chalicelib.domain.monitor.dependencies import Blocked
from chalicelib.domain.monitor.signal import MESSAGE_BYTES

MEDIA = "text/plain"
_HEADERS = {
    "Content-Type": "text/plain; charset=utf-8",
    "Access-Control-Allow-Origin": "*",
    "Ping-Body-Limit": str(MESSAGE_BYTES),
}


def text(status: int, line: str, headers: dict[str, str] | None = None) -> Response:
    return Response(line, {**_HEADERS, **(headers or {})}, status)


def failed(error: Exception) -> Response:
    told = told_of(error)
    headers = {name: value for name, value in told.headers.items() if name == "Retry-After"}
    return text(400 if told.kind.status == 422 else told.kind.status, _line(error, told.detail), headers)


def _line(error: Exception, detail: str) -> str:
    match error:
        case errors.NotFound():
            return "not found"
        case errors.Throttled():
            return "rate limited"
        case Blocked():
            return f"blocked: waits for {', '.join(one.name for one in error.blocked_by)}"
    return detail
