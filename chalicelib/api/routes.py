"""A route: throttle, know the caller, call the handler, answer; every error goes one way."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from chalice.app import Blueprint, Response

from chalicelib.api.json_answers import json_response
from chalicelib.api.problem import problem_of
from chalicelib.api.requests import Call
from chalicelib.domain.access import Action
from chalicelib.services import access, clock
from chalicelib.services.throttle import Limit, throttle

Handler = Callable[..., tuple[int, Any]]


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
            try:
                call = _call(blueprint, action, limit)
                status, body = handler(call, **params)
                return json_response(status, body)
            except Exception as error:
                return problem_of(error)

        return handler

    return register


def _call(blueprint: Blueprint, action: Action | None, limit: Limit | None) -> Call:
    call = Call(blueprint.current_request, clock.now())
    if limit is not None:
        throttle(limit, call.address, call.now)
    if action is None:
        return call
    key = access.authenticate(call.authorization, call.now)
    access.require(key, action)
    return Call(call.request, call.now, key)
