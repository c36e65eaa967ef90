"""Outgoing HTTP to addresses that users gave: never into the deployment's own network.

A name is resolved once, every address that it has is checked, and the connection goes to the one that
was checked: a name that answers otherwise a moment later (DNS rebinding) gains nothing. Only the
standard library's client is used, as in others the connection resolves the name again.
"""

import http.client
import io
import re
import socket
import ssl
from collections.abc import Mapping
from contextlib import closing, suppress
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple
from urllib.parse import quote, urljoin, urlsplit

from chalicelib import settings
from chalicelib.outbound.limits import MOST_ANSWER_BYTES, Limited
from chalicelib.outbound.public_addresses import why_not_public
from chalicelib.outbound.time_limit import Deadline, within

MOST_REDIRECTS = 3
MOST_SECONDS = 10.0
_LONGEST_WAIT_SECONDS = 24 * 3600
_PORTS = {"http": 80, "https": 443}
# As a browser's: all that may stand in a URL stays as it is, what is not ASCII is percent-encoded.
_SAFE = "!#$%&'()*+,/:;=?@[]~"
_NOT_IN_URL = re.compile(r"[\x00-\x20\x7f\\\ud800-\udfff]")
_HOST = re.compile(r"[A-Za-z0-9_.:%-]{1,253}")

# What `resolve` returns, in the form of socket.getaddrinfo.
Address = tuple[socket.AddressFamily, Any]


class BadTarget(ValueError):
    """An address to which nothing is sent; says why."""


class Target(NamedTuple):
    """A web address, taken apart."""

    scheme: str
    host: str
    port: int
    #: With the query, as it is asked for.
    path: str

    @property
    def origin(self) -> str:
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == _PORTS[self.scheme] else f"{name}:{self.port}"


class HttpAnswer(NamedTuple):
    """What came back; `headers` by lower-case name."""

    status: int
    headers: dict[str, str]
    text: str


class _Response(http.client.HTTPResponse):
    """An answer whose head is bounded as well: the library reads 100 lines of 64 KB each."""

    def __init__(self, sock: socket.socket, *args: Any, **more: Any) -> None:
        super().__init__(sock, *args, **more)
        self.fp: Any = io.BufferedReader(Limited(self.fp))


def target_of(url: str) -> Target:
    """Raises BadTarget."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise BadTarget(f"is not a web address: {error}") from None
    if _NOT_IN_URL.search(url) or parts.scheme not in _PORTS or not host:
        raise BadTarget("must be an address such as https://example.com/hook")
    if parts.username is not None:
        raise BadTarget("must not hold a user or password: nothing signs in there")
    path = quote(parts.path or "/", _SAFE) + (f"?{quote(parts.query, _SAFE)}" if parts.query else "")
    return Target(parts.scheme, _ascii(host), port or _PORTS[parts.scheme], path)


def _ascii(host: str) -> str:
    try:
        found = host if ":" in host else host.encode("idna").decode()
    except UnicodeError:
        found = ""
    if not _HOST.fullmatch(found):
        raise BadTarget("holds a host that cannot be")
    return found


def check_url(url: str) -> None:
    """Raises BadTarget where nothing would be sent to it, as things are now."""
    target = target_of(url)
    within(MOST_SECONDS, lambda _: addresses_of(target.host, target.port))


def addresses_of(host: str, port: int) -> list[Address]:
    """Where a host is, each address checked. Raises BadTarget, also where one of many is not public."""
    try:
        found = resolve(host, port)
    except (OSError, UnicodeError):
        raise Unresolved(f"leads nowhere: no address is known of {host}") from None
    for _, address in found:
        require_public(str(address[0]), host)
    return found


class Unresolved(BadTarget):
    """A name without an address: now, and maybe not later."""


class BadRedirect(BadTarget):
    """What a receiver's answer leads on to is not sent to: its next answer may be another."""


def require_public(address: str, host: str) -> None:
    """Raises BadTarget."""
    why = None if settings.allows_private_targets() else why_not_public(address)
    if why is not None:
        raise BadTarget(f"leads to {host}, whose address is not public but {why}")


def resolve(host: str, port: int) -> list[Address]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, address) for family, _, _, _, address in found]


def post(url: str, body: bytes, headers: dict[str, str], seconds: float = MOST_SECONDS) -> HttpAnswer:
    """Sends it, and on as the answers 307 and 308 say; other redirects are answers, since they would
    have it become a GET without a body.

    Raises BadTarget; OSError or HTTPException where no answer came, TimeoutError also where that takes
    longer than `seconds` in all. Of an answer that began in time, as much as came.
    """
    begun: list[HttpAnswer] = []
    try:
        return within(seconds, lambda deadline: _post(url, body, headers, deadline, begun))
    except TimeoutError:
        if begun:
            return begun[0]
        raise


def _post(
    url: str, body: bytes, headers: dict[str, str], deadline: Deadline, begun: list[HttpAnswer]
) -> HttpAnswer:
    target, is_redirected = target_of(url), False
    try:
        for _ in range(MOST_REDIRECTS + 1):
            answer = _answer_of(target, body, headers, deadline, begun)
            if answer.status not in (307, 308) or "location" not in answer.headers:
                return answer
            is_redirected = True
            target = _redirected(target, answer.headers["location"])
    except BadTarget as error:
        if is_redirected:
            raise BadRedirect(str(error)) from None
        raise
    raise BadRedirect(f"leads on to another address more than {MOST_REDIRECTS} times")


def _answer_of(
    target: Target, body: bytes, headers: dict[str, str], deadline: Deadline, begun: list[HttpAnswer]
) -> HttpAnswer:
    with closing(http.client.HTTPConnection(target.host, target.port)) as connection:
        connection.response_class = _Response
        connection.sock = _connect(target, deadline)
        response = _exchange(connection, target, body, headers)
        found = {name.lower(): value for name, value in response.getheaders()}
        # A head that was ended by the deadline looks like a whole one.
        deadline.require_left()
        if response.status in (307, 308) and "location" in found:
            return HttpAnswer(response.status, found, "")
        begun.append(HttpAnswer(response.status, found, ""))
        return begun[0]._replace(text=_beginning_of(response))


def _redirected(target: Target, location: str) -> Target:
    following = target_of(urljoin(f"{target.scheme}://{target.origin}{target.path}", location))
    if target.scheme == "https" and following.scheme != "https":
        raise BadTarget("leads on from https to http")
    return following


def _exchange(
    connection: http.client.HTTPConnection, target: Target, body: bytes, headers: dict[str, str]
) -> http.client.HTTPResponse:
    # Nothing packed is asked for: what is read is no more than what came.
    sent = {"Host": target.origin, "Accept-Encoding": "identity", "Connection": "close", **headers}
    connection.request("POST", target.path, body, sent)
    return connection.getresponse()


def _beginning_of(response: http.client.HTTPResponse) -> str:
    """Whatever can be read of it: with its head here, the message has arrived."""
    data = b""
    with suppress(OSError, http.client.HTTPException):
        while len(data) < MOST_ANSWER_BYTES:
            part = response.read1(MOST_ANSWER_BYTES - len(data))
            if not part:
                break
            data += part
    return data.decode("utf-8", "replace")


def wait_seconds(headers: Mapping[str, str], now: datetime) -> int | None:
    """Returns how long an answer asks to wait, by Retry-After in seconds or as a date; a day at most."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        seconds = int(text[:12])
    else:
        try:
            seconds = int((parsedate_to_datetime(text) - now).total_seconds())
        except (TypeError, ValueError, OverflowError):
            return None
    return min(max(seconds, 0), _LONGEST_WAIT_SECONDS)


def _connect(target: Target, deadline: Deadline) -> socket.socket:
    error: OSError = OSError("no address")
    for family, address in addresses_of(target.host, target.port):
        plain = socket.socket(family, socket.SOCK_STREAM)
        deadline.closes(plain)
        try:
            plain.settimeout(deadline.require_left())
            plain.connect(address)
            return plain if target.scheme == "http" else _encrypted(plain, target, deadline)
        except OSError as failed:
            plain.close()
            error = failed
    raise error


def _encrypted(plain: socket.socket, target: Target, deadline: Deadline) -> socket.socket:
    wrapped = ssl.create_default_context().wrap_socket(plain, server_hostname=target.host)
    deadline.closes(wrapped)
    return wrapped
