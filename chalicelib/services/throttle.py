"""Throttling of the routes without a key.

Counted in the store, so that it holds across functions; but a count is bought in leases of many
uses, and the first few of a window are free: an ordinary ping pays nothing for it.
"""

import math
from datetime import datetime, timedelta
from ipaddress import IPv6Address, IPv6Network
from threading import Lock
from typing import NamedTuple

from chalicelib import settings
from chalicelib.domain.errors import Throttled, Unavailable
from chalicelib.store.throttles import add_uses

_MOST_SUBJECTS = 10_000


class Limit(NamedTuple):
    """At most `uses` of what `name` says, in words, a `window`; `free` and `lease` a function."""

    name: str
    uses: int
    window: timedelta
    free: int
    lease: int


MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
PINGS_OF_ADDRESS = Limit("pings from this address", 3000, MINUTE, 100, 100)
PINGS_OF_CRON = Limit("signals to this cron", 300, MINUTE, 20, 20)
PREVIEWS = Limit("schedule previews from this address", 240, MINUTE, 10, 10)
SIGN_INS = Limit("sign-ins from this address", 120, MINUTE, 10, 10)
ORGS = Limit("new organizations from this address", 300, HOUR, 5, 5)
CLAIMS = Limit("first keys from this address", 300, HOUR, 5, 5)

INVITES_OF_ORG = Limit("invitations mailed for this organization", 30, HOUR, 0, 1)
INVITES_TO_ADDRESS = Limit("invitations mailed to this address", 5, HOUR, 0, 1)
CONFIRMATIONS = Limit("opened confirmation links from this address", 60, MINUTE, 5, 5)
CONFIRMATIONS_OF_ORG = Limit("confirmation links mailed for this organization", 30, HOUR, 0, 1)
CONFIRMATIONS_TO_ADDRESS = Limit("confirmation links mailed to this address", 5, HOUR, 0, 1)
HEALTH_CHECKS = Limit("deep health checks from this address", 120, MINUTE, 10, 10)
BADGES = Limit("badges to this address", 1200, MINUTE, 60, 60)
STATUS_PAGES = Limit("status pages to this address", 300, MINUTE, 20, 20)
TESTS = Limit("channel tests by this organization", 60, MINUTE, 5, 5)


def network_of(address: str) -> str:
    """What is throttled as one: an IPv4 address, or the /64 that one IPv6 subscriber has to choose from."""
    if ":" not in address:
        return address
    try:
        network = IPv6Network((address.partition("%")[0], 64), strict=False)
    except ValueError:
        return address
    mapped = IPv6Address(address.partition("%")[0]).ipv4_mapped
    return str(mapped or network)


class _Window:
    def __init__(self, start: int, left: int) -> None:
        self.start = start
        self.left = left
        # Threads that bought a lease each would use up the limit without a request.
        self.lock = Lock()


_windows: dict[tuple[str, str], _Window] = {}
_windows_lock = Lock()


def throttle(limit: Limit, subject: str, now: datetime) -> None:
    """Counts one use. Raises Throttled over the limit, until the window ends."""
    if not settings.throttling():
        return
    seconds = int(limit.window.total_seconds())
    start = int(now.timestamp()) // seconds * seconds
    window = _window_of(limit, subject, start)
    with window.lock:
        if window.left == 0:
            window.left = _lease(limit, subject, start, now)
        if window.left == 0:
            wait = max(1, math.ceil(start + seconds - now.timestamp()))
            raise Throttled(f"too many {limit.name}: at most {limit.uses} in {seconds} s", wait)
        window.left -= 1


def _window_of(limit: Limit, subject: str, start: int) -> _Window:
    with _windows_lock:
        window = _windows.get((limit.name, subject))
        if window is None or window.start != start:
            if len(_windows) >= _MOST_SUBJECTS:
                _windows.clear()
            window = _windows[limit.name, subject] = _Window(start, limit.free)
        return window


def _lease(limit: Limit, subject: str, start: int, now: datetime) -> int:
    try:
        used = add_uses(f"{limit.name}#{subject}#{start}", limit.lease, now + 2 * limit.window)
    except Unavailable:
        # The throttle is there to protect the service; without it a signal still counts.
        return limit.lease
    return limit.lease if used + limit.free <= limit.uses else 0


def forget() -> None:
    """Forgets what was counted here, as a new function would start."""
    _windows.clear()
