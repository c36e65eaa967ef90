"""API Gateway, played by a WSGI application: a request becomes the event that Lambda would get."""

import base64
import ipaddress
import json
import logging
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, unquote_to_bytes
from uuid import uuid4

from chalice.app import Chalice, Request
from chalice.config import Config
from chalice.local import LambdaEventConverter, LocalGateway, LocalGatewayException, RouteMatcher

from chalicelib.api.http.problem_types import BY_STATUS
from chalicelib.api.http.request import Call
from chalicelib.api.pages.errors import error_page
from chalicelib.api.routes import ROUTES
from chalicelib.services import clock
from infra.local.long_bodies import blocks, head_and_tail

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Event = dict[str, Any]
Headers = list[tuple[str, str]]
#: How many segments, and the first three where they are no parameters.
Shape = tuple[int, tuple[str, ...] | None]

MAX_BODY = 6 * 1024 * 1024
#: The routes that take a body of any size.
SIGNALS = frozenset(one.path for one in ROUTES if one.is_signal)
#: How our own server says what it dropped of a signal's body.
CUT_BYTES = "HTTP_X_CRONHUB_CUT_BYTES"
LAMBDA_TIMEOUT = 60
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile(r"[\0-\x20\x7f]")
_AUTHORITY = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")
# The server frames the answer itself (PEP 3333 forbids these to applications).
_FRAMING = {"connection", "content-length", "keep-alive", "transfer-encoding", "upgrade"}
_WITH_PAGE = (HTTPStatus.NOT_FOUND, HTTPStatus.BAD_REQUEST, HTTPStatus.INTERNAL_SERVER_ERROR)
_NO_BODY = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Headers
    body: bytes


@dataclass(eq=False)
class Problem(Exception):
    """Returns an answer of the gateway itself, without asking the app (RFC 9457)."""

    status: HTTPStatus
    detail: str
    headers: Headers = field(default_factory=list)

    def answer(self) -> Answer:
        document = {
            "type": BY_STATUS[self.status].url if self.status in BY_STATUS else "about:blank",
            "title": self.status.phrase,
            "status": self.status.value,
            "detail": self.detail,
        }
        headers = [
            ("Content-Type", "application/problem+json"),
            ("X-Content-Type-Options", "nosniff"),
            *self.headers,
        ]
        return Answer(self.status.value, headers, json.dumps(document).encode())


@dataclass(frozen=True)
class Route:
    template: str
    segments: tuple[str, ...]

    def captured(self, path: tuple[str, ...]) -> dict[str, str] | None:
        """The path's parameters, percent-encoded as API Gateway's REST APIs hand them on."""
        if len(path) != len(self.segments):
            return None
        captured = {}
        for given, wanted in zip(path, self.segments, strict=True):
            if wanted.startswith("{") and given:
                captured[wanted[1:-1]] = given
            elif given != wanted:
                return None
        return captured


class _PerThread(Chalice):
    """Chalice sets the request and its context on the app object itself, where threads would
    read each other's. Those two are all that a call writes to it (Chalice.__call__), so with
    them kept by thread the app may answer many requests at a time."""

    _of_this_thread = threading.local()

    @property
    def current_request(self) -> Any:
        return getattr(self._of_this_thread, "request", None)

    @current_request.setter
    def current_request(self, request: Any) -> None:
        self._of_this_thread.request = request

    @property
    def lambda_context(self) -> Any:
        return getattr(self._of_this_thread, "context", None)

    @lambda_context.setter
    def lambda_context(self, context: Any) -> None:
        self._of_this_thread.context = context


class _ReadyEvent(LambdaEventConverter):
    """Chalice's converter names every client 127.0.0.1 and loses repeated headers; ours is built
    beforehand, and comes in the place of the body."""

    def __init__(self) -> None:
        super().__init__(RouteMatcher([]))

    def create_lambda_event(self, *_request: object, body: Event, **_named: object) -> Event:  # type: ignore[override]
        return body


class Routes:
    """Which of these templates a path is. Of several, the one whose parameters come later."""

    def __init__(self, templates: Iterable[str]) -> None:
        routes = [Route(template, _segments(template)) for template in templates]
        self._by_shape: dict[Shape, list[Route]] = {}
        for route in sorted(routes, key=lambda route: [_is_parameter(segment) for segment in route.segments]):
            beginning = None if any(map(_is_parameter, route.segments[:3])) else route.segments[:3]
            self._by_shape.setdefault((len(route.segments), beginning), []).append(route)

    def find(self, path: str) -> tuple[Route, dict[str, str]] | None:
        segments = _segments(path)
        for beginning in (segments[:3], None):
            for route in self._by_shape.get((len(segments), beginning), ()):
                captured = route.captured(segments)
                if captured is not None:
                    return route, captured
        return None


class Gateway:
    """`app` as a WSGI application that many threads may call at a time."""

    def __init__(self, app: Chalice, *, trust_proxy: bool = False) -> None:
        if not isinstance(app, _PerThread):
            app.__class__ = type("ThreadedChalice", (_PerThread, app.__class__), {})
        self._app = app
        self._trust_proxy = trust_proxy
        self._lambda = LocalGateway(app, Config.create(lambda_timeout=LAMBDA_TIMEOUT))
        self._lambda.event_converter = _ReadyEvent()
        self._routes = Routes(app.routes)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        try:
            answer = self._answer(environ)
        except Problem as problem:
            answer = _as_page(environ, problem) or problem.answer()
        except Exception:
            log.exception("the app failed")
            answer = _as_page(environ, _failed()) or _failed().answer()
        return _send(answer, environ["REQUEST_METHOD"], start_response)

    def _answer(self, environ: "WSGIEnvironment") -> Answer:
        method = environ["REQUEST_METHOD"]
        path, query = _target(environ)
        route, captured = self._match(path)
        self._refuse_unknown_method(route.template, method)
        event = _event(environ, route.template, path, query, captured)
        event["requestContext"]["identity"]["sourceIp"] = self._client(environ)
        body, cut = _read_signal(environ) if route.template in SIGNALS else (_read_body(environ), 0)
        event["requestContext"]["cutBytes"] = cut
        event |= self._event_body(body, event["headers"].get("content-type", ""))
        return _rendered(self._call(method, path, event))

    def _match(self, path: str) -> tuple[Route, dict[str, str]]:
        found = self._routes.find(path)
        if found is None:
            raise Problem(HTTPStatus.NOT_FOUND, "There is nothing at this path.")
        return found

    def _refuse_unknown_method(self, template: str, method: str) -> None:
        entries = self._app.routes[template]
        preflight = method == "OPTIONS" and any(entry.cors for entry in entries.values())
        if method in entries or preflight:
            return
        allowed = ", ".join(sorted(entries))
        headers = [("Allow", allowed)]
        raise Problem(HTTPStatus.METHOD_NOT_ALLOWED, f"This path takes {allowed}.", headers)

    def _client(self, environ: "WSGIEnvironment") -> str:
        address = str(environ.get("REMOTE_ADDR", ""))
        if not self._trust_proxy:
            return address
        # The last address is the one that our own proxy saw; those before it are the client's word.
        nearest = str(environ.get("HTTP_X_FORWARDED_FOR", "")).rpartition(",")[2].strip()
        return nearest if _is_address(nearest) else address

    def _event_body(self, body: bytes, content_type: str) -> Event:
        if not body:
            return {"body": None, "isBase64Encoded": False}
        if content_type.partition(";")[0].strip().lower() not in self._app.api.binary_types:
            try:
                return {"body": body.decode("utf-8"), "isBase64Encoded": False}
            except UnicodeDecodeError:
                pass
        return {"body": base64.b64encode(body).decode("ascii"), "isBase64Encoded": True}

    def _call(self, method: str, path: str, event: Event) -> Event:
        try:
            response: Event = self._lambda.handle_request(method, path, event["headers"], event)  # type: ignore[arg-type]
        except LocalGatewayException as refusal:
            status = HTTPStatus(refusal.CODE)
            raise Problem(status, f"{status.phrase}.") from refusal
        if _is_chalice_failure(response):
            raise _failed()
        return response


def _as_page(environ: "WSGIEnvironment", problem: Problem) -> Answer | None:
    """What a browser is shown that asked for a page; None for all else."""
    path = str(environ.get("PATH_INFO", ""))
    wants_page = environ["REQUEST_METHOD"] in ("GET", "HEAD") and "text/html" in environ.get("HTTP_ACCEPT", "")
    if not wants_page or path.startswith("/api/") or problem.status not in _WITH_PAGE:
        return None
    # Quoted: what could not be decoded is not looked at again.
    sent = quote(path.encode("latin-1", "replace"), safe="/")
    event = _event(environ, sent, sent, str(environ.get("QUERY_STRING", "")), {})
    event |= {"body": None, "isBase64Encoded": False}
    page = error_page(Call(Request(event), clock.now()), problem.status.value)
    if page is None:
        return None
    headers = [(name, str(value)) for name, value in page.headers.items()]
    return Answer(problem.status.value, [*headers, *problem.headers], str(page.body).encode())


def _failed() -> Problem:
    return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong on our side.")


def _is_parameter(segment: str) -> bool:
    return segment.startswith("{")


def _segments(path: str) -> tuple[str, ...]:
    # API Gateway takes one trailing slash for none.
    return tuple((path.removesuffix("/") if path != "/" else path).split("/"))


def _target(environ: "WSGIEnvironment") -> tuple[str, str]:
    """The path as it was sent, and the query. PATH_INFO will not do: it is decoded already, so
    that an encoded slash in it looks like a real one."""
    sent = environ.get("REQUEST_URI") or environ.get("RAW_URI")
    if sent is None:
        decoded = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        path = quote(decoded.encode("latin-1"), safe="/:@!$&'()*+,;=~")
    else:
        path = _AUTHORITY.sub("", sent).partition("#")[0].partition("?")[0] or "/"
    _refuse_undecodable(path)
    return path, environ.get("QUERY_STRING", "")


def _refuse_undecodable(path: str) -> None:
    decoded = unquote_to_bytes(path.encode("latin-1"))
    try:
        decoded.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Problem(HTTPStatus.BAD_REQUEST, "The path is not UTF-8.") from error
    if _BAD_PERCENT.search(path) or _CONTROL.search(path) or b"\0" in decoded:
        raise Problem(HTTPStatus.BAD_REQUEST, "The path is not well encoded.")


def _event(environ: "WSGIEnvironment", template: str, path: str, query: str, captured: dict[str, str]) -> Event:
    headers = _request_headers(environ)
    text = query.encode("latin-1").decode("utf-8", "replace")
    parameters = parse_qs(text, keep_blank_values=True, errors="replace")
    return {
        "resource": template,
        "path": path,
        "httpMethod": environ["REQUEST_METHOD"],
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "pathParameters": captured or None,
        "queryStringParameters": {name: values[-1] for name, values in parameters.items()} or None,
        "multiValueQueryStringParameters": parameters or None,
        "stageVariables": None,
        "requestContext": {
            "httpMethod": environ["REQUEST_METHOD"],
            "resourcePath": template,
            "path": path,
            "stage": "local",
            "requestId": str(uuid4()),
            "identity": {"userAgent": headers.get("user-agent")},
        },
    }


def _request_headers(environ: "WSGIEnvironment") -> dict[str, str]:
    """WSGI servers have joined repeated headers with a comma already."""
    headers = {
        name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")
    }
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            headers[name.replace("_", "-").lower()] = environ[name]
    return headers


def _read_body(environ: "WSGIEnvironment") -> bytes:
    declared = _declared_length(environ)
    if declared is not None and declared > MAX_BODY:
        raise too_large()
    # Without a length only a server that ends the stream itself (chunked) may be read from.
    undeclared = MAX_BODY + 1 if environ.get("wsgi.input_terminated") else 0
    length = undeclared if declared is None else declared
    body: bytes = environ["wsgi.input"].read(length) if length else b""
    if len(body) > MAX_BODY:
        raise too_large()
    return body


def _read_signal(environ: "WSGIEnvironment") -> tuple[bytes, int]:
    """The beginning and the end of a body of any size, and how many bytes were dropped between them."""
    declared = _declared_length(environ)
    if declared is None and not environ.get("wsgi.input_terminated"):
        return b"", 0
    kept = head_and_tail(blocks(environ["wsgi.input"], declared))
    # Our own server drops the middle while it reads.
    dropped = str(environ.get(CUT_BYTES, ""))
    return kept.getfile().read(), kept.cut + (int(dropped) if re.fullmatch("[0-9]{1,15}", dropped) else 0)


def _declared_length(environ: "WSGIEnvironment") -> int | None:
    declared = environ.get("CONTENT_LENGTH") or ""
    if not declared:
        return None
    if not (declared.isascii() and declared.isdigit()):
        raise Problem(HTTPStatus.BAD_REQUEST, "The Content-Length is not a number.")
    return int(declared)


def too_large() -> Problem:
    return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body is over {MAX_BODY} bytes.")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_chalice_failure(response: Event) -> bool:
    """Chalice answers for a view that raised, in a form of its own."""
    if response["statusCode"] != HTTPStatus.INTERNAL_SERVER_ERROR:
        return False
    body = response["body"] or ""
    return isinstance(body, str) and body.startswith('{"Code":"InternalServerError"')


def _rendered(response: Event) -> Answer:
    body = response["body"] or b""
    if isinstance(body, str):
        body = body.encode("utf-8")
    if response.get("isBase64Encoded"):
        body = base64.b64decode(body)
    headers = [(name, str(value)) for name, value in response["headers"].items()]
    for name, values in response["multiValueHeaders"].items():
        headers += [(name, str(value)) for value in values]
    for name, value in headers:
        _refuse_unsendable(name + value)
    if body and not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", "application/json"))
    return Answer(response["statusCode"], headers, body)


def _refuse_unsendable(header: str) -> None:
    header.encode("latin-1")
    if any(character in header for character in "\r\n\0"):
        raise ValueError("a header of the answer holds a control character")


def _send(answer: Answer, method: str, start_response: "StartResponse") -> Iterable[bytes]:
    headers = [(name, value) for name, value in answer.headers if name.lower() not in _FRAMING]
    if answer.status not in _NO_BODY:
        headers.append(("Content-Length", str(len(answer.body))))
    start_response(f"{answer.status} {_phrase(answer.status)}", headers)
    return [] if method == "HEAD" or answer.status in _NO_BODY else [answer.body]


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
