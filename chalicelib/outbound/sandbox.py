"""Keeps other people's code that sends for us within what a message needs: the public internet.

What Apprise connects to is decided deep inside its services, by URL, by parameter and by redirect, so
checking the URL beforehand would miss some. Python tells audit hooks of every connection, file and
process as it is about to be: there it is refused, in the context that is confined and no other. (A
thread that is started from it has another: see `apprise_.py` on how it is kept to one.)
"""

import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, NamedTuple

from chalicelib import settings
from chalicelib.outbound.limits import MOST_BYTES_PER_CONNECTION, TooMuch
from chalicelib.outbound.public_addresses import why_not_public
from chalicelib.outbound.time_limit import Deadline


class NotAllowed(PermissionError):
    """An OSError, as libraries expect one where a connection or a file cannot be had."""


class _Confinement(NamedTuple):
    #: What was refused, in words.
    refused: list[str]
    deadline: Deadline | None


# None in a context that is not confined.
_confinement: ContextVar[_Confinement | None] = ContextVar("confinement", default=None)
_lock = threading.Lock()
_state = {"hooked": False}


@contextmanager
def confined(deadline: Deadline | None = None) -> Iterator[list[str]]:
    """In this context: no connection but to public addresses, none after the deadline, no more than a
    bound read from each, no file but the code's own, no other process or thread. Returns a list of what was
    refused (but for files), in words, which grows as it is."""
    _hook_once()
    found: list[str] = []
    token = _confinement.set(_Confinement(found, deadline))
    try:
        yield found
    finally:
        _confinement.reset(token)
        if deadline is not None:
            deadline.release()


def _hook_once() -> None:
    # A hook stays for as long as the process does, so there is one, made when it is first needed.
    with _lock:
        # Not first in the hook: it imports.
        _folders()
        if not _state["hooked"]:
            sys.addaudithook(_hook)
            # What `makefile` reads through, by which http.client, urllib3 and smtplib all read.
            socket.SocketIO = _BoundedSocketIO  # type: ignore[misc]
            _state["hooked"] = True


class _BoundedSocketIO(socket.SocketIO):
    """Reads, in a confined context, no more than a bound, and nothing after the deadline."""

    def __init__(self, sock: socket.socket, mode: Any) -> None:
        super().__init__(sock, mode)
        self._confinement = _confinement.get()
        self._left = MOST_BYTES_PER_CONNECTION

    def readinto(self, buffer: Any) -> int | None:
        if self._confinement is None:
            return super().readinto(buffer)
        if not self._left:
            raise TooMuch
        count = super().readinto(memoryview(buffer)[: self._left])
        self._left -= count or 0
        deadline = self._confinement.deadline
        if not count and deadline is not None and deadline.is_over:
            # It ended because we shut it: what came so far must not look like a whole answer.
            raise TimeoutError("its time was over")
        return count


def _hook(event: str, args: tuple[Any, ...]) -> None:
    confinement = _confinement.get()
    if confinement is None:
        return
    rule = _RULES.get(event)
    why = rule(args) if rule else None
    if why is not None:
        # Files are also asked for by the way (a .netrc), where it goes on without them.
        if event != "open":
            confinement.refused.append(why)
        raise NotAllowed(why)
    if event == "socket.connect" and confinement.deadline is not None:
        confinement.deadline.require_left()
        confinement.deadline.closes_connection_of(args[0])


def _why_no_connection(args: tuple[Any, ...]) -> str | None:
    address = args[1]
    if address is None:
        # Sent on a connection that was allowed.
        return None
    if not isinstance(address, tuple) or not address:
        return "leads to this machine itself"
    why = None if settings.allows_private_targets() else why_not_public(str(address[0]))
    return f"leads to an address that is not public but {why}" if why else None


def _why_no_file(args: tuple[Any, ...]) -> str | None:
    path = args[0]
    if isinstance(path, int):
        return None
    real = os.path.realpath(os.fsdecode(path))
    if real in _FILES or real.startswith(_folders()):
        return None
    return "asks for a file of this machine"


def _no_program(_args: tuple[Any, ...]) -> str:
    return "leads to a program of this machine"


_FILES = (os.devnull, "/etc/mime.types", "/etc/ssl/openssl.cnf")
_RULES: dict[str, Callable[[tuple[Any, ...]], str | None]] = {
    "socket.connect": _why_no_connection,
    "socket.sendto": _why_no_connection,
    "socket.sendmsg": _why_no_connection,
    "open": _why_no_file,
} | dict.fromkeys(
    (
        "subprocess.Popen",
        "os.system",
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.spawn",
        # Python 3.12 raises this event for a thread, 3.13 the next one, 3.11 neither.
        "_thread.start_new_thread",
        "_thread.start_joinable_thread",
        "syslog.openlog",
        "syslog.syslog",
    ),
    _no_program,
)


@cache
def _folders() -> tuple[str, ...]:
    """Where the code is: the standard library, and what is installed beside it."""
    import certifi

    libraries = os.path.dirname(os.path.dirname(certifi.__file__))
    return tuple(os.path.realpath(folder) + os.sep for folder in (os.path.dirname(os.__file__), libraries))
