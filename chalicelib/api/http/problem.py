"""Errors as answers: RFC 9457 problem details, made in this one place."""

import logging

from chalice.app import Response
from msgspec import UNSET, UnsetType

from chalicelib.api.http.json import json_response
from chalicelib.api.schemas.problems import BlockerOut, Problem, WrongField
from chalicelib.domain import errors
from chalicelib.domain.monitor.dependencies import Blocked
from chalicelib.telemetry import measure

log = logging.getLogger("cronhub.api")

_TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict",
    410: "Gone",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
STATUSES: dict[type[errors.CronHubError], int] = {
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


def problem_of(error: Exception) -> Response:
    """The answer to whatever a route raised. What was not foreseen is logged, and not told."""
    if isinstance(error, errors.ConcurrentUpdate):
        error = errors.Unavailable(errors.CHANGED_MEANWHILE)
    status = STATUSES.get(type(error)) if isinstance(error, errors.CronHubError) else None
    if status is None:
        log.exception("a request failed", exc_info=error)
        return problem(500, "something went wrong on our side; it was logged")
    if isinstance(error, errors.Throttled):
        measure("throttled")
    return problem(status, str(error), _headers(error), error)


def problem(
    status: int, detail: str, headers: dict[str, str] | None = None, error: Exception | None = None
) -> Response:
    # `about:blank`: the title is that of the status, and there is nothing more to look up.
    body = Problem("about:blank", _TITLES[status], status, detail, _wrong_fields(error), _blockers(error))
    return json_response(status, body, {"Content-Type": "application/problem+json", **(headers or {})})


def _wrong_fields(error: Exception | None) -> tuple[WrongField, ...] | UnsetType:
    if not isinstance(error, errors.Invalid):
        return UNSET
    return tuple(WrongField(one.field, one.message) for one in error.errors)


def _blockers(error: Exception | None) -> tuple[BlockerOut, ...] | UnsetType:
    if not isinstance(error, Blocked):
        return UNSET
    return tuple(BlockerOut(one.id, one.name, one.reason.value) for one in error.blocked_by)


def _headers(error: Exception) -> dict[str, str]:
    if isinstance(error, errors.Throttled | errors.Unavailable):
        return {"Retry-After": str(error.retry_after)}
    if isinstance(error, errors.Unauthenticated):
        return {"WWW-Authenticate": "Bearer"}
    return {}
