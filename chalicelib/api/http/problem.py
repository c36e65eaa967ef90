"""Errors as answers: RFC 9457 problem details, made in this one place."""

import logging
from typing import NamedTuple

from chalice.app import Response
from msgspec import UNSET, UnsetType

from chalicelib.api.http.json import json_response
from chalicelib.api.http.problem_types import ProblemType
from chalicelib.api.schemas.problems import BlockerOut, Problem, WrongField
from chalicelib.domain import errors
from chalicelib.domain.monitor.dependencies import Blocked
from chalicelib.telemetry import measure

log = logging.getLogger("cronhub.api")

TYPES: dict[type[errors.CronHubError], ProblemType] = {
    errors.Malformed: ProblemType.MALFORMED,
    errors.Unauthenticated: ProblemType.UNAUTHENTICATED,
    errors.Forbidden: ProblemType.FORBIDDEN,
    errors.NotFound: ProblemType.NOT_FOUND,
    errors.Conflict: ProblemType.CONFLICT,
    Blocked: ProblemType.BLOCKED,
    errors.Gone: ProblemType.GONE,
    errors.TooLarge: ProblemType.TOO_LARGE,
    errors.UnsupportedMedia: ProblemType.UNSUPPORTED_MEDIA_TYPE,
    errors.Invalid: ProblemType.INVALID,
    errors.Throttled: ProblemType.THROTTLED,
    errors.Unavailable: ProblemType.UNAVAILABLE,
}


class Told(NamedTuple):
    """What the caller is told of an error, in whatever form."""

    kind: ProblemType
    detail: str
    headers: dict[str, str]
    error: Exception | None


def told_of(error: Exception) -> Told:
    """What is told of whatever a route raised. What was not foreseen is logged, and not told."""
    if isinstance(error, errors.ConcurrentUpdate):
        error = errors.Unavailable(errors.CHANGED_MEANWHILE)
    kind = TYPES.get(type(error)) if isinstance(error, errors.CronHubError) else None
    if kind is None:
        log.exception("a request failed", exc_info=error)
        return Told(ProblemType.INTERNAL_ERROR, "something went wrong on our side; it was logged", {}, None)
    if isinstance(error, errors.Throttled):
        measure("throttled")
    if isinstance(error, errors.Unavailable) and error.__cause__ is not None:
        # One line: the store's trouble is every request's, and its traceback says nothing of it.
        cause = error.__cause__
        log.warning("the store did not answer: %s", getattr(cause, "cause_response_message", None) or repr(cause))
    return Told(kind, str(error), _headers(error), error)


def problem_of(error: Exception) -> Response:
    """The answer to whatever a route raised."""
    return problem(*told_of(error))


def problem(
    kind: ProblemType, detail: str, headers: dict[str, str] | None = None, error: Exception | None = None
) -> Response:
    body = Problem(kind.url, kind.title, kind.status, detail, _wrong_fields(error), _blockers(error))
    return json_response(kind.status, body, {"Content-Type": "application/problem+json", **(headers or {})})


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
