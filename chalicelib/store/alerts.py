"""The outbox: alerts, from the transaction that decides them until every channel is done with them."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zlib import crc32

from pynamodb.exceptions import PutError, UpdateError
from pynamodb.expressions.update import Action

from chalicelib.domain.alert import Alert
from chalicelib.domain.delivery import Delivery, DeliveryState
from chalicelib.domain.event import EventKind
from chalicelib.domain.ids import first_id_at, from_ms, to_ms
from chalicelib.store.cron_items import at_ms, ms
from chalicelib.store.faults import is_lost_race, told_as_unavailable
from chalicelib.store.tables import AlertItem, SendIndex

SHARDS = 4
KEPT = timedelta(days=90)
_TIMES = ("at", "send_at", "about", "opened_at")


class Outgoing(NamedTuple):
    """An alert with its deliveries by channel; send_at: when it is next to be worked on, None: done."""

    alert: Alert
    deliveries: dict[str, Delivery]
    send_at: datetime | None

    @property
    def key(self) -> tuple[str, str]:
        return self.alert.org_id, alert_key(self.alert.cron_id, self.alert.id)


def alert_key(cron_id: str, alert_id: str) -> str:
    return f"{cron_id}#{alert_id}"


def alert_item(alert: Alert) -> AlertItem:
    values = {name: value for name, value in alert._asdict().items() if value not in (None, (), "", 0)}
    body = {name: to_ms(value) if name in _TIMES else value for name, value in values.items()}
    return AlertItem(
        alert.org_id,
        alert_key(alert.cron_id, alert.id),
        send_shard=crc32(alert.cron_id.encode()) % SHARDS,
        send_at=to_ms(alert.send_at),
        body=body,
        deliveries={},
        expires_at=alert.at + KEPT,
    )


def put_notice(notice: Alert) -> bool:
    """Puts a notice into the outbox; False where it is there already, sent or not."""
    with told_as_unavailable():
        try:
            alert_item(notice).save(AlertItem.alert_key.does_not_exist())
        except PutError as error:
            if not is_lost_race(error):
                raise
            return False
    return True


def _outgoing(item: AlertItem) -> Outgoing:
    # A notice is of no service; what is empty is not stored.
    body: dict[str, Any] = {"product": "", "service": "", **item.body}
    body |= {name: from_ms(body[name]) for name in _TIMES if name in body}
    body |= {"kind": EventKind(body["kind"]), "tags": tuple(body.get("tags", ()))}
    deliveries = item.deliveries.as_dict() if item.deliveries else {}
    return Outgoing(
        Alert(**body),
        {channel: _delivery(stored) for channel, stored in deliveries.items()},
        at_ms(item.send_at),
    )


def _delivery(stored: dict[str, Any]) -> Delivery:
    return Delivery(
        DeliveryState(stored["s"]),
        int(stored["n"]),
        at_ms(stored.get("t")),
        at_ms(stored.get("a")),
        stored.get("e"),
    )


def _delivery_map(delivery: Delivery) -> dict[str, Any]:
    values = {
        "s": delivery.state.value,
        "n": delivery.attempts,
        "t": ms(delivery.next_at),
        "a": ms(delivery.tried_at),
        "e": delivery.error,
    }
    return {name: value for name, value in values.items() if value is not None}


def due_keys(shard: int, now: datetime, limit: int) -> list[tuple[str, str]]:
    """The keys of the first alerts of a shard that are to be worked on."""
    with told_as_unavailable():
        items = AlertItem.send.query(shard, SendIndex.send_at <= to_ms(now), limit=limit)
        return [(item.org_id, item.alert_key) for item in items]


def find_outgoing(keys: Iterable[tuple[str, str]]) -> list[Outgoing]:
    with told_as_unavailable():
        found = [_outgoing(item) for item in AlertItem.batch_get(list(keys), consistent_read=True)]
    return sorted(found, key=lambda one: one.alert.id)


def claim(one: Outgoing, until: datetime) -> bool:
    """Takes an alert to work on it; False where somebody else did, or it is done. A claim that is not
    settled, as its holder died, ends by itself."""
    if one.send_at is None:
        return False
    return _update(one.key, [AlertItem.send_at.set(to_ms(until))], AlertItem.send_at == to_ms(one.send_at))


def record(key: tuple[str, str], channel_id: str, delivery: Delivery) -> None:
    """Writes how far a channel is, at once: what was sent is not to be sent again."""
    _update(key, [AlertItem.deliveries[channel_id].set(_delivery_map(delivery))], AlertItem.alert_key.exists())


def settle(key: tuple[str, str], send_at: datetime | None, claimed_until: datetime) -> None:
    """Ends a claim: the alert is worked on again at `send_at`, or never."""
    actions: list[Action] = (
        [AlertItem.send_at.remove(), AlertItem.send_shard.remove()]
        if send_at is None
        else [AlertItem.send_at.set(to_ms(send_at))]
    )
    _update(key, actions, AlertItem.send_at == to_ms(claimed_until))


def _update(key: tuple[str, str], actions: list[Action], condition: Any) -> bool:
    with told_as_unavailable():
        try:
            AlertItem(*key).update(actions, condition)
        except UpdateError as error:
            if not is_lost_race(error):
                raise
            return False
    return True


def alerts_between(org_id: str, cron_id: str, start: datetime, end: datetime | str) -> Iterator[Outgoing]:
    """A cron's alerts in order, from a moment on, to below a moment or an alert's id."""
    low = alert_key(cron_id, first_id_at(start))
    high = alert_key(cron_id, end if isinstance(end, str) else first_id_at(end))
    with told_as_unavailable():
        for item in AlertItem.query(org_id, AlertItem.alert_key.between(low, high), consistent_read=True):
            if item.alert_key != high:
                yield _outgoing(item)
