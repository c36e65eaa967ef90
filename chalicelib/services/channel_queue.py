"""The alerts that wait for one channel: sent in order, one sender at a time."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import NamedTuple

from chalicelib.channels.message import Outcome
from chalicelib.channels.send import deliver
from chalicelib.domain.alerts.alert import Alert
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
from chalicelib.domain.alerts.outbox import Outgoing
from chalicelib.domain.alerts.routing import looks_at, wants
from chalicelib.domain.alerts.system_notice import channel_failing
from chalicelib.domain.alerts.wording import is_down
from chalicelib.domain.errors import CronHubError
from chalicelib.domain.monitor.event import EventKind
from chalicelib.domain.monitor.incident import NamedIncident
from chalicelib.services import clock
from chalicelib.services.commit import wake_for
from chalicelib.services.messages import message_of
from chalicelib.services.retries import retry_on_conflict
from chalicelib.store import alerts
from chalicelib.store.channels import announce_failing, forgotten, release, renew, take
from chalicelib.store.incidents import open_incidents, opened_between
from chalicelib.telemetry import SECONDS, measure

log = logging.getLogger("cronhub.notify")

# No delivery takes longer: MOST_SECONDS of the channels, and a moment more.
_LONGEST_DELIVERY = timedelta(seconds=22)
_LONGEST_BY_KIND = {ChannelKind.WEBHOOK: timedelta(seconds=11)}
# A claim lasts for one delivery and its record, and is renewed for the next: one whose holder died ends soon.
_RECORDING = timedelta(seconds=5)
# A sender's share of time: then it is another channel's turn.
_SHARE = timedelta(seconds=20)
# Of it, what loading may take.
_LOADING = timedelta(seconds=10)
_TAKEN_AGAIN_AFTER = timedelta(seconds=1)
# After failed tries, an alert that was not tried yet has its turn this long before those that were: so an alert
# that its receiver never takes does not stand in the way of others.
_FRESH_FIRST = timedelta(seconds=5)
_GROUPED_FROM = 5
# What goes down in the same look at the crons shares one message.
_TOGETHER = timedelta()
# Crons that went down within this time of each other went down for one reason.
_OPENED_TOGETHER = timedelta(minutes=1)
# How long the first recovery of such an outage waits for others.
_RECOVERED_TOGETHER = timedelta(minutes=2)
# An alert is tried for a day, so only those of the day before can still stand in its way.
_LOOK_BACK = timedelta(hours=25)
_LOOK_AGAIN = timedelta(seconds=30)
_NOTED_EVERY = timedelta(minutes=1)
# The last try of what failed first is a day after it was due; the first was made a little later.
_FAILING_AFTER = timedelta(hours=23, minutes=55)
_LOOKED_AT = 100
_END = "~"

AlertKey = tuple[str, str]


class Left(NamedTuple):
    """What a sender leaves to be looked at again, and when."""

    keys: list[AlertKey]
    at: datetime


class _Work(NamedTuple):
    """An alert as it stands now that its channel is claimed, with its cron's alerts of the last day."""

    outgoing: Outgoing
    of_cron: list[Outgoing]

    @property
    def alert(self) -> Alert:
        return self.outgoing.alert


def work_off(channel: Channel, found: Sequence[Outgoing], channels: Sequence[Channel]) -> list[Left]:
    """Sends what is due of these alerts over a channel; returns what is left. channels: all of its org."""
    now = clock.now()
    due = sorted((one for one in found if channel.id in looks_at(one, [channel], now)), key=_place)
    if not due:
        return []
    if channel.resume_at is not None and channel.resume_at > now:
        for one in due:
            settle(waiting(one, channel), looks_at(one, channels, now))
        return [Left([one.key for one in due], channel.resume_at)]
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
        self._outages = _Outages("", [])
        self._is_failing = False

    def work_off(self, due: Sequence[Outgoing]) -> list[Left]:
        self._works = list(self._loaded(due))
        loaded = {work.outgoing.key for work in self._works}
        rest = [one.key for one in due[len(self._works) :] if one.key not in loaded]
        self._deliveries = {
            one.key: one.deliveries.get(self.channel.id) for work in self._works for one in work.of_cron
        }
        self._works = [work for work in self._works if self._is_of_us(work)]
        self._down, self._outages = self._down_now(), _Outages(self.channel.org_id, self._works)
        for unit in _units([work for work in self._works if self._is_due(work)]):
            try:
                self._send_unit(unit)
            except CronHubError:
                # What was sent may be sent again: better than not at all.
                log.exception("channel %s: what was sent could not be recorded", self.channel.id)
                self._look_again(unit, clock.now() + _LOOK_AGAIN)
        return self._left(rest)

    def release(self) -> None:
        release(self._taken, self.channel)

    def _loaded(self, due: Iterable[Outgoing]) -> Iterator[_Work]:
        """Loads as many as there is time for; the others stay due."""
        for one in due:
            if clock.now() > self._began + _LOADING:
                log.warning("the store is slow: some alerts are left to another turn")
                return
            alert = one.alert
            of_cron = list(alerts.alerts_between(alert.cron_id, alert.at - _LOOK_BACK, _END))
            # As it is now that the channel is ours: another sender may have had it just before.
            yield _Work(next((each for each in of_cron if each.key == one.key), one), of_cron)

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
        for work in self._works:
            key = work.outgoing.key
            one = self._recorded.get(key, work.outgoing)
            of_channels = looks_at(one, channels, now)
            if self.channel.id in of_channels:
                of_channels[self.channel.id] = max(of_channels[self.channel.id], self._next_looks.get(key, now))
                looks[key] = of_channels[self.channel.id]
                one = waiting(one, self.channel)
            settle(one, of_channels)
        # An alert is not looked at before its time, so those of one time have a message together.
        return [Left([key for key in looks if looks[key] == at], at) for at in sorted(set(looks.values()))]

    def _is_due(self, work: _Work) -> bool:
        delivery = self._deliveries.get(work.outgoing.key)
        if delivery is not None and delivery.next_at is not None and delivery.next_at > clock.now():
            self._look_again([work], delivery.next_at)
            return False
        waits_until = self._outages.waits_until(work.alert)
        if waits_until is not None and self._is_down_again(work):
            # It waited for others, and meanwhile it is no longer true.
            self._record([(work, Delivery(DeliveryState.MERGED, tried_at=clock.now()))])
            return False
        if waits_until is not None and waits_until > clock.now():
            self._look_again([work], waits_until)
            return False
        if self._recovery_of(work) is not None:
            self._record([(work, Delivery(DeliveryState.MERGED, tried_at=clock.now()))])
            return False
        return True

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

    def _send_unit(self, unit: list[_Work]) -> None:
        now = clock.now()
        held_up = [work for work in unit if self._is_held_up(work)]
        self._look_again(held_up, now + _LOOK_AGAIN)
        ready = [work for work in unit if work not in held_up]
        # While it fails, no other is tried; and when its share of time is over, the rest has another turn.
        if not ready or self._is_failing or not self._has_time(now):
            return
        message = message_of([work.alert for work in ready], self.channel.id, self._also_down(ready[0].alert))
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
        is_failing = one.result is TryResult.LATER
        if is_failing:
            self._pause(one, [delivery for _, delivery in deliveries])
        self._record(deliveries)
        if is_failing:
            self._give_up(one)

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
        return wants(self.channel, one.alert) and self._outages.waits_until(one.alert) is None

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


def _units(works: list[_Work]) -> list[list[_Work]]:
    """Returns what each message says: five and more crons that went down, or came up, together share one."""
    groups: list[list[_Work]] = []
    for is_group in (is_down, _is_recovery):
        groups += _clusters([work for work in works if is_group(work.alert)])
    of_group = {id(work): group for group in groups if len(group) >= _GROUPED_FROM for work in group}
    units: list[list[_Work]] = []
    for work in works:
        group = of_group.get(id(work), [work])
        if work is group[0]:
            units.append(group)
    return units


def _says_as_well(recovery: Alert, down: Alert) -> bool:
    """Whether an alert is the recovery from what another tells: it says so itself."""
    return _is_recovery(recovery) and is_down(down) and recovery.incident_id == down.incident_id


def _is_recovery(alert: Alert) -> bool:
    return alert.kind is EventKind.RECOVERED


def _clusters(works: list[_Work]) -> list[list[_Work]]:
    """Splits alerts in order of time into those that belong together."""
    clusters: list[list[_Work]] = []
    for work in sorted(works, key=lambda one: one.alert.place):
        within = _TOGETHER if is_down(work.alert) else _RECOVERED_TOGETHER
        if clusters and work.alert.at - clusters[-1][0].alert.at <= within:
            clusters[-1].append(work)
        else:
            clusters.append([work])
    return clusters


class _Outages:
    """The incidents of an org that opened together: their recoveries share a message as well."""

    def __init__(self, org_id: str, works: list[_Work]) -> None:
        alerts_of_crons = (one.alert for work in works for one in work.of_cron)
        opened = [one.opened_at for one in alerts_of_crons if _is_recovery(one) and one.opened_at]
        self._opened: list[datetime] = []
        if opened:
            first, last = min(opened) - _OPENED_TOGETHER, max(opened) + _OPENED_TOGETHER
            self._opened = opened_between(org_id, first, last, _LOOKED_AT * 5)

    def waits_until(self, alert: Alert) -> datetime | None:
        """When a recovery is sent that others of the same outage may join."""
        if not _is_recovery(alert) or alert.opened_at is None:
            return None
        near = sum(abs(at - alert.opened_at) <= _OPENED_TOGETHER for at in self._opened)
        return alert.at + _RECOVERED_TOGETHER if near >= _GROUPED_FROM else None
