"""Sends what is in the outbox: each alert over each channel that wants it."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import groupby
from typing import NamedTuple

from chalicelib.channels.message import Outcome
from chalicelib.channels.send import deliver
from chalicelib.domain.alerts.alert import Alert
from chalicelib.domain.alerts.channel import Channel, Subject, admits
from chalicelib.domain.alerts.delivery import Delivery, DeliveryState, Try, TryResult, tried
from chalicelib.domain.alerts.outbox import Outgoing
from chalicelib.domain.alerts.system_notice import NOTICES, channel_failing
from chalicelib.domain.alerts.wording import is_down
from chalicelib.domain.errors import CronHubError
from chalicelib.domain.monitor.event import EventKind
from chalicelib.domain.monitor.incident import NamedIncident
from chalicelib.services import clock
from chalicelib.services.commit import wake_for
from chalicelib.services.messages import message_of
from chalicelib.services.retries import retry_on_conflict
from chalicelib.store import alerts
from chalicelib.store.channels import announce_failing, channels_of_org, note_delivered, note_failed
from chalicelib.store.incidents import open_incidents, opened_between
from chalicelib.telemetry import SECONDS, measure

log = logging.getLogger("cronhub.notify")

# Longer than a batch may take; a claim whose holder died ends with it.
CLAIMED_FOR = timedelta(seconds=60)
BATCH = 500
# What is sent must be recorded before the claim ends; one delivery takes at most so long.
_LONGEST_DELIVERY = timedelta(seconds=15)
# Of a claim's time, what is kept for sending.
_SENDING = timedelta(seconds=40)
_CHANNELS_AT_ONCE = 16
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

AlertKey = tuple[str, str]


class _Work(NamedTuple):
    """An alert that is claimed, with its cron's alerts of the last day, itself included."""

    outgoing: Outgoing
    of_cron: list[Outgoing]

    @property
    def alert(self) -> Alert:
        return self.outgoing.alert


def send_due(now: datetime) -> int:
    """Sends all that is due; returns how many alerts that were."""
    sent = 0
    # All shards at once, so that crons that went down together share a message.
    while keys := [key for shard in range(alerts.SHARDS) for key in alerts.due_keys(shard, now, BATCH)]:
        worked_on = send_alerts(keys)
        sent += worked_on
        if not worked_on:
            break
    return sent


def send_alerts(keys: Sequence[AlertKey]) -> int:
    """Sends those of these alerts that are due and not claimed; returns how many those were."""
    until = clock.now() + CLAIMED_FOR
    found = [one for one in alerts.find_outgoing(keys) if one.send_at is not None and one.send_at <= clock.now()]
    mine = list(_claimed(found, until))
    lines: dict[tuple[str, str], _Line] = {}
    for org_id, works in groupby(sorted(mine, key=lambda work: work.alert.org_id), lambda work: work.alert.org_id):
        in_order = sorted(works, key=lambda work: work.alert.place)
        down, outages = _down_in(org_id, in_order), _Outages(org_id, in_order)
        for channel in channels_of_org(org_id):
            wanted = [work for work in in_order if wants(channel, work.alert)]
            if wanted:
                lines[org_id, channel.id] = _Line(channel, wanted, _Around(down, outages), until)
    next_looks = _send_over_all(lines.values())
    for work in mine:
        alerts.settle(work.outgoing.key, next_looks.get(work.outgoing.key), until)
    return len(mine)


def _claimed(found: Iterable[Outgoing], until: datetime) -> Iterator[_Work]:
    """Claims as many as there is time to send; the others stay due."""
    for one in found:
        if clock.now() + _SENDING > until:
            log.warning("the store is slow: some alerts are left to the next tick")
            return
        if alerts.claim(one, until):
            yield _Work(one, _of_cron(one))


def _down_in(org_id: str, works: list[_Work]) -> list[NamedIncident]:
    """Returns what else is down, where a message says so: the latest that went down within a day."""
    if not any(is_down(work.alert) or work.alert.kind is EventKind.REMINDER for work in works):
        return []
    return open_incidents(org_id, clock.now() - _LOOK_BACK, _LOOKED_AT)


def _of_cron(one: Outgoing) -> list[Outgoing]:
    alert = one.alert
    return list(alerts.alerts_between(alert.cron_id, alert.at - _LOOK_BACK, _END))


_END = "~"


def wants(channel: Channel, alert: Alert) -> bool:
    """Whether an alert goes over a channel: not one from before the channel was made."""
    if not channel.confirmed or channel.created_at > alert.at:
        return False
    if alert.kind in NOTICES:
        return channel.id != alert.cron_id
    kinds = [alert.kind] if alert.stands_for is None else [alert.kind, alert.stands_for]
    about = Subject(alert.product, alert.service, alert.project_id, alert.tags)
    return any(admits(channel.filters, kind, about) for kind in kinds)


def _send_over_all(lines: Iterable["_Line"]) -> dict[AlertKey, datetime]:
    """Sends over each channel in a thread of its own: a slow one holds up no other."""
    next_looks: dict[AlertKey, datetime] = {}
    with ThreadPoolExecutor(_CHANNELS_AT_ONCE) as pool:
        for looks in pool.map(lambda line: line.send(), lines):
            for key, at in looks.items():
                next_looks[key] = min(at, next_looks.get(key, at))
    return next_looks


class _Around(NamedTuple):
    """What else is known of an org while its alerts are sent."""

    #: The incidents that are open.
    down: list[NamedIncident]
    outages: "_Outages"


class _Line:
    """The alerts of one batch that go over one channel, in order."""

    def __init__(self, channel: Channel, works: list[_Work], around: "_Around", claimed_until: datetime) -> None:
        self.down, self.outages = around
        self.claimed_until = claimed_until
        self.channel = channel
        self.works = works
        self.deliveries = {one.key: one.deliveries.get(channel.id) for work in works for one in work.of_cron}
        self.next_looks: dict[AlertKey, datetime] = {}
        self.is_down_until: datetime | None = None

    def send(self) -> dict[AlertKey, datetime]:
        for unit in _units([work for work in self.works if self._is_due(work)]):
            try:
                self._send_unit(unit)
            except CronHubError:
                # What was sent may be sent again: better than not at all.
                log.exception("channel %s: what was sent could not be recorded", self.channel.id)
                self._look_again(unit, clock.now() + _LOOK_AGAIN)
        return self.next_looks

    def _is_due(self, work: _Work) -> bool:
        delivery = self.deliveries.get(work.outgoing.key)
        if delivery is not None and not delivery.is_pending:
            return False
        if delivery is not None and delivery.next_at is not None and delivery.next_at > clock.now():
            self._look_again([work], delivery.next_at)
            return False
        waits_until = self.outages.waits_until(work.alert)
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
                if one.alert.kind is EventKind.RECOVERED
                and one.alert.incident_id == work.alert.incident_id
                and wants(self.channel, one.alert)
            ),
            None,
        )

    def _send_unit(self, unit: list[_Work]) -> None:
        now = clock.now()
        held_up = [work for work in unit if self._is_held_up(work)]
        self._look_again(held_up, now + _LOOK_AGAIN)
        ready = [work for work in unit if work not in held_up]
        if self.is_down_until is not None:
            # It does not take the one before: it is not asked again, and order is kept.
            self._look_again(ready, self.is_down_until)
            return
        if now + _LONGEST_DELIVERY > self.claimed_until:
            self._look_again(ready, self.claimed_until)
            return
        if not ready:
            return
        message = message_of([work.alert for work in ready], self.channel.id, self._also_down(ready[0].alert))
        outcome = deliver(self.channel, message, now)
        retry_after = (
            None if outcome.retry_after_seconds is None else timedelta(seconds=outcome.retry_after_seconds)
        )
        result = TryResult(outcome.state.value)
        measure("alerts_sent" if outcome.is_delivered else "alerts_failed", len(ready))
        if outcome.is_delivered:
            measure("delivery_delay", (clock.now() - ready[0].alert.send_at).total_seconds(), SECONDS)
        self._record(
            (
                work,
                tried(
                    self._before(work),
                    Try(result, clock.now(), outcome.detail, retry_after),
                    work.alert.send_at,
                ),
            )
            for work in ready
        )
        self._note_health(outcome)
        log.info("%s over %s (%s): %s", message.title, self.channel.name, self.channel.kind.value, result.value)

    def _note_health(self, outcome: Outcome) -> None:
        last = self.channel.last_delivered_at if self.channel.failing_since is None else None
        if outcome.is_delivered and last is not None and clock.now() - last < _NOTED_EVERY:
            return
        if outcome.is_delivered:
            note_delivered(self.channel.org_id, self.channel.id, clock.now())
        else:
            note_failed(self.channel.org_id, self.channel.id, clock.now(), outcome.detail)
            self._announce_failing(outcome.detail)

    def _announce_failing(self, error: str) -> None:
        """Tells the org's other channels, once this one has failed for a day."""
        channel, now = self.channel._replace(last_error=error), clock.now()
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
            for one in self.down
            if (one.product, one.service) == (alert.product, alert.service)
            and one.incident.cron_id != alert.cron_id
            and alert.kind is not EventKind.RECOVERED
        ]

    def _is_held_up(self, work: _Work) -> bool:
        """Whether an earlier alert of the same cron is still waiting for this channel."""
        earlier = (one for one in work.of_cron if one.alert.id < work.alert.id and one.send_at is not None)
        return any(self._is_to_come(one) for one in earlier)

    def _is_to_come(self, one: Outgoing) -> bool:
        delivery = self.deliveries.get(one.key)
        if delivery is not None:
            return delivery.is_pending
        # A recovery that waits for others of its outage holds up nothing.
        return wants(self.channel, one.alert) and self.outages.waits_until(one.alert) is None

    def _before(self, work: _Work) -> Delivery:
        return self.deliveries.get(work.outgoing.key) or Delivery()

    def _record(self, tries: Iterable[tuple[_Work, Delivery]]) -> None:
        by_key: dict[AlertKey, Delivery] = {}
        for work, delivery in tries:
            self.deliveries[work.outgoing.key] = by_key[work.outgoing.key] = delivery
            if delivery.next_at is not None:
                self.is_down_until = delivery.next_at
                self._look_again([work], delivery.next_at)
        retry_on_conflict(lambda: alerts.record(by_key, self.channel.id))

    def _look_again(self, works: Iterable[_Work], at: datetime) -> None:
        for work in works:
            key = work.outgoing.key
            self.next_looks[key] = min(at, self.next_looks.get(key, at))


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
