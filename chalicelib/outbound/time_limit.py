"""Work on others' servers, ended in time.

A socket's own timeout bounds each wait, not their sum: a server that sends a byte now and then holds
a request for as long as it likes; and no timeout bounds the search for a name.
"""

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TypeVar

T = TypeVar("T")


class Deadline:
    """When the work must be over, and the sockets that end with it."""

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds
        self._sockets: list[socket.socket] = []

    def require_left(self) -> float:
        """How many seconds are left. Raises TimeoutError where there are none."""
        left = self._at - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def closes(self, one: socket.socket) -> None:
        self._sockets.append(one)

    def end(self) -> None:
        """Wakes every thread that waits on one of the sockets."""
        for one in self._sockets:
            with suppress(OSError):
                # The file descriptor's owner is another thread, which closes it when it wakes.
                socket.socket.shutdown(one, socket.SHUT_RDWR)


def within(seconds: float, work: Callable[[Deadline], T]) -> T:
    """Returns what the work returns, or raises what it raises; TimeoutError where it takes longer.

    It then goes on in a thread of its own, without its sockets.
    """
    deadline = Deadline(seconds)
    results: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()

    def run() -> None:
        try:
            results.put((work(deadline), None))
        except BaseException as error:
            # Raised again in the thread that waits.
            results.put((None, error))

    threading.Thread(target=run, daemon=True).start()
    try:
        result, error = results.get(timeout=seconds)
    except Empty:
        deadline.end()
        raise TimeoutError(f"it took longer than {seconds:g} s") from None
    if error is not None:
        raise error
    return result  # type: ignore[return-value] # None only where T has it
