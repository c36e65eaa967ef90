"""Has alerts of crons that go down, or come up, together wait for each other, so that they share a message."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from chalicelib.domain.alerts.alert import Alert, is_recovery
from chalicelib.domain.alerts.channel import Channel
from chalicelib.domain.alerts.gathering import (
    GROUPED_FROM,
    AlertKey,
    Side,
    recovery_waits_until,
    side_of,
    waits_until,
)
from chalicelib.domain.alerts.outbox import Outgoing
from chalicelib.domain.alerts.routing import looks_at
from chalicelib.services import clock
from chalicelib.store import alerts
from chalicelib.store.channels import open_gathering
from chalicelib.store.gatherings import keep_waiting
from chalicelib.store.incidents import opened_between

# Crons that went down within this time of each other went down for one reason.
_OPENED_TOGETHER = timedelta(minutes=1)
_LOOKED_AT = 500
_SOON = timedelta(seconds=1)
# Clocks of functions differ: a message may come a little before its time, and must then not rely on another.
_CLOCKS_DIFFER = timedelta(seconds=2)
# The sender of what was gathered may die first: then each of the others asks.
_IN_CASE = timedelta(seconds=3)


class Left(NamedTuple):
    """What a sender leaves to be looked at again, and when."""

    keys: list[AlertKey]
    at: datetime


class Outages:
    """The incidents of an org that opened together: their recoveries wait longer for each other."""

    def __init__(self, org_id: str, recoveries: Iterable[Alert]) -> None:
        opened = [one.opened_at for one in recoveries if is_recovery(one) and one.opened_at]
        self._opened: list[datetime] = []
        if opened:
            first, last = min(opened) - _OPENED_TOGETHER, max(opened) + _OPENED_TOGETHER
            self._opened = opened_between(org_id, first, last, _LOOKED_AT)

    def has_recovery(self, alert: Alert) -> bool:
        if not is_recovery(alert) or alert.opened_at is None:
            return False
        return sum(abs(at - alert.opened_at) <= _OPENED_TOGETHER for at in self._opened) >= GROUPED_FROM


class Waits(NamedTuple):
    """Alerts that wait for others over a channel."""

    found: list[Outgoing]
    until: datetime
    #: Whether they are looked at again only then, also where no message of the queue comes back.
    is_long: bool


def set_aside(waits: Waits, side: Side, channel: Channel, channels: Sequence[Channel]) -> list[Left]:
    """Has alerts wait; returns which are to be asked for again. channels: all of the org."""
    now, kept = clock.now(), channel.gathering(side)
    keys = [one.key for one in waits.found]
    # These first: who opens the message, or has opened it, then finds them.
    keep_waiting(channel.id, side, keys, now)
    if waits.is_long:
        for one in waits.found:
            looks = looks_at(one, channels, now) | {channel.id: waits.until}
            alerts.settle(one, min(looks.values()))
    if kept.until == waits.until:
        is_near = waits.until - now <= _CLOCKS_DIFFER
        return [Left(keys, waits.until if is_near else waits.until + _IN_CASE)]
    # Where another has just opened one, they join it.
    is_open = open_gathering(channel, side, waits.until)
    return [Left(keys, waits.until if is_open else now + _SOON)]


def waits_of(channel: Channel, due: Iterable[Outgoing], side: Side, *, can_ask: bool) -> list[Waits]:
    """Returns which of the alerts that are due over a channel wait for others.

    can_ask: whether a message of the queue comes back for them within seconds.
    """
    # Over a channel that fails, what was not tried yet has its turn before the rest, and must not miss it.
    if channel.failures:
        return []
    now, kept = clock.now(), channel.gathering(side)
    new = [one for one in due if side_of(one.alert) is side and _is_new(one, channel)]
    outages = Outages(channel.org_id, (one.alert for one in new))
    found: list[Waits] = []
    of_outage = [one for one in new if outages.has_recovery(one.alert)]
    until = recovery_waits_until(kept, now)
    if of_outage and until is not None:
        found.append(Waits(of_outage, until, is_long=True))
    others = [one for one in new if not outages.has_recovery(one.alert)]
    until = waits_until(kept, len(others), now)
    if others and until is not None and can_ask:
        found.append(Waits(others, until, is_long=False))
    return found


def _is_new(one: Outgoing, channel: Channel) -> bool:
    delivery = one.deliveries.get(channel.id)
    return delivery is None or (delivery.is_pending and not delivery.attempts)
