"""A blackout: a time in which CronHub could not see. It is not taken for a sign that jobs died.

In it no tick came, and no signal either: while signals came in, a job that was silent is judged, if late.
`hearing.py` has the other kind: ticks came, and signals could not.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

#: The tick comes every minute. When neither a tick nor a signal came for longer than this, CronHub could not see.
BLACKOUT_AFTER = timedelta(minutes=5)
_KEPT_FOR = timedelta(days=7)
_MOST_KEPT = 20


class Blackout(NamedTuple):
    since: datetime
    until: datetime

    def holds(self, at: datetime | None) -> bool:
        """Whether a deadline fell into it."""
        return at is not None and self.since < at <= self.until


class Backlog(NamedTuple):
    """What a tick leaves to be judged after it."""

    #: When its tick handed a large backlog over; None: it did not.
    handed_over_at: datetime | None = None
    #: Since when crons wait past their minute to be judged; None: none do.
    behind_since: datetime | None = None


NOTHING_LEFT = Backlog()


class Hearing(NamedTuple):
    """What became of the canaries: test signals that each tick sends through the public address."""

    #: The public address that the last canary to arrive was sent to; None: none ever arrived.
    address: str | None = None
    #: When that was.
    heard_at: datetime | None = None
    #: When the first canary after it was sent.
    sent_at: datetime | None = None
    #: Since when CronHub may have heard nothing, if that one is lost; None: nothing says that it ever heard.
    silent_since: datetime | None = None
    #: The last times in which no canary arrived, earliest first.
    deaf: tuple[Blackout, ...] = ()

    @property
    def waits(self) -> bool:
        """Whether a canary was sent and none has arrived since."""
        return self.sent_at is not None and (self.heard_at is None or self.heard_at < self.sent_at)


NEVER_HEARD = Hearing()


class Shards(NamedTuple):
    """How many shards of the due index there are."""

    #: How many crons are written to, as the setting says.
    written: int
    #: How many are read: more while crons of an earlier setting are on the others.
    read: int
    #: Since when the setting has been this one.
    since: datetime


class Watch(NamedTuple):
    #: When the last tick that ran to its end began.
    ticked_at: datetime | None = None
    #: The last times without a tick, earliest first.
    blackouts: tuple[Blackout, ...] = ()
    #: What the last tick left.
    backlog: Backlog = NOTHING_LEFT
    hearing: Hearing = NEVER_HEARD
    #: None: no tick has noted them yet.
    shards: Shards | None = None


def blackouts_until(watch: Watch, now: datetime) -> tuple[Blackout, ...]:
    """Returns the times without a tick, up to now, with the one that ends now if there is one."""
    if watch.ticked_at is None or now - watch.ticked_at <= BLACKOUT_AFTER:
        return watch.blackouts
    earlier = (blackout for blackout in watch.blackouts if blackout.since < watch.ticked_at)
    return kept((*earlier, Blackout(watch.ticked_at, now)), now)


def kept(blackouts: Iterable[Blackout], now: datetime) -> tuple[Blackout, ...]:
    """Returns the blackouts that a deadline may still have fallen into."""
    return tuple(blackout for blackout in blackouts if now - blackout.until < _KEPT_FOR)[-_MOST_KEPT:]


def without_signals(blackouts: Iterable[Blackout], heard: Iterable[datetime]) -> tuple[Blackout, ...]:
    """Returns what is left of times without a tick when signals prove that CronHub could hear.

    heard: when signals arrived, in any order.
    """
    times = sorted(heard)
    return tuple(part for blackout in blackouts for part in _silent_parts(blackout, times))


def _silent_parts(blackout: Blackout, heard: list[datetime]) -> list[Blackout]:
    inside = [at for at in heard if blackout.holds(at)]
    bounds = [blackout.since, *inside, blackout.until]
    return [Blackout(since, until) for since, until in pairwise(bounds) if until - since > BLACKOUT_AFTER]
