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


# After its sockets are shut, the work has this part of its time to say what came of it.
_GRACE = 0.05


class Deadline:
    """When the work must be over, and the sockets that end with it."""

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds
        self._sockets: list[socket.socket] = []
        self._handles: list[socket.socket] = []

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self._at

    def require_left(self) -> float:
        """How many seconds are left. Raises TimeoutError where there are none."""
        left = self._at - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def closes(self, one: socket.socket) -> None:
        self._sockets.append(one)

    def closes_connection_of(self, one: socket.socket) -> None:
        """Likewise for a socket that other code may wrap or hand on: by a handle of our own."""
        handle = one.dup()
        self._handles.append(handle)
        self.closes(handle)

    def release(self) -> None:
        """Closes the handles: the work is done."""
        for one in self._handles:
            one.close()

    def end(self) -> None:
        """Wakes every thread that waits on one of the sockets."""
        for one in list(self._sockets):
            with suppress(OSError):
                # The file descriptor's owner is another thread, which closes it when it wakes.
                socket.socket.shutdown(one, socket.SHUT_RDWR)


def within(seconds: float, work: Callable[[Deadline], T]) -> T:
    """Returns what the work returns, or raises what it raises; TimeoutError where it takes longer.

    It then goes on in a thread of its own, without its sockets, for which it gets a moment more.
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
        result, error = _late(results, seconds)
    if error is not None:
        raise error
    return result  # type: ignore[return-value] # None only where T has it


def _late(results: "SimpleQueue[tuple[T | None, BaseException | None]]", seconds: float) -> tuple[T | None, None]:
    """Returns what the work made of what it had when its sockets were shut. Raises TimeoutError."""
    with suppress(Empty):
        result, error = results.get(timeout=seconds * _GRACE)
        if error is None:
            return result, None
    raise TimeoutError(f"it took longer than {seconds:g} s")
