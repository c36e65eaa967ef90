"""What a channel gathers: alerts that wait for each other, and those that share a message until it is done.

An item holds the alerts of one message of the queue, or of one that is sent. So those that come in at the same
time do not write the same item.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from chalicelib.domain.alerts.gathering import AlertKey, Side
from chalicelib.store.errors import store_errors
from chalicelib.store.tables import AlertItem

# Behind all ids of alerts, and behind `~`, where queries for alerts end.
_WAITING, _GROUP = "~waiting-", "~group-"
_KEPT = timedelta(days=2)


class Kept(NamedTuple):
    """Alerts that belong together over a channel."""

    id: str
    members: tuple[AlertKey, ...]
    #: Of alerts that wait for each other; None of those that share a message.
    side: Side | None


def keep_waiting(channel_id: str, side: Side, keys: Sequence[AlertKey], now: datetime) -> None:
    _put(channel_id, f"{_WAITING}{side.value}-", keys, now)


def keep_group(channel_id: str, keys: Sequence[AlertKey], now: datetime) -> Kept:
    """Notes what shares a message, before it is sent, so that a second try sends the same."""
    return Kept(_put(channel_id, _GROUP, keys, now), tuple(keys), None)


def _put(channel_id: str, prefix: str, keys: Sequence[AlertKey], now: datetime) -> str:
    members = [list(key) for key in keys]
    # The same each time: to note it again changes nothing.
    item_id = prefix + hashlib.sha256(json.dumps(members).encode()).hexdigest()[:26]
    actions = [AlertItem.members.set(members), AlertItem.expires_at.set(now + _KEPT)]
    with store_errors():
        AlertItem(channel_id, item_id).update(actions)
    return item_id


def find_kept(channel_id: str) -> list[Kept]:
    with store_errors():
        items = AlertItem.query(channel_id, AlertItem.alert_id.startswith("~"), consistent_read=True)
        return [_kept(item) for item in items]


def _kept(item: AlertItem) -> Kept:
    members = tuple((str(cron_id), str(alert_id)) for cron_id, alert_id in item.members)
    is_group = item.alert_id.startswith(_GROUP)
    side = None if is_group else Side(item.alert_id.removeprefix(_WAITING).partition("-")[0])
    return Kept(item.alert_id, members, side)


def forget(channel_id: str, kept: Iterable[Kept]) -> None:
    with store_errors(), AlertItem.batch_write() as batch:
        for one in kept:
            batch.delete(AlertItem(channel_id, one.id))
