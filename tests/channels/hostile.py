"""Receivers that mean harm: they answer without end, or not at all."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_BLOCK = b"x" * 65536


@contextmanager
def endless(head: bytes, block: bytes = _BLOCK, pause: float = 0.0) -> Iterator[int]:
    """Answers every connection with a head and then the same block again and again; yields its port."""
    listening = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def answer(one: socket.socket) -> None:
        with one, suppress(OSError):
            if head.startswith(b"HTTP"):
                one.recv(65536)
            one.sendall(head)
            while not over.wait(pause):
                one.sendall(block)

    def serve() -> None:
        with suppress(OSError):
            while not over.is_set():
                one, _ = listening.accept()
                threading.Thread(target=answer, args=(one,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listening.getsockname()[1]
    finally:
        over.set()
        listening.close()


@contextmanager
def silent() -> Iterator[int]:
    """Takes connections and never answers; yields its port."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        yield listening.getsockname()[1]
