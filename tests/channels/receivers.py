"""Receivers that tests run on this machine, and what is sent to them."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any, NamedTuple

from chalicelib.channels.message import Message
from chalicelib.domain.alerts.channel import Channel, ChannelKind, Severity, severity_of

NOON = datetime(2026, 3, 10, 12, 0, 0, tzinfo=UTC)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Got(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Reply(NamedTuple):
    status: int = 200
    headers: Mapping[str, str] = MappingProxyType({})
    body: bytes = b""


class Receiver:
    """`url` leads to it; it answers the n-th request with the n-th reply, and then with the last, or
    with what `decide` says."""

    def __init__(self, server: ThreadingHTTPServer, got: list[Got], scheme: str) -> None:
        self.got = got
        self.port = server.server_address[1]
        self.url = f"{scheme}://127.0.0.1:{self.port}/hook/very-secret-path?token=very-secret-token"


@contextmanager
def receiver(
    *replies: Reply,
    decide: Callable[[Got], Reply] | None = None,
    wrap: Callable[[Any], Any] | None = None,
    scheme: str = "http",
) -> Iterator[Receiver]:
    got: list[Got] = []
    answers = replies or (Reply(),)

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked = Got(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            got.append(asked)
            reply = decide(asked) if decide else answers[min(len(got), len(answers)) - 1]
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            # Who asked may have been killed meanwhile.
            with suppress(BrokenPipeError, ConnectionResetError):
                self.wfile.write(reply.body)

        do_GET = do_POST = answer  # noqa: N815 - as the library calls them

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if wrap is not None:
        server.socket = wrap(server.socket)
    server.daemon_threads = True
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01), daemon=True)
    thread.start()
    try:
        yield Receiver(server, got, scheme)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def channel(url: str, kind: ChannelKind = ChannelKind.WEBHOOK, **more: Any) -> Channel:
    secrets = (SECRET,) if kind is ChannelKind.WEBHOOK else ()
    return Channel("0123456789ab", "c1", "Ops", kind, url, NOON, **{"secrets": secrets, **more})


def message(kind: str = "missed", **more: Any) -> Message:
    event = {"type": f"cron.{kind}", "timestamp": "2026-03-10T12:00:00Z", "data": {"title": "Größe ≥ 3"}}
    severity: Severity = severity_of(kind)
    made = Message("01jdelivery", kind, severity, "backup was missed", "It was due.\nIt did not run.", event, NOON)
    return made._replace(**more)
