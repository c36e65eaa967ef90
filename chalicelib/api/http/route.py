"""A route: throttle, know the caller, call the handler, answer; every error goes one way."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from chalice.app import Blueprint, Response

from chalicelib import telemetry
from chalicelib.api.http.json import json_response
from chalicelib.api.http.problem import problem_of
from chalicelib.api.http.request import Call
from chalicelib.domain.accounts.permissions import Action
from chalicelib.services import access, clock
from chalicelib.services.throttle import Limit, network_of, throttle

_MANAGES_ACCESS = (Action.ADMIN, Action.OWN)
# (status, body) for JSON, or what is no JSON as it is.
Handler = Callable[..., tuple[int, Any] | Response]


def route(
    blueprint: Blueprint,
    method: str | list[str],
    path: str,
    action: Action | None,
    limit: Limit | None = None,
) -> Callable[[Handler], Handler]:
    """Registers a handler that takes a Call and the path's parameters and gives (status, body).

    action: what the caller's key must allow; None: no key · limit: of this caller's address.
    """
    methods = [method] if isinstance(method, str) else method

    def register(handler: Handler) -> Handler:
        # Any type of body is let in here: `body_object` refuses the wrong ones with a problem.
        @blueprint.route(path, methods=methods, content_types=["*/*"])
        @wraps(handler)
        def view(**params: str) -> Response:
            request = blueprint.current_request
            # Of the path's parameters no other: some are secrets.
            telemetry.note(
                request_id=getattr(blueprint.lambda_context, "aws_request_id", None),
                method=request.method,
                route=path,
                cron_id=params.get("cron_id"),
            )
            try:
                call = _call(blueprint, action, limit)
                answer = handler(call, **params)
                response = answer if isinstance(answer, Response) else json_response(*answer)
            except Exception as error:
                response = problem_of(error)
            telemetry.write_line(function="api", status=response.status_code)
            return response

        return handler

    return register


def _call(blueprint: Blueprint, action: Action | None, limit: Limit | None) -> Call:
    call = Call(blueprint.current_request, clock.now())
    if limit is not None:
        throttle(limit, network_of(call.address), call.now)
    if action is None:
        return call
    key = access.authenticate(call.authorization, call.now, afresh=action in _MANAGES_ACCESS)
    telemetry.note(org_id=key.org_id)
    access.require(key, action)
    return Call(call.request, call.now, key)
