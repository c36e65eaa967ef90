"""The address that CronHub listens on: HOST and PORT, loopback by default."""

import errno
import os
import socket
from typing import NamedTuple

LOOPBACK = "127.0.0.1"
BACKLOG = 1024
_ANY = ("0.0.0.0", "::")  # noqa: S104 - what it is compared with
_PORTS = 65536


class Refusal(Exception):
    """A reason not to start, for the user to read."""


class Address(NamedTuple):
    #: Empty: loopback, by IPv4 and IPv6.
    host: str
    port: int


def wanted_address() -> Address:
    """What HOST and PORT say. Raises Refusal."""
    text = os.environ.get("PORT", "4000")
    if not (text.isascii() and text.isdigit() and 0 < int(text) < _PORTS):
        raise Refusal(f"PORT={text} is not a port: PORT=4001 make run")
    return Address(os.environ.get("HOST", ""), int(text))


def listen(address: Address) -> list[socket.socket]:
    """Opens the port. The supervisor keeps it, so callers only wait while the API restarts. Raises Refusal."""
    sockets = []
    for family, host in _families(address.host):
        try:
            sockets.append(_listener(family, host, address.port))
        except OSError as error:
            # A machine without IPv6 is no reason to stop; a port that another server has is.
            if sockets and error.errno != errno.EADDRINUSE:
                continue
            raise Refusal(_reason(address, error)) from error
    return sockets


def _families(host: str) -> list[tuple[socket.AddressFamily, str]]:
    if not host:
        return [(socket.AF_INET, LOOPBACK), (socket.AF_INET6, "::1")]
    if host in _ANY:
        return [(socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")]  # noqa: S104 - asked for by HOST
    return [(socket.AF_INET6 if ":" in host else socket.AF_INET, host)]


def _reason(address: Address, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        other = address.port + 1 if address.port < _PORTS - 1 else address.port - 1
        return f"port {address.port} is taken ({error.strerror}); choose another: PORT={other} make run"
    return f"HOST={address.host} cannot be listened on ({error.strerror or error})"


def _listener(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
