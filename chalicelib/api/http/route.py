"""A route: throttle, know the caller, read the request, call the handler, answer. Every error goes one way."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar, get_args, get_origin

from chalice.app import Chalice, Response
from msgspec import Struct

from chalicelib import telemetry
from chalicelib.api.http import cors
from chalicelib.api.http.answers import NoContent, WithStatus
from chalicelib.api.http.dialect import Dialect
from chalicelib.api.http.json import json_response
from chalicelib.api.http.problem import problem_of
from chalicelib.api.http.reading import read, read_leniently
from chalicelib.api.http.request import Call, Lenient, body_object, lenient_body
from chalicelib.domain.accounts.permissions import Action
from chalicelib.domain.errors import Invalid, NotFound
from chalicelib.services import access, clock
from chalicelib.services.throttle import Limit, network_of, throttle

H = TypeVar("H", bound=Callable[..., Any])

BINARY = ("application/x-sentry-envelope",)
_MANAGES_ACCESS = (Action.ADMIN, Action.OWN)


class Route(NamedTuple):
    """What is known of a route; `handler`'s annotations say the rest: its body, query and answers."""

    methods: tuple[str, ...]
    path: str
    handler: Callable[..., Any]
    #: What the caller's key must allow; None: no key is needed.
    action: Action | None
    #: True when the route also works without a key.
    public: bool
    #: Per address, of the calls without a key.
    limit: Limit | None
    #: The media type of an answer that is not JSON.
    produces: str | None
    #: Statuses of problems besides those that follow from the rest (OpenAPI).
    problems: tuple[int, ...]
    #: Whether the body is any text, such as a job's output.
    takes_text: bool
    #: What browsers are shown instead of a problem of status 404 or 422.
    browser_error: Callable[[Call], Response] | None
    #: How another monitor's clients send their key and read errors; None: as CronHub's own do.
    dialect: Dialect | None = None
    #: The statuses of a Response that is a success (OpenAPI).
    successes: tuple[int, ...] = (200,)
    #: The media type of a body that the handler reads itself (OpenAPI).
    accepts: str | None = None
    #: Whether it is a page for people, which is no part of the documented API.
    is_page: bool = False
    #: What it is called, where one handler has several routes; None: as its handler.
    own_name: str | None = None

    @property
    def name(self) -> str:
        return self.own_name or self.handler.__name__

    @property
    def is_signal(self) -> bool:
        """Whether no form of its body is refused."""
        return self.takes_text or get_origin(self.parameter("body")) is Lenient

    @property
    def shows_errors_as_pages(self) -> bool:
        """Whether people read it in a browser."""
        return self.is_page or self.produces == "text/html"

    @property
    def is_readable_elsewhere(self) -> bool:
        """Whether pages of sites that an org allows may read it."""
        return self.dialect is None and cors.is_readable(self.methods, self.path, self.action)

    def parameter(self, name: str) -> Any:
        """Returns the type of the handler's `body` or `query`; None where it has none."""
        return self.handler.__annotations__.get(name)


#: Every route that was declared so far. `chalicelib.api.routes` declares them all.
ROUTES: list[Route] = []


def route(
    method: str | tuple[str, ...],
    path: str,
    *,
    action: Action | None = None,
    public: bool = False,
    limit: Limit | None = None,
    produces: str | None = None,
    problems: tuple[int, ...] = (),
    takes_text: bool = False,
    browser_error: Callable[[Call], Response] | None = None,
    dialect: Dialect | None = None,
    successes: tuple[int, ...] = (200,),
    accepts: str | None = None,
    is_page: bool = False,
    name: str | None = None,
) -> Callable[[H], H]:
    """Declares a handler. It takes a Call, the path's parameters, and where it names them `body` and `query`.

    A `public` route with an `action` works without a key; a key that is sent must allow the action.
    """
    if action is None and not public:
        raise TypeError(f"{path}: say what its key must allow, or that it is public")

    def declare(handler: H) -> H:
        methods = (method,) if isinstance(method, str) else method
        ROUTES.append(
            Route(
                methods,
                path,
                handler,
                action,
                public,
                limit,
                produces,
                problems,
                takes_text,
                browser_error,
                dialect,
                successes,
                accepts,
                is_page,
                name,
            )
        )
        return handler

    return declare


def register_routes(app: Chalice, routes: Sequence[Route]) -> None:
    # Bodies that are no text: API Gateway would decode them as such.
    app.api.binary_types += [media for media in BINARY if any(one.accepts == media for one in routes)]
    for one in routes:
        _register(app, one)


def _register(app: Chalice, one: Route) -> None:
    def view(**params: str) -> Response:
        return _answer(app, one, params)

    # Any type of body is let in here: `body_object` refuses the wrong ones with a problem.
    app.route(one.path, methods=list(one.methods), content_types=["*/*"], name=one.name)(view)
    if one.is_readable_elsewhere:
        app.route(one.path, methods=["OPTIONS"], content_types=["*/*"], name=f"{one.name}_options")(
            lambda **_: _guarded(*_preflight(app))
        )


def _preflight(app: Chalice) -> tuple[Call, Response]:
    assert app.current_request is not None
    call = Call(app.current_request, clock.now())
    return call, cors.preflight(call)


def _answer(app: Chalice, one: Route, params: dict[str, str]) -> Response:
    request = app.current_request
    assert request is not None
    # No other parameter of the path is logged: some are secrets.
    telemetry.note(
        request_id=getattr(app.lambda_context, "aws_request_id", None),
        method=request.method,
        route=one.path,
        cron_id=params.get("cron_id"),
    )
    call = Call(request, clock.now())
    try:
        call = _call(call, one, params)
        response = _response(one.handler(call, **params, **_read(call, one)))
    except Exception as error:
        response = _failed(call, one, error)
    if one.is_readable_elsewhere:
        cors.let_read(call, response)
    telemetry.write_line(function="api", status=response.status_code)
    return _guarded(call, response)


def _guarded(call: Call, response: Response) -> Response:
    """The answer, so that no browser guesses its type, and no cache keeps what is not for everybody.

    A route may let answers be kept (pages); answers to a request with a key, or with a session, never are. What is
    the same for everybody, such as a style, is kept by browsers that are signed in, too.
    """
    response.headers["X-Content-Type-Options"] = "nosniff"
    is_for_all = str(response.headers.get("Cache-Control", "")).startswith("public")
    if call.authorization or (call.request.headers.get("cookie") and not is_for_all):
        response.headers["Cache-Control"] = "no-store"
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _failed(call: Call, one: Route, error: Exception) -> Response:
    if one.browser_error is not None and call.from_browser and isinstance(error, Invalid | NotFound):
        return one.browser_error(call)
    if one.dialect is not None:
        return one.dialect.failed(error)
    found = problem_of(error)
    if one.shows_errors_as_pages and call.from_browser:
        from chalicelib.api.pages.errors import error_page

        return error_page(call, found.status_code) or found
    return found


def _call(call: Call, one: Route, params: Mapping[str, str]) -> Call:
    """The call with its key. Raises Throttled, Unauthenticated, Forbidden."""
    if one.dialect is not None and one.action is not None:
        return _call_of_dialect(call, one.dialect, one.action, params)
    keyed = one.action is not None and not (one.public and not call.authorization)
    if one.limit is not None and not keyed:
        throttle(one.limit, network_of(call.address), call.now)
    if one.action is None or not keyed:
        return call
    key = access.authenticate(call.authorization, call.now, afresh=one.action in _MANAGES_ACCESS)
    telemetry.note(org_id=key.org_id)
    access.require(key, one.action)
    return call._replace(given_key=key)


def _call_of_dialect(call: Call, dialect: Dialect, action: Action, params: Mapping[str, str]) -> Call:
    return with_key(call, dialect.key_of(call, params), action)


def with_key(call: Call, text: str, action: Action) -> Call:
    """The call with the key of this text. Raises Unauthenticated, Forbidden."""
    key = access.known_key(text, call.now)
    telemetry.note(org_id=key.org_id)
    access.require(key, action)
    return call._replace(given_key=key)


def _read(call: Call, one: Route) -> dict[str, Any]:
    """The handler's `body` and `query`. Raises TooLarge, UnsupportedMedia, Malformed, Invalid."""
    found: dict[str, Any] = {}
    query, body = one.parameter("query"), one.parameter("body")
    if query is not None:
        found["query"] = _read_query(call, query)
    if body is not None:
        found["body"] = _read_body(call, body)
    return found


def _read_query(call: Call, kind: Any) -> Any:
    if get_origin(kind) is Lenient:
        return Lenient(*read_leniently(get_args(kind)[0], call.query, from_text=True))
    return read(kind, call.query, from_text=True)


def _read_body(call: Call, kind: Any) -> Any:
    if get_origin(kind) is Lenient:
        return lenient_body(call.request, get_args(kind)[0])
    return read(kind, body_object(call.request, kind.MOST_BYTES))


def _response(answer: Any) -> Response:
    if isinstance(answer, Response):
        return answer
    if isinstance(answer, NoContent):
        return json_response(NoContent.status, None)
    if isinstance(answer, WithStatus):
        return json_response(answer.status, answer.body)
    assert isinstance(answer, Struct)
    return json_response(200, answer)
