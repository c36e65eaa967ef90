"""Clients that are idle, slow or odd: others are answered at once, and they are told what is wrong."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from chalice import Chalice

from tests.local.serving import serving

# Without what is tested here, the next request waited for 141 s.
AT_ONCE_SECONDS = 5.0


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    app = Chalice(app_name="tiny", configure_logs=False)

    @app.route("/", methods=["GET", "POST", "HEAD"], content_types=["*/*"])
    def root() -> str:
        return "hello"

    with serving(app) as found:
        yield found


def connected(port: int) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), timeout=AT_ONCE_SECONDS)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def talk(port: int, *parts: bytes) -> bytes:
    """Sends these parts; returns all that comes until the server closes, or has nothing to say for a moment."""
    with connected(port) as client:
        client.settimeout(1.0)
        for part in parts:
            client.sendall(part)
            time.sleep(0.02)
        return received(client)


def received(client: socket.socket) -> bytes:
    got = b""
    try:
        while block := client.recv(65536):
            got += block
    except TimeoutError:
        pass
    return got


def is_closed(client: socket.socket) -> bool:
    try:
        return client.recv(65536) == b""
    except TimeoutError:
        return False
    except ConnectionResetError:
        return True


GET = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def assert_answered_at_once(port: int) -> None:
    began = time.monotonic()
    assert talk(port, GET).startswith(b"HTTP/1.1 200")
    assert time.monotonic() - began < AT_ONCE_SECONDS


def test_a_thousand_idle_connections_delay_nobody(port: int) -> None:
    with ExitStack() as stack:
        idle = [stack.enter_context(connected(port)) for _ in range(1000)]
        assert_answered_at_once(port)
        idle[0].sendall(GET)
        assert received(idle[0]).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "begun",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nslow",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsl",
    ],
)
def test_a_hundred_slow_ones_delay_nobody(port: int, begun: bytes) -> None:
    with ExitStack() as stack:
        for _ in range(100):
            stack.enter_context(connected(port)).sendall(begun)
        assert_answered_at_once(port)


@pytest.mark.parametrize(
    "headers", [b"Content-Length: 0\r\n", b"", b"Transfer-Encoding: chunked\r\n", b"Content-Length: 2\r\n"]
)
def test_who_expects_to_be_asked_for_the_body_is_answered(port: int, headers: bytes) -> None:
    body = {b"Transfer-Encoding: chunked\r\n": b"0\r\n\r\n", b"Content-Length: 2\r\n": b"hi"}.get(headers, b"")
    head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\n" + headers + b"\r\n"

    answer = talk(port, head, body)

    final = answer.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert final.startswith(b"HTTP/1.1 200"), answer


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET /\xff HTTP/1.1",
        b"GET /\x01 HTTP/1.1",
        b"G\xe9T / HTTP/1.1",
        b"GET / HTTP/\xff",
        b"\x16\x03\x01\x02",
        b"GET",
    ],
)
def test_a_request_line_with_raw_bytes_is_refused_in_words(port: int, request_line: bytes) -> None:
    answer = talk(port, request_line + b"\r\nHost: x\r\n\r\n")

    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.0 400")), answer


def test_two_lengths_for_one_body_close_the_connection(port: int) -> None:
    smuggled = (
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
    )
    with connected(port) as client:
        client.sendall(smuggled)
        answer = received(client)
        assert answer.count(b"HTTP/1.1") == 1, answer
        assert is_closed(client)
