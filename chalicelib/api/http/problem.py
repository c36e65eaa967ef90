"""Errors as answers: RFC 9457 problem details, made in this one place."""

import logging
from typing import Any

from chalice.app import Response

from chalicelib.api.http.json import json_response
from chalicelib.domain import errors
from chalicelib.domain.monitor.dependencies import Blocked
from chalicelib.store.errors import ConcurrentUpdate
from chalicelib.telemetry import measure

log = logging.getLogger("cronhub.api")

_TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    410: "Gone",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
_STATUSES: dict[type[errors.CronHubError], int] = {
    errors.Malformed: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    Blocked: 409,
    errors.Gone: 410,
    errors.TooLarge: 413,
    errors.UnsupportedMedia: 415,
    errors.Invalid: 422,
    errors.Throttled: 429,
    errors.Unavailable: 503,
}


def problem(status: int, detail: str, headers: dict[str, str] | None = None, **more: Any) -> Response:
    # `about:blank`: the title is that of the status, and nothing more is to be looked up.
    body = {"type": "about:blank", "title": _TITLES[status], "status": status, "detail": detail, **more}
    return json_response(status, body, {"Content-Type": "application/problem+json", **(headers or {})})


def problem_of(error: Exception) -> Response:
    """The answer to whatever a route raised; what nobody foresaw is logged, and not told."""
    if isinstance(error, ConcurrentUpdate):
        error = errors.Unavailable("somebody else writes this at the same moment; nothing was changed")
    status = _STATUSES.get(type(error)) if isinstance(error, errors.CronHubError) else None
    if status is None:
        log.exception("a request failed", exc_info=error)
        return problem(500, "something went wrong here; it was logged")
    more: dict[str, Any] = {}
    headers: dict[str, str] = {}
    if isinstance(error, errors.Invalid):
        more["errors"] = [{"field": one.field, "message": one.message} for one in error.errors]
    if isinstance(error, Blocked):
        more["blocked_by"] = [blocker._asdict() for blocker in error.blocked_by]
    if isinstance(error, errors.Throttled):
        measure("throttled")
    if isinstance(error, errors.Throttled | errors.Unavailable):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, errors.Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    return problem(status, str(error), headers, **more)
