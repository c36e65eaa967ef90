"""The API's process: waitress serving the sockets that the supervisor opened."""

import logging
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from copy import copy
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from waitress import create_server, wasyncore
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import BaseWSGIServer
from waitress.task import ErrorTask

from chalicelib.api.routes import ROUTES
from infra.local import listening, parent_watch
from infra.local.api_gateway import CUT_BYTES, MAX_BODY, SIGNALS, Gateway, Problem, Routes, too_large
from infra.local.log import loggable, say, use_as_logging_format
from infra.local.long_bodies import HeadAndTail

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_CUT_HEADER = CUT_BYTES.removeprefix("HTTP_")
_ROUTES = Routes(one.path for one in ROUTES)
THREADS = 8
# An idle connection costs little; one that is not accepted costs a job its signal.
MOST_CONNECTIONS = 8192
# Files that are not connections: the store, its queue, deliveries that are tried out.
_OTHER_FILES = 128
_FEW_CONNECTIONS = 32
_GOES_LAST_SECONDS = 0.0003
_MOST_PATIENCE_SECONDS = 0.002
_ACCEPTED_AT_ONCE = 64
DRAIN = 10.0


class AccessLog:
    """One short line a request, without its query."""

    def __init__(self, application: "WSGIApplication") -> None:
        self._application = application

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        began = time.perf_counter()
        status = "-"

        def noting(given: str, headers: list[tuple[str, str]], *rest: Any) -> Callable[[bytes], object]:
            nonlocal status
            status = given.partition(" ")[0]
            return start_response(given, headers, *rest)

        body = self._application(environ, noting)
        path = loggable(str(environ.get("REQUEST_URI", "")).partition("?")[0])
        milliseconds = (time.perf_counter() - began) * 1000
        say("api", f"{environ['REQUEST_METHOD']} {path} {status} {milliseconds:.0f} ms")
        return body


def _is_signal(path: str) -> bool:
    found = _ROUTES.find(path)
    return found is not None and found[0].template in SIGNALS


class _Parser(HTTPRequestParser):
    #: What is kept of a signal's body, which may be of any size.
    _kept: HeadAndTail | None = None
    adj: Any

    def received(self, data: bytes) -> int:
        consumed: int = super().received(data)
        # waitress asks for the body (100 Continue) also of a request that is refused, or that has none.
        if self.completed:
            self.expect_continue = False
        if self.completed and self._kept is not None:
            self.headers["CONTENT_LENGTH"] = str(len(self._kept))
            self.headers[_CUT_HEADER] = str(self._kept.cut)
        return consumed

    def parse_header(self, header_plus: bytes) -> None:
        try:
            super().parse_header(header_plus)
        except ValueError as error:
            # A target such as `http://[` would end the connection without an answer.
            raise ParsingError("Bad URI") from error
        self.headers.pop(_CUT_HEADER, None)
        if self.chunked and "CONTENT_LENGTH" in self.headers:
            # A server in front may have believed the other length: nothing after this is read (RFC 9112, 6.3).
            self.headers["CONNECTION"] = "close"
        if self.body_rcv is not None and _is_signal(self.path):
            self._kept = self.body_rcv.buf = HeadAndTail()
            unlimited = copy(self.adj)
            unlimited.max_request_body_size = sys.maxsize
            self.adj = unlimited


class _ProblemTask(ErrorTask):
    """The server's own refusals in the form of all others."""

    def execute(self) -> None:
        error = self.request.error
        status = HTTPStatus(error.code)
        large = status is HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        answer = (too_large() if large else Problem(status, f"{error.body}.")).answer()
        say("api", f"a request that is no good: {answer.status}")
        self.status = f"{answer.status} {status.phrase}"
        self.response_headers.extend(answer.headers)
        self.set_close_on_finish()
        self.content_length = len(answer.body)
        self.write(answer.body)


class _Channel(HTTPChannel):
    parser_class = _Parser
    error_task_class = _ProblemTask


def connections() -> int:
    """How many the system lets this process hold."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + _OTHER_FILES
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return max(allowed, soft) - _OTHER_FILES if soft < wanted else MOST_CONNECTIONS


def _accept_waiting(listener: BaseWSGIServer) -> None:
    """waitress takes one a turn, and each turn looks at all that it has: with many that takes too long.

    While it has few, it lets processes that have fewer go first: one core alone would serve what comes at once.
    """
    held = len(listener.active_channels)
    if held < _FEW_CONNECTIONS:
        time.sleep(min(held * _GOES_LAST_SECONDS, _MOST_PATIENCE_SECONDS))
    for _ in range(1 if held < _FEW_CONNECTIONS else _ACCEPTED_AT_ONCE):
        before = len(listener.active_channels)
        BaseWSGIServer.handle_accept(listener)
        if len(listener.active_channels) == before:
            return


class Server:
    def __init__(self, application: "WSGIApplication", sockets: list[socket.socket]) -> None:
        self._map: dict[int, Any] = {}
        self._stopping = False
        create_server(
            application,
            map=self._map,
            sockets=sockets,
            threads=THREADS,
            connection_limit=connections(),
            max_request_body_size=MAX_BODY + 1,
            # Which forwarded address counts is the gateway's to decide.
            clear_untrusted_proxy_headers=False,
            log_socket_errors=False,
            ident=None,
        )
        self._listeners = [each for each in self._map.values() if isinstance(each, BaseWSGIServer)]
        for listener in self._listeners:
            listener.channel_class = _Channel
            listener.handle_accept = partial(_accept_waiting, listener)

    def serve(self) -> None:
        while not self._stopping:
            self._turn()
        for listener in self._listeners:
            # Not its own close(), which also takes away what running requests wake the loop with.
            wasyncore.dispatcher.close(listener)
        deadline = time.monotonic() + DRAIN
        while self._is_busy() and time.monotonic() < deadline:
            self._turn(0.05)
        wasyncore.close_all(self._map)

    def stop(self, *_signal: object) -> None:
        self._stopping = True
        # The loop may have seen it by itself, and be gone.
        with suppress(OSError):
            self._listeners[0].pull_trigger()

    def _turn(self, timeout: float = 1.0) -> None:
        wasyncore.loop(timeout=timeout, use_poll=True, map=self._map, count=1)

    def _is_busy(self) -> bool:
        channels = [each for each in self._map.values() if isinstance(each, HTTPChannel)]
        return any(each.requests or each.request or each.total_outbufs_len for each in channels)


def main(arguments: list[str]) -> int:
    """arguments: the numbers of the sockets that the supervisor opened; alone it opens its own."""
    parent_watch.start_if_supervised()
    use_as_logging_format("api")
    logging.getLogger("waitress").setLevel(logging.ERROR)
    sockets = [socket.socket(fileno=int(each)) for each in arguments] or listening.listen(
        listening.wanted_address()
    )
    from app import app
    from infra.local.wsgi import application

    # Chalice's handler writes lines of another form.
    app.log.handlers.clear()
    app.log.propagate = True
    serve(application, sockets)
    return 0


def serve(application: Gateway, sockets: list[socket.socket]) -> None:
    server = Server(AccessLog(application), sockets)
    signal.signal(signal.SIGTERM, server.stop)
    server.serve()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
