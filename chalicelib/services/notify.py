"""Sends what is in the outbox: each alert over each channel that wants it.

What one channel has to send is a unit of its own, with its own message on the queue and its own share of time: a
receiver that hangs holds up no other.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from itertools import groupby
from math import ceil
from threading import Lock
from typing import NamedTuple, TypeVar

from chalicelib.domain.alerts.channel import Channel
from chalicelib.domain.alerts.outbox import Outgoing
from chalicelib.domain.alerts.routing import looks_at, wants
from chalicelib.domain.ids import org_of
from chalicelib.domain.monitor.event import EventKind
from chalicelib.services import clock
from chalicelib.services.channel_queue import settle, waiting, work_off
from chalicelib.services.gathering import Left
from chalicelib.store import alerts, queue
from chalicelib.store.alerts import DueAlert
from chalicelib.store.channels import channels_of_org
from chalicelib.store.queue import LONGEST_DELAY_SECONDS, AlertKey, Wake, wake_of
from chalicelib.telemetry import SECONDS, measure

log = logging.getLogger("cronhub.notify")

# Of a shard of the outbox, at a time.
_SENT_AT_ONCE = 500
_WOKEN_AT_ONCE = 5000
_SIDE_BY_SIDE = 16
# In one process: of an org's channels, and of all channels whose last try failed, no more at a time.
_OF_ORG, _OF_FAILING = 6, 16
_HAS_TURN_AFTER_SECONDS = 5

ChannelKey = tuple[str, str]
K = TypeVar("K")


class _Unit(NamedTuple):
    """What one channel has to send."""

    channel: Channel
    found: list[Outgoing]
    channels: list[Channel]
    #: When the first of it is due.
    at: datetime

    @property
    def key(self) -> ChannelKey:
        return self.channel.org_id, self.channel.id

    def wake(self, now: datetime) -> Wake:
        return _wake(self.channel, Left([one.key for one in self.found], self.at), now)


def receive(messages: Sequence[str]) -> list[int]:
    """Works on messages of the queue, side by side; returns the places of those that failed."""
    failed: set[int] = set()
    of_all: dict[AlertKey, None] = {}
    of_channels: dict[ChannelKey, dict[AlertKey, None]] = defaultdict(dict)
    sources: dict[ChannelKey | None, list[int]] = defaultdict(list)
    for place, message in enumerate(messages):
        try:
            wake = wake_of(message)
        except ValueError:
            log.warning("a message of nobody's on the queue")
            failed.add(place)
            continue
        key = (wake.org_id, wake.channel_id) if wake.is_of_channel else None
        keys = of_all if key is None else of_channels[key]
        keys.update(dict.fromkeys(wake.keys))
        sources[key].append(place)
    works: dict[ChannelKey | None, Callable[[], None]] = {
        key: partial(_work_on, key, list(keys)) for key, keys in of_channels.items()
    }
    if of_all:
        works[None] = partial(_fan_out, list(of_all))
    for key in _side_by_side(works):
        failed.update(sources[key])
    return sorted(failed)


def _work_on(key: ChannelKey, keys: list[AlertKey]) -> None:
    units = _units_of(_due(keys), channels_of_org(key[0]), clock.now())
    # First the sending: where that fails, it is not the queue that failed, and the message comes again.
    queue.wake_channels([wake for unit in units if unit.key == key for wake in _run(unit)])


def _fan_out(keys: list[AlertKey]) -> None:
    """Has each channel send its alerts by a message of its own; a single one has them sent here and now."""
    units = _units(_due(keys))
    # After the units were made: what is due as of then has no second to wait.
    now = clock.now()
    if len(units) == 1 and units[0].at <= now:
        queue.wake_channels(_run(units[0]))
    elif not queue.wake_channels(unit.wake(now) for unit in units if _is_in_reach(unit.at, now)):
        _side_by_side({unit.key: partial(_run, unit, can_ask=False) for unit in units})


def send_due(now: datetime) -> int:
    """Sends all that is due, where no queue has it done; returns how many alerts that were."""
    seen: set[AlertKey] = set()
    while keys := [one.key for one in _due_alerts(now, _SENT_AT_ONCE) if one.key not in seen]:
        seen.update(keys)
        units = _units(_due(keys))
        _side_by_side({unit.key: partial(_run, unit, can_ask=False) for unit in units})
    return len(seen)


def wake_due(now: datetime) -> bool:
    """Asks for all that is due to be sent, as its message may have been lost; False where nobody can be asked."""
    due = list(_due_alerts(now, _WOKEN_AT_ONCE))
    # What is kept back for a later try is not due: the age of the queue's messages says less.
    waits = now - min((one.since for one in due), default=now)
    measure("alerts_waiting", waits.total_seconds(), SECONDS)
    # Those of an org together, so that crons that went down together share a message.
    return queue.wake(sorted((one.key for one in due), key=lambda key: org_of(key[0]) or ""))


def _due_alerts(now: datetime, most: int) -> Iterator[DueAlert]:
    for shard in range(alerts.SHARDS):
        yield from alerts.due_alerts(shard, now, most)


def _due(keys: Iterable[AlertKey]) -> list[Outgoing]:
    now = clock.now()
    found = [one for one in alerts.find_outgoing(keys) if one.send_at is not None and one.send_at <= now]
    return [ready for one in found if (ready := _with_words(one)) is not None]


def _with_words(one: Outgoing) -> Outgoing | None:
    """A report gets its words here; where that fails, it waits for the next tick and holds up no other."""
    if one.alert.kind is not EventKind.REPORT:
        return one
    from chalicelib.services import reports

    try:
        return reports.written(one) if reports.is_unwritten(one.alert) else one
    except Exception:
        log.exception("the report of org %s could not be written; it comes again", one.alert.org_id)
        return None


def _units(found: Iterable[Outgoing]) -> list[_Unit]:
    """Returns what each channel has to send."""
    units: list[_Unit] = []
    in_order = sorted(found, key=_org)
    for org_id, of_org in groupby(in_order, _org):
        units += _units_of(list(of_org), channels_of_org(org_id), clock.now())
    return units


def _org(one: Outgoing) -> str:
    return one.alert.org_id


def _units_of(found: Sequence[Outgoing], channels: list[Channel], now: datetime) -> list[_Unit]:
    """Returns what each channel of an org has to send; settles what none of them has to send now."""
    works: dict[str, list[Outgoing]] = defaultdict(list)
    first: dict[str, datetime] = {}
    for read in found:
        one = _with_waits(read, channels)
        looks = looks_at(one, channels, now)
        if not looks or min(looks.values()) > now:
            settle(one, looks)
        for channel_id, at in looks.items():
            works[channel_id].append(one)
            first[channel_id] = min(at, first.get(channel_id, at))
    return [
        _Unit(channel, works[channel.id], channels, first[channel.id])
        for channel in channels
        if channel.id in works
    ]


def _with_waits(one: Outgoing, channels: Iterable[Channel]) -> Outgoing:
    """Notes for which channels an alert waits, as they take none just now."""
    for channel in channels:
        if wants(channel, one.alert):
            one = waiting(one, channel)
    return one


def _run(unit: _Unit, *, can_ask: bool = True) -> list[Wake]:
    """Sends over one channel; returns what is to be asked for again. can_ask: whether there is a queue for it."""
    now = clock.now()
    with _turns.taken(unit.channel) as is_taken:
        if not is_taken:
            return [unit.wake(now)._replace(delay_seconds=_HAS_TURN_AFTER_SECONDS)]
        left = work_off(unit.channel, unit.found, unit.channels, can_ask=can_ask)
    now = clock.now()
    return [_wake(unit.channel, one, now) for one in left if _is_in_reach(one.at, now)]


def _wake(channel: Channel, left: Left, now: datetime) -> Wake:
    return Wake(left.keys, channel.org_id, channel.id, max(0, ceil((left.at - now).total_seconds())))


def _is_in_reach(at: datetime, now: datetime) -> bool:
    """Whether the queue can keep a message back until then. What is later, the tick finds."""
    return (at - now).total_seconds() <= LONGEST_DELAY_SECONDS


def _side_by_side(works: Mapping[K, Callable[[], object]]) -> list[K]:
    """Does all of it, each in a thread of its own; returns which failed."""

    def is_done(key: K) -> bool:
        try:
            works[key]()
        except Exception:
            log.exception("some alerts could not be worked on; they come again")
            return False
        return True

    if len(works) == 1:
        return [key for key in works if not is_done(key)]
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        return [key for key, done in zip(works, pool.map(is_done, works), strict=True) if not done]


class _Turns:
    """Who may send just now, in this process: nobody takes all of its threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._of_org: dict[str, int] = defaultdict(int)
        self._of_failing = 0

    @contextmanager
    def taken(self, channel: Channel) -> Iterator[bool]:
        """Whether it is this channel's turn, for as long as the context lasts."""
        is_failing = channel.failures > 0
        with self._lock:
            is_free = self._of_org[channel.org_id] < _OF_ORG and not (
                is_failing and self._of_failing >= _OF_FAILING
            )
            if is_free:
                self._of_org[channel.org_id] += 1
                self._of_failing += is_failing
        try:
            yield is_free
        finally:
            if is_free:
                self._give_back(channel.org_id, is_failing)

    def _give_back(self, org_id: str, is_failing: bool) -> None:
        with self._lock:
            self._of_failing -= is_failing
            self._of_org[org_id] -= 1
            if not self._of_org[org_id]:
                del self._of_org[org_id]


_turns = _Turns()
