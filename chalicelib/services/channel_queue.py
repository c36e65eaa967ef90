"""The alerts that wait for one channel: sent in order, one sender at a time."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from chalicelib.channels.message import Outcome
from chalicelib.channels.send import deliver
from chalicelib.domain.alerts.alert import Alert, is_down, is_recovery
from chalicelib.domain.alerts.channel import Channel, ChannelKind
from chalicelib.domain.alerts.delivery import (
    GIVEN_UP_AFTER,
    Delivery,
    DeliveryState,
    Try,
    TryResult,
    given_up,
    pause_after,
    tried,
)
from chalicelib.domain.alerts.gathering import AlertKey, Shared, Side, after_telling, messages_for, side_of
from chalicelib.domain.alerts.outbox import Outgoing
from chalicelib.domain.alerts.routing import looks_at, wants
from chalicelib.domain.alerts.system_notice import channel_failing
from chalicelib.domain.errors import CronHubError
from chalicelib.domain.monitor.event import EventKind
from chalicelib.domain.monitor.incident import NamedIncident
from chalicelib.services import clock
from chalicelib.services.commit import wake_for
from chalicelib.services.gathering import Left, Outages, set_aside, waits_of
from chalicelib.services.messages import message_of
from chalicelib.services.retries import retry_on_conflict
from chalicelib.store import alerts
from chalicelib.store.channels import announce_failing, forgotten, note_groups, release, renew, take
from chalicelib.store.gatherings import Kept, find_kept, forget, keep_group
from chalicelib.store.incidents import open_incidents
from chalicelib.telemetry import SECONDS, measure

log = logging.getLogger("cronhub.notify")

# No delivery takes longer: MOST_SECONDS of the channels, and a moment more.
_LONGEST_DELIVERY = timedelta(seconds=22)
_LONGEST_BY_KIND = {ChannelKind.WEBHOOK: timedelta(seconds=11)}
# A claim lasts for one delivery and its record, and is renewed for the next: one whose holder died ends soon.
_RECORDING = timedelta(seconds=5)
# A sender's share of time: then it is another channel's turn.
_SHARE = timedelta(seconds=20)
# Of it, what loading may take, and how many are then loaded, or settled, side by side.
_LOADING = timedelta(seconds=10)
_LOADED_TOGETHER, _WORTH_THREADS, _SIDE_BY_SIDE = 64, 16, 8
_TAKEN_AGAIN_AFTER = timedelta(seconds=1)
# After failed tries, an alert that was not tried yet has its turn this long before those that were: so an alert
# that its receiver never takes does not stand in the way of others.
_FRESH_FIRST = timedelta(seconds=5)
# An alert is tried for a day, so only those of the day before can still stand in its way.
_LOOK_BACK = timedelta(hours=25)
_LOOK_AGAIN = timedelta(seconds=30)
_NOTED_EVERY = timedelta(minutes=1)
# The last try of what failed first is a day after it was due; the first was made a little later.
_FAILING_AFTER = timedelta(hours=23, minutes=55)
_LOOKED_AT = 100
_END = "~"

T = TypeVar("T")
R = TypeVar("R")


class _Work(NamedTuple):
    """An alert as it stands now that its channel is claimed, with its cron's alerts of the last day."""

    outgoing: Outgoing
    of_cron: list[Outgoing]

    @property
    def alert(self) -> Alert:
        return self.outgoing.alert


def work_off(
    channel: Channel, found: Sequence[Outgoing], channels: Sequence[Channel], *, can_ask: bool = True
) -> list[Left]:
    """Sends what is due of these alerts over a channel; returns what is left.

    channels: all of its org. can_ask: whether the queue brings back within seconds what is left.
    """
    now = clock.now()
    due = sorted((one for one in found if channel.id in looks_at(one, [channel], now)), key=_place)
    if not due:
        return []
    if channel.resume_at is not None and channel.resume_at > now:
        for one in due:
            settle(waiting(one, channel), looks_at(one, channels, now))
        return [Left([one.key for one in due], channel.resume_at)]
    left: list[Left] = []
    for side in Side:
        for waits in waits_of(channel, due, side, can_ask=can_ask):
            left += set_aside(waits, side, channel, channels)
            aside = {one.key for one in waits.found}
            due = [one for one in due if one.key not in aside]
    return left + (_send(channel, due, channels) if due else [])


def _send(channel: Channel, due: Sequence[Outgoing], channels: Sequence[Channel]) -> list[Left]:
    now = clock.now()
    taken = take(channel, now, now + longest_delivery(channel) + _RECORDING)
    if taken is None:
        return [Left([one.key for one in due], now + _TAKEN_AGAIN_AFTER)]
    queue = ChannelQueue(taken, [taken if one.id == taken.id else one for one in channels])
    try:
        left = queue.work_off(due)
    except Exception:
        with suppress(CronHubError):
            queue.release()
        raise
    queue.release()
    queue.announce_failing()
    return left


def _place(one: Outgoing) -> tuple[str, str]:
    return one.alert.place


def longest_delivery(channel: Channel) -> timedelta:
    return _LONGEST_BY_KIND.get(channel.kind, _LONGEST_DELIVERY)


def waiting(one: Outgoing, channel: Channel) -> Outgoing:
    """Notes, for people to see, that an alert waits for a channel whose last try failed."""
    if channel.resume_at is None or channel.resume_at <= clock.now() or channel.id in one.deliveries:
        return one
    waits = Delivery(next_at=channel.resume_at, error=channel.last_error)
    return alerts.note_waiting(one, channel.id, waits)


def settle(one: Outgoing, looks: Mapping[str, datetime]) -> None:
    """Has an alert looked at when the first of its channels is to; never, where none is."""
    alerts.settle(one, min(looks.values(), default=None))


class ChannelQueue:
    """A channel that is claimed, while alerts are sent over it."""

    def __init__(self, channel: Channel, channels: Sequence[Channel]) -> None:
        #: As it stands; what is noted of its deliveries is written when the claim ends.
        self.channel = channel
        self._taken = channel
        self._channels = channels
        self._began = clock.now()
        self._works: list[_Work] = []
        self._deliveries: dict[AlertKey, Delivery | None] = {}
        self._next_looks: dict[AlertKey, datetime] = {}
        self._recorded: dict[AlertKey, Outgoing] = {}
        self._down: list[NamedIncident] = []
        self._outages = Outages("", [])
        self._is_failing = False
        #: The sides whose alerts have waited for each other, and now are sent.
        self._gathered = [side for side in Side if channel.gathering(side).is_over(self._began)]
        self._kept: list[Kept] = []
        #: Of these, what was tried and is not due yet.
        self._later: set[AlertKey] = set()

    def work_off(self, due: Sequence[Outgoing]) -> list[Left]:
        due = self._with_kept(due)
        self._works = list(self._loaded(due))
        loaded = {work.outgoing.key for work in self._works}
        rest = [one.key for one in due[len(self._works) :] if one.key not in loaded]
        self._deliveries = {
            one.key: one.deliveries.get(self.channel.id) for work in self._works for one in work.of_cron
        }
        self._works = [work for work in self._works if self._is_of_us(work)]
        of_crons = (one.alert for work in self._works for one in work.of_cron)
        self._down, self._outages = self._down_now(), Outages(self.channel.org_id, of_crons)
        self._send_all()
        self._forget_what_is_done(rest)
        return self._left(rest)

    def _with_kept(self, due: Sequence[Outgoing]) -> list[Outgoing]:
        """Adds what waited for the same message, and what shares one that is not done."""
        if not self._gathered and not self.channel.has_groups:
            return list(due)
        self._kept = [one for one in find_kept(self.channel.id) if one.side is None or one.side in self._gathered]
        known = {one.key for one in due}
        keys = {key: None for one in self._kept for key in one.members if key not in known}
        now = clock.now()
        looks = [(one, looks_at(one, [self.channel], now)) for one in alerts.find_outgoing(keys)]
        found = [(one, looks[self.channel.id]) for one, looks in looks if self.channel.id in looks]
        self._later = {one.key for one, at in found if at > now}
        return sorted([*due, *(one for one, at in found if at <= now)], key=_place)

    def _send_all(self) -> None:
        works = {work.alert.key: work for work in self._ready()}
        groups = [one.members for one in self._kept if one.side is None]
        in_groups = {key for members in groups for key in members}
        alone = {key for key, work in works.items() if self._before(work).attempts and key not in in_groups}
        for shared in messages_for([work.alert for work in works.values()], groups, alone, self._gathered):
            unit = [works[alert.key] for alert in shared.alerts]
            try:
                self._send_unit(unit, shared)
            except CronHubError:
                # What was sent may be sent again: better than not at all.
                log.exception("channel %s: what was sent could not be recorded", self.channel.id)
                self._look_again(unit, clock.now() + _LOOK_AGAIN)

    def _forget_what_is_done(self, rest: Iterable[AlertKey]) -> None:
        """Of what waited, or shared a message, keeps only what is still to be sent."""
        undone = {work.outgoing.key for work in self._works if self._before(work).is_pending}
        undone |= self._later | set(rest)
        groups = [one for one in self._kept if one.side is None and not undone.isdisjoint(one.members)]
        left = undone - {key for one in groups for key in one.members}
        still_waiting = [one for one in self._kept if one.side is not None and not left.isdisjoint(one.members)]
        done = [one for one in self._kept if one not in groups and one not in still_waiting]
        try:
            if done:
                forget(self.channel.id, done)
        except CronHubError:
            log.exception("channel %s: what is done is forgotten at its next turn", self.channel.id)
            return
        self.channel = self.channel._replace(has_groups=bool(groups))
        for side in self._gathered:
            if not any(one.side is side for one in still_waiting):
                gathering = self.channel.gathering(side)._replace(until=None)
                self.channel = self.channel.with_gathering(side, gathering)

    def release(self) -> None:
        release(self._taken, self.channel)

    def _loaded(self, due: Sequence[Outgoing]) -> Iterator[_Work]:
        """Loads as many as there is time for; the others stay due."""
        for start in range(0, len(due), _LOADED_TOGETHER):
            if clock.now() > self._began + _LOADING:
                log.warning("the store is slow: some alerts are left to another turn")
                return
            yield from _side_by_side(_work_of, due[start : start + _LOADED_TOGETHER])

    def _is_of_us(self, work: _Work) -> bool:
        delivery = self._deliveries.get(work.outgoing.key)
        return work.outgoing.send_at is not None and (delivery is None or delivery.is_pending)

    def _down_now(self) -> list[NamedIncident]:
        """Returns what else is down, where a message says so: the latest that went down within a day."""
        if not any(is_down(work.alert) or work.alert.kind is EventKind.REMINDER for work in self._works):
            return []
        return open_incidents(self.channel.org_id, clock.now() - _LOOK_BACK, _LOOKED_AT)

    def _left(self, rest: list[AlertKey]) -> list[Left]:
        """Settles the alerts, and returns what is to be looked at again over this channel."""
        now = clock.now()
        looks: dict[AlertKey, datetime] = dict.fromkeys(rest, now)
        channels = [self.channel if one.id == self.channel.id else one for one in self._channels]
        settled: list[tuple[Outgoing, dict[str, datetime]]] = []
        for work in self._works:
            key = work.outgoing.key
            one = self._recorded.get(key, work.outgoing)
            of_channels = looks_at(one, channels, now)
            if self.channel.id in of_channels:
                of_channels[self.channel.id] = max(of_channels[self.channel.id], self._next_looks.get(key, now))
                looks[key] = of_channels[self.channel.id]
                one = waiting(one, self.channel)
            settled.append((one, of_channels))
        _side_by_side(lambda each: settle(*each), settled)
        # An alert is not looked at before its time, so those of one time have a message together.
        return [Left([key for key in looks if looks[key] == at], at) for at in sorted(set(looks.values()))]

    def _ready(self) -> list[_Work]:
        """Returns what is to be sent now."""
        due = [work for work in self._works if not self._is_put_off(work)]
        said = [work for work in due if self._is_said_otherwise(work)]
        if said:
            merged = Delivery(DeliveryState.MERGED, tried_at=clock.now())
            self._record([(work, merged) for work in said])
        return [work for work in due if self._before(work).is_pending]

    def _is_put_off(self, work: _Work) -> bool:
        """Whether it was tried, and its next try is later."""
        next_at = self._before(work).next_at
        if next_at is None or next_at <= clock.now():
            return False
        self._look_again([work], next_at)
        return True

    def _is_said_otherwise(self, work: _Work) -> bool:
        # A recovery that waited for others may meanwhile be no longer true.
        if self._outages.has_recovery(work.alert) and self._is_down_again(work):
            return True
        return self._recovery_of(work) is not None

    def _is_down_again(self, work: _Work) -> bool:
        later = (one.alert for one in work.of_cron if one.alert.id > work.alert.id)
        return any(is_down(alert) and wants(self.channel, alert) for alert in later)

    def _recovery_of(self, work: _Work) -> Outgoing | None:
        """Returns the recovery that also says since when its cron was down: one message is enough."""
        if not is_down(work.alert):
            return None
        return next(
            (
                one
                for one in work.of_cron
                if _says_as_well(one.alert, work.alert) and wants(self.channel, one.alert)
            ),
            None,
        )

    def _send_unit(self, unit: list[_Work], shared: Shared) -> None:
        now = clock.now()
        held_up = {work.alert.key: work for work in unit if self._is_held_up(work)}
        self._look_again(held_up.values(), now + _LOOK_AGAIN)
        ready = [work for work in unit if work.alert.key not in held_up]
        # While it fails, no other is tried; and when its share of time is over, the rest has another turn.
        if not ready or self._is_failing or not self._has_time(now):
            return
        message = message_of(self._noted(shared, ready), self.channel.id, self._also_down(ready[0].alert))
        outcome = deliver(self.channel, message, now)
        self._note(outcome)
        one = self._try_of(outcome)
        measure("alerts_sent" if outcome.is_delivered else "alerts_failed", len(ready))
        if outcome.is_delivered:
            measure("delivery_delay", (clock.now() - ready[0].alert.send_at).total_seconds(), SECONDS)
        log.info(
            "%s over %s (%s): %s", message.title, self.channel.name, self.channel.kind.value, one.result.value
        )
        deliveries = [(work, tried(self._before(work), one, work.alert.send_at)) for work in ready]
        side = side_of(ready[0].alert)
        if outcome.is_delivered and side is not None:
            told = after_telling(self.channel.gathering(side), len(ready), one.at)
            self.channel = self.channel.with_gathering(side, told)
        is_failing = one.result is TryResult.LATER
        if is_failing:
            self._pause(one, [delivery for _, delivery in deliveries])
        self._record(deliveries)
        if is_failing:
            self._give_up(one)

    def _noted(self, shared: Shared, ready: Sequence[_Work]) -> Shared:
        """Notes which alerts share a message before it is sent: if this sender dies, the next sends the same."""
        alerts_ready = tuple(work.alert for work in ready)
        if any(one.side is None and one.members == shared.members for one in self._kept):
            return Shared(alerts_ready, shared.members)
        shared = Shared(alerts_ready, tuple(alert.key for alert in alerts_ready))
        if len(ready) > 1:
            if not self.channel.has_groups and note_groups(self._taken):
                self.channel = self.channel._replace(has_groups=True)
                self._taken = self._taken._replace(has_groups=True)
            self._kept.append(keep_group(self.channel.id, shared.members, clock.now()))
        return shared

    def _has_time(self, now: datetime) -> bool:
        """Whether another delivery may begin; the claim is then ours for as long as it may take."""
        if now > self._began + _SHARE:
            return False
        longest = longest_delivery(self.channel)
        if self._taken.taken_until is not None and now + longest <= self._taken.taken_until:
            return True
        renewed = renew(self._taken, now + longest + _RECORDING)
        if renewed is None:
            return False
        self._taken = self._taken._replace(taken_until=renewed)
        return True

    def _try_of(self, outcome: Outcome) -> Try:
        wait = outcome.retry_after_seconds
        return Try(
            TryResult(outcome.state.value),
            clock.now(),
            outcome.detail,
            None if wait is None else timedelta(seconds=wait),
            self.channel.failures,
        )

    def _note(self, outcome: Outcome) -> None:
        """Notes how the channel is, to be written when the claim ends."""
        channel, now = self.channel, clock.now()
        if outcome.is_delivered:
            last = channel.last_delivered_at if channel.failing_since is None else None
            is_noted = last is not None and now - last < _NOTED_EVERY
            self.channel = forgotten(channel)._replace(last_delivered_at=last if is_noted else now)
            return
        self._is_failing = outcome.state.value == TryResult.LATER.value
        self.channel = channel._replace(
            failing_since=channel.failing_since or now,
            last_error=outcome.detail,
            failures=channel.failures + self._is_failing,
        )

    def _pause(self, one: Try, deliveries: Iterable[Delivery]) -> None:
        """Has nothing sent for a while. The more tries failed in a row, the longer."""
        pause = pause_after(self.channel.failures) - _FRESH_FIRST
        until = one.at + max(pause, one.retry_after or timedelta())
        # The last try of an alert is not put off.
        nexts = [delivery.next_at for delivery in deliveries if delivery.next_at is not None]
        self.channel = self.channel._replace(resume_at=min([until, *nexts]))

    def _give_up(self, one: Try) -> None:
        """Gives up what has waited for a day behind others: the try that failed stands for it."""
        over = [
            work
            for work in self._works
            if self._before(work).is_pending and one.at >= work.alert.send_at + GIVEN_UP_AFTER
        ]
        if over:
            self._record((work, given_up(self._before(work), one)) for work in over)

    def announce_failing(self) -> None:
        """Tells the org's other channels, once this one has failed for a day."""
        channel, now = self.channel, clock.now()
        if (
            channel.failing_since is None
            or channel.failing_alerted
            or now - channel.failing_since < _FAILING_AFTER
        ):
            return
        notice = channel_failing(channel, now)
        if announce_failing(channel, notice):
            self.channel = channel._replace(failing_alerted=True)
            wake_for([notice])

    def _also_down(self, alert: Alert) -> list[str]:
        return [
            one.cron_name
            for one in self._down
            if (one.product, one.service) == (alert.product, alert.service)
            and one.incident.cron_id != alert.cron_id
            and alert.kind is not EventKind.RECOVERED
        ]

    def _is_held_up(self, work: _Work) -> bool:
        """Whether an earlier alert of the same cron is still waiting for this channel."""
        earlier = (one for one in work.of_cron if one.alert.id < work.alert.id and one.send_at is not None)
        return any(self._is_to_come(one) and not _says_as_well(work.alert, one.alert) for one in earlier)

    def _is_to_come(self, one: Outgoing) -> bool:
        delivery = self._deliveries.get(one.key)
        if delivery is not None:
            return delivery.is_pending
        # A recovery that waits for others of its outage holds up nothing.
        return wants(self.channel, one.alert) and not self._outages.has_recovery(one.alert)

    def _before(self, work: _Work) -> Delivery:
        return self._deliveries.get(work.outgoing.key) or Delivery()

    def _record(self, tries: Iterable[tuple[_Work, Delivery]]) -> None:
        by_key = {work.outgoing.key: delivery for work, delivery in tries}
        self._deliveries.update(by_key)
        for one in retry_on_conflict(lambda: alerts.record(by_key, self.channel.id)):
            self._recorded[one.key] = one

    def _look_again(self, works: Iterable[_Work], at: datetime) -> None:
        for work in works:
            key = work.outgoing.key
            self._next_looks[key] = min(at, self._next_looks.get(key, at))


def _work_of(one: Outgoing) -> _Work:
    alert = one.alert
    of_cron = list(alerts.alerts_between(alert.cron_id, alert.at - _LOOK_BACK, _END))
    # As it is now that the channel is ours: another sender may have had it just before.
    return _Work(next((each for each in of_cron if each.key == one.key), one), of_cron)


def _side_by_side(act: Callable[[T], R], on: Sequence[T]) -> list[R]:
    """Does the same with each: few in turn, many side by side."""
    if len(on) < _WORTH_THREADS:
        return [act(one) for one in on]
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        return list(pool.map(act, on))


def _says_as_well(recovery: Alert, down: Alert) -> bool:
    """Whether an alert is the recovery from what another tells: it says so itself."""
    return is_recovery(recovery) and is_down(down) and recovery.incident_id == down.incident_id
