"""A channel: a way for alerts to reach people, and which alerts go over it."""

import hashlib
import re
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import urlsplit

from chalicelib.domain.alerts.gathering import Gathering, Side
from chalicelib.domain.monitor.event import EventKind

# A secret that was followed by a new one stays good until the next one, so two are live at most.
LIVE_SECRETS = 2
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]{0,252}[a-z0-9_.])?|\[[0-9a-f:.]{2,45}\]")
_SCHEME = re.compile(r"[a-z0-9][a-z0-9+.-]{0,31}")
_TOPIC = re.compile(r"(arn:aws[a-z-]{0,16}:sns:[a-z0-9-]{1,32}):[0-9]{12}:([A-Za-z0-9_.-]{1,256})")
_MASK = "…"


class ChannelKind(StrEnum):
    WEBHOOK = "webhook"
    EMAIL = "email"
    APPRISE = "apprise"
    SNS = "sns"


class Severity(StrEnum):
    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


_SEVERITIES = {
    "missed": Severity.CRITICAL,
    "failed": Severity.CRITICAL,
    "timeout": Severity.CRITICAL,
    "late": Severity.WARNING,
    "overrunning": Severity.WARNING,
    "anomaly": Severity.WARNING,
    "drift": Severity.WARNING,
    "on_schedule": Severity.INFO,
    "blocked": Severity.WARNING,
    "recovered": Severity.INFO,
    "resolved": Severity.INFO,
    "reminder": Severity.INFO,
    "flapping": Severity.WARNING,
    "channel_failing": Severity.WARNING,
    "blind": Severity.WARNING,
    "report": Severity.INFO,
}
# The kinds that a channel can filter by.
KINDS = tuple(_SEVERITIES)
# Sent only over channels that ask for them by name.
_ASKED_FOR = frozenset({"late", "blocked"})


class ChannelFilters(NamedTuple):
    """Which alerts go over a channel: those that fit all of these. An empty one fits anything."""

    products: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    project_ids: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    severities: tuple[Severity, ...] = ()


class Channel(NamedTuple):
    org_id: str
    id: str
    name: str
    kind: ChannelKind
    #: Where to, as its kind has it (a web address, an e-mail address, an Apprise URL, a topic's ARN); it
    #: holds secrets, and so is shown masked.
    url: str
    created_at: datetime
    #: What a webhook is signed with, newest first.
    secrets: tuple[str, ...] = ()
    filters: ChannelFilters = ChannelFilters()
    #: Whether the owner of an e-mail address agreed.
    confirmed: bool = True
    #: The hash of the token that does it, good until `confirm_by`.
    confirmation: str | None = None
    confirm_by: datetime | None = None
    #: None while the last delivery went well.
    failing_since: datetime | None = None
    #: None while the last delivery went well.
    last_error: str | None = None
    last_delivered_at: datetime | None = None
    #: It failed for a day, and its org's other channels were told.
    failing_alerted: bool = False
    #: How many tries failed in a row.
    failures: int = 0
    #: Nothing is sent over it before; None while the last delivery went well.
    resume_at: datetime | None = None
    #: Somebody is sending over it, at most until then.
    taken_until: datetime | None = None
    #: Of crons that went down.
    down: Gathering = Gathering()
    #: Of crons that are up again.
    up: Gathering = Gathering()
    #: It was sent messages of several alerts that are not done yet.
    has_groups: bool = False
    version: int = 0

    def gathering(self, side: Side) -> Gathering:
        return self.down if side is Side.DOWN else self.up

    def with_gathering(self, side: Side, gathering: Gathering) -> "Channel":
        return self._replace(down=gathering) if side is Side.DOWN else self._replace(up=gathering)


def severity_of(kind: str) -> Severity:
    """Returns how bad it is; for an unknown kind, such as a test, INFO."""
    return _SEVERITIES.get(kind, Severity.INFO)


class Subject(NamedTuple):
    """What an alert is about, as far as filters ask."""

    product: str
    service: str
    project_id: str | None = None
    tags: tuple[str, ...] = ()


def admits(filters: ChannelFilters, kind: EventKind | str, about: Subject) -> bool:
    """Whether an alert goes over a channel: all that is set must fit, and of the tags any one."""
    return (
        (kind in filters.kinds if filters.kinds else kind not in _ASKED_FOR)
        and (not filters.severities or severity_of(kind) in filters.severities)
        and (not filters.products or about.product in filters.products)
        and (not filters.services or about.service in filters.services)
        and (not filters.project_ids or about.project_id in filters.project_ids)
        and (not filters.tags or not set(filters.tags).isdisjoint(about.tags))
    )


def rotated(channel: Channel, secret: str) -> Channel:
    """With a new secret; the newest of the old ones stays good beside it."""
    return channel._replace(secrets=(secret, *channel.secrets)[:LIVE_SECRETS])


def token_hash(token: str) -> str:
    """What is kept of a confirmation's token. It holds 256 random bits: a plain hash will do."""
    return hashlib.sha256(token.encode()).hexdigest()


def masked(url: str) -> str:
    """What may be shown of a channel's URL: never a user, password, path, query or token.

    Of a web address its host, of an e-mail address its domain, of a topic its region and name. Of
    any other only the service's name, as where a host is expected, some have a token.
    """
    topic = _TOPIC.fullmatch(url)
    if topic:
        return f"{topic[1]}:{_MASK}:{topic[2]}"
    scheme, separator, _ = url.partition("://")
    scheme = scheme.strip().lower()
    if not separator:
        return _masked_address(url)
    if not _SCHEME.fullmatch(scheme):
        return _MASK
    host = _host(url) if scheme in ("http", "https") else ""
    return f"{scheme}://{host}/{_MASK}" if host else f"{scheme}://{_MASK}"


def _masked_address(address: str) -> str:
    user, at, domain = address.rpartition("@")
    return f"{_MASK}@{domain.lower()}" if user and at and _HOST.fullmatch(domain.lower()) else _MASK


def _host(url: str) -> str:
    """Returns the host and port of a web address; "" where that is not certain."""
    if "\\" in url:
        return ""
    try:
        parts = urlsplit(url.strip())
        host, port = parts.netloc.rpartition("@")[2].lower(), parts.port
    except ValueError:
        return ""
    bare = host.removesuffix(f":{port}") if port is not None else host.removesuffix(":")
    return host if _HOST.fullmatch(bare) else ""
