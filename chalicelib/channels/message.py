"""What is delivered, and what came of it."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from chalicelib.domain.alerts.channel import Channel, ChannelKind, Severity

MOST_DETAIL_BYTES = 1024
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]+")
_BETWEEN = re.compile(r"[/?&=:@#;,\s]+")
# What is shorter is in too many words.
_SHORTEST_SECRET = 4
_HIDDEN = "[hidden]"


class Message(NamedTuple):
    """One delivery on one channel."""

    #: The same at each try, so that a receiver can drop a repeat.
    id: str
    kind: str
    severity: Severity
    #: One line.
    title: str
    #: Many lines, plain.
    text: str
    #: The JSON event, as docs/channels.md has it.
    event: Mapping[str, object]
    #: When the event happened.
    at: datetime


class State(StrEnum):
    """How a try ended. LATER: this try failed, a later one may succeed. REFUSED: no later try can succeed."""

    DELIVERED = "delivered"
    LATER = "later"
    REFUSED = "refused"


class Outcome(NamedTuple):
    state: State
    #: What the receiver said, or what kept us from it, in at most 1 KB and without secrets;
    #: retry_after_seconds: what the receiver asked for.
    detail: str = ""
    retry_after_seconds: int | None = None

    @property
    def is_delivered(self) -> bool:
        return self.state is State.DELIVERED


def delivered(detail: str = "") -> Outcome:
    return Outcome(State.DELIVERED, detail)


def later(detail: str, retry_after_seconds: int | None = None) -> Outcome:
    return Outcome(State.LATER, detail, retry_after_seconds)


def refused(detail: str) -> Outcome:
    return Outcome(State.REFUSED, detail)


def told(outcome: Outcome, channel: Channel) -> Outcome:
    """The outcome as it may be kept and shown: short, printable, none of the channel's secrets in it."""
    return outcome._replace(detail=cut(_CONTROL.sub(" ", hidden(outcome.detail, secrets_of(channel))).strip()))


def secrets_of(channel: Channel) -> set[str]:
    """Returns what must never be shown of a channel: its secrets, its URL, and parts that may be tokens."""
    parts = _BETWEEN.split(channel.url.partition("://")[2])
    if channel.kind is ChannelKind.WEBHOOK:
        # Its host is no secret, and an error that does not name it tells nothing.
        parts = parts[1:]
    return {part for part in (channel.url, *channel.secrets, *parts) if len(part) >= _SHORTEST_SECRET}


def hidden(text: str, secrets: Iterable[str]) -> str:
    """The text without these, however they are quoted."""
    forms: set[str] = set()
    for secret in secrets:
        quoted = (quote(secret, safe, errors="replace") for safe in ("/", ""))
        forms |= {secret, *quoted, quote_plus(secret, errors="replace"), unquote(secret), unquote_plus(secret)}
    # The longest first: no part of one is left over from another.
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, _HIDDEN)
    return text


def cut(text: str, most: int = MOST_DETAIL_BYTES) -> str:
    """No more than so many bytes of UTF-8, and no half characters."""
    data = text.encode("utf-8", "replace")
    return text if len(data) <= most else data[: most - 3].decode("utf-8", "ignore") + "…"
