"""Pings over many connections at once, to CronHub or to any other server that takes a path."""

import random
import selectors
import socket
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

SECONDS = 5.0
_WORKERS = 2


class Load(NamedTuple):
    """What is pinged: paths of a server on this machine."""

    port: int
    paths: Sequence[str]
    #: False: the server closes after each answer.
    is_kept_open: bool = True


def ping(load: Load, connections: int) -> tuple[int, float]:
    """Pings for some seconds; returns how many were answered with 200, and in how many seconds."""
    load = load._replace(is_kept_open=_keeps_open(load))
    begin = time.monotonic()
    workers = min(connections, _WORKERS)
    shares = [connections // workers + (place < connections % workers) for place in range(workers)]
    with ProcessPoolExecutor(workers) as pool:
        answered = sum(pool.map(_ping_for_a_while, [load] * workers, shares))
    return answered, time.monotonic() - begin


class _Connection:
    """Sends each ping when the last was answered. Connects again if the server closes after each answer."""

    def __init__(self, load: Load, selector: selectors.BaseSelector) -> None:
        self.load = load
        self.selector = selector
        self.open()

    def open(self) -> None:
        self.socket = socket.create_connection(("127.0.0.1", self.load.port))
        self.selector.register(self.socket, selectors.EVENT_READ, self)
        self.send()

    def close(self) -> None:
        self.selector.unregister(self.socket)
        self.socket.close()

    def send(self) -> None:
        self.received = b""
        path = random.choice(self.load.paths)
        query = f"msg={random.getrandbits(48):x}"
        self.socket.sendall(f"POST {path}?{query} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())

    def receive(self) -> bool:
        """Returns whether an answer is complete; then the next ping is under way."""
        got = self.socket.recv(65536)
        assert got, "the server closed before it answered"
        self.received += got
        head, parted, body = self.received.partition(b"\r\n\r\n")
        if not parted or len(body) < _length(head.lower()):
            return False
        assert b" 200 " in head.partition(b"\r\n")[0], head.decode(errors="replace")
        if self.load.is_kept_open:
            self.send()
        else:
            self.close()
            self.open()
        return True


def _keeps_open(load: Load) -> bool:
    """Some servers close after each answer, and do not say so in it."""
    with selectors.DefaultSelector() as selector:
        one = _Connection(load, selector)
        while not one.received:
            selector.select()
            one.received = one.socket.recv(65536)
        one.socket.settimeout(0.5)
        try:
            while one.socket.recv(65536):
                pass
        except TimeoutError:
            return True
        finally:
            one.close()
        return False


def _length(head: bytes) -> int:
    return int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)


def _ping_for_a_while(load: Load, connections: int) -> int:
    end, answered = time.monotonic() + SECONDS, 0
    with selectors.DefaultSelector() as selector:
        all_of_them = [_Connection(load, selector) for _ in range(connections)]
        while time.monotonic() < end:
            answered += sum(key.data.receive() for key, _ in selector.select(1.0))
        for one in all_of_them:
            one.close()
    return answered
