"""The outbox: alerts, from the transaction that decides them until every channel is done with them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zlib import crc32

from pynamodb.exceptions import PutError, UpdateError
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from chalicelib.domain.alerts.alert import Alert
from chalicelib.domain.alerts.delivery import Delivery, DeliveryState
from chalicelib.domain.alerts.outbox import Outgoing
from chalicelib.domain.errors import ConcurrentUpdate
from chalicelib.domain.ids import first_id_at
from chalicelib.domain.monitor.event import EventKind
from chalicelib.domain.times import from_ms, to_ms
from chalicelib.store.cron_codec import at_ms, ms
from chalicelib.store.errors import is_unmet, store_errors
from chalicelib.store.tables import AlertItem, SendIndex, connection

SHARDS = 4
KEPT = timedelta(days=90)
_ITEMS_AT_ONCE = 100
_TIMES = ("at", "send_at", "about", "opened_at")


def _body(alert: Alert) -> dict[str, Any]:
    values = {name: value for name, value in alert._asdict().items() if value not in (None, (), "", 0)}
    return {name: to_ms(value) if name in _TIMES else value for name, value in values.items()}


def alert_item(alert: Alert) -> AlertItem:
    return AlertItem(
        *alert.key,
        send_shard=crc32(alert.cron_id.encode()) % SHARDS,
        send_at=to_ms(alert.send_at),
        body=_body(alert),
        deliveries={},
        expires_at=alert.at + KEPT,
    )


def put_notice(notice: Alert) -> bool:
    """Puts a notice into the outbox; False where it is there already, sent or not."""
    with store_errors():
        try:
            alert_item(notice).save(AlertItem.alert_id.does_not_exist())
        except PutError as error:
            if not is_unmet(error):
                raise
            return False
    return True


def _outgoing(item: AlertItem) -> Outgoing:
    # A notice is of no service; what is empty is not stored.
    body: dict[str, Any] = {"product": "", "service": "", **item.body}
    body |= {name: from_ms(body[name]) for name in _TIMES if name in body}
    body |= {"kind": EventKind(body["kind"]), "tags": tuple(body.get("tags", ()))}
    body["channel_ids"] = tuple(body.get("channel_ids", ()))
    if "stands_for" in body:
        body["stands_for"] = EventKind(body["stands_for"])
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


class DueAlert(NamedTuple):
    """An alert that is to be worked on, and since when."""

    key: tuple[str, str]
    since: datetime


def due_alerts(shard: int, now: datetime, limit: int) -> list[DueAlert]:
    """The first alerts of a shard that are to be worked on, in order."""
    with store_errors():
        items = AlertItem.send.query(shard, SendIndex.send_at <= to_ms(now), limit=limit)
        return [DueAlert((item.cron_id, item.alert_id), from_ms(int(item.send_at or 0))) for item in items]


def find_outgoing(keys: Iterable[tuple[str, str]]) -> list[Outgoing]:
    with store_errors():
        found = [_outgoing(item) for item in AlertItem.batch_get(list(keys), consistent_read=True)]
    return sorted(found, key=lambda one: one.alert.place)


def record(deliveries: Mapping[tuple[str, str], Delivery], channel_id: str) -> list[Outgoing]:
    """Writes how far a channel is with these alerts, at once: what was sent is not to be sent again. Returns them
    as they then stand.

    Those of one message together: a holder that dies in between would have a part of them sent again,
    which the receiver could not tell from a new message. Raises ConcurrentUpdate where another sender is writing
    one of them: to be done again.
    """
    changes = [
        (key, [AlertItem.deliveries[channel_id].set(_delivery_map(delivery))])
        for key, delivery in deliveries.items()
    ]
    if len(changes) == 1:
        return _updated_alone(changes)
    for start in range(0, len(changes), _ITEMS_AT_ONCE):
        together = changes[start : start + _ITEMS_AT_ONCE]
        if not _updated_together(together):
            _updated_alone(together)
    return find_outgoing(deliveries)


def note_waiting(one: Outgoing, channel_id: str, delivery: Delivery) -> Outgoing:
    """Notes that an alert waits for a channel that takes none just now, unless it was tried already; returns it as
    it then stands."""
    actions = [AlertItem.deliveries[channel_id].set(_delivery_map(delivery))]
    with suppress(ConcurrentUpdate):
        item = _update(one.key, actions, AlertItem.deliveries[channel_id].does_not_exist())
        if item is not None:
            return _outgoing(item)
    return one


_Changes = Sequence[tuple[tuple[str, str], list[Action]]]


def _updated_alone(changes: _Changes) -> list[Outgoing]:
    updated = (_update(key, actions, AlertItem.alert_id.exists()) for key, actions in changes)
    return [_outgoing(item) for item in updated if item is not None]


def _updated_together(changes: _Changes) -> bool:
    """Returns False where one of them is gone, or is being written by another sender: then none was."""
    try:
        with store_errors(), TransactWrite(connection=connection()) as transaction:
            for key, actions in changes:
                transaction.update(AlertItem(*key), actions, AlertItem.alert_id.exists())
    except ConcurrentUpdate:
        return False
    return True


def write_words(one: Outgoing, name: str, detail: str) -> Outgoing | None:
    """Gives an alert its words; returns it as it then stands, None where it is gone."""
    body = _body(one.alert._replace(name=name, detail=detail))
    item = _update(one.key, [AlertItem.body.set(body)], AlertItem.alert_id.exists())
    return None if item is None else _outgoing(item)


def settle(one: Outgoing, send_at: datetime | None) -> None:
    """Has an alert looked at again at `send_at`, or never. If it changed since it was read, that change has
    settled it."""
    if send_at == one.send_at or one.send_at is None:
        return
    actions: list[Action] = (
        [AlertItem.send_at.remove(), AlertItem.send_shard.remove()]
        if send_at is None
        else [AlertItem.send_at.set(to_ms(send_at))]
    )
    # Where another sender is writing it, the next tick finds it.
    with suppress(ConcurrentUpdate):
        _update(one.key, actions, AlertItem.send_at == to_ms(one.send_at))


def _update(key: tuple[str, str], actions: list[Action], condition: Any) -> AlertItem | None:
    """Returns the item as it then stands, None where the condition does not hold. Raises ConcurrentUpdate where it
    is being written just now."""
    item = AlertItem(*key)
    with store_errors():
        try:
            item.update(actions, condition)
        except UpdateError as error:
            if not is_unmet(error):
                raise
            return None
    return item


def alerts_between(cron_id: str, start: datetime, end: datetime | str) -> Iterator[Outgoing]:
    """A cron's alerts in order, from a moment on, to below a moment or an alert's id."""
    low = first_id_at(start)
    high = end if isinstance(end, str) else first_id_at(end)
    with store_errors():
        for item in AlertItem.query(cron_id, AlertItem.alert_id.between(low, high), consistent_read=True):
            if item.alert_id != high:
                yield _outgoing(item)
