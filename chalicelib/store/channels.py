"""Channels: a handful an org, so that they are read all at once."""

from datetime import datetime
from typing import Any

from pynamodb.exceptions import DeleteError, TransactWriteError, UpdateError
from pynamodb.transactions import TransactWrite

from chalicelib.domain.alerts.alert import Alert
from chalicelib.domain.alerts.channel import Channel, ChannelFilters, ChannelKind, Severity
from chalicelib.domain.times import from_ms, to_ms
from chalicelib.store.alerts import alert_item
from chalicelib.store.cron_codec import at_ms, ms
from chalicelib.store.errors import failed_at, is_conflict, is_unmet, store_errors
from chalicelib.store.reading import get_or_none
from chalicelib.store.tables import ChannelItem, connection

_HEALTH = (
    ChannelItem.failing_since,
    ChannelItem.last_error,
    ChannelItem.last_delivered_at,
    ChannelItem.failing_alerted,
)


def channels_of_org(org_id: str) -> list[Channel]:
    """All channels of an org, in the order they were made."""
    with store_errors():
        return [_channel(item) for item in ChannelItem.query(org_id, consistent_read=True)]


def find_channel(org_id: str, channel_id: str) -> Channel | None:
    item = get_or_none(ChannelItem, org_id, channel_id)
    return None if item is None else _channel(item)


def save_channel(channel: Channel, *, afresh: bool = False) -> Channel:
    """Writes a channel that is new, or was loaded; returns it as it now stands.

    How its deliveries go is left as it is, or with `afresh` forgotten. Raises ConcurrentUpdate where it has
    changed since it was loaded.
    """
    saved = channel._replace(version=channel.version + 1)
    actions = [
        attribute.remove() if value is None else attribute.set(value) for attribute, value in _settings(saved)
    ]
    if afresh:
        actions += [attribute.remove() for attribute in _HEALTH]
        saved = saved._replace(failing_since=None, last_error=None, last_delivered_at=None, failing_alerted=False)
    is_as_loaded: Any = (
        ChannelItem.version == channel.version if channel.version else ChannelItem.channel_id.does_not_exist()
    )
    with store_errors():
        ChannelItem(channel.org_id, channel.id).update(actions, condition=is_as_loaded)
    return saved


def _settings(channel: Channel) -> list[tuple[Any, Any]]:
    filters = {
        name: [str(value) for value in values] for name, values in channel.filters._asdict().items() if values
    }
    return [
        (ChannelItem.version, channel.version),
        (ChannelItem.name, channel.name),
        (ChannelItem.kind, channel.kind.value),
        (ChannelItem.url, channel.url),
        (ChannelItem.created_at, ms(channel.created_at)),
        (ChannelItem.secrets, list(channel.secrets) or None),
        (ChannelItem.filters, filters or None),
        (ChannelItem.confirmed, channel.confirmed),
        (ChannelItem.confirmation, channel.confirmation),
        (ChannelItem.confirm_by, ms(channel.confirm_by)),
    ]


def note_delivered(org_id: str, channel_id: str, at: datetime) -> None:
    """That a delivery went well; of a channel that is gone, nothing is noted."""
    _note(
        org_id,
        channel_id,
        ChannelItem.last_delivered_at.set(to_ms(at)),
        ChannelItem.failing_since.remove(),
        ChannelItem.last_error.remove(),
        ChannelItem.failing_alerted.remove(),
    )


def note_failed(org_id: str, channel_id: str, at: datetime, error: str) -> None:
    """That a try failed: since when they do is that of the first since one went well."""
    _note(
        org_id,
        channel_id,
        ChannelItem.failing_since.set(ChannelItem.failing_since | to_ms(at)),
        ChannelItem.last_error.set(error),
    )


def announce_failing(channel: Channel, notice: Alert) -> bool:
    """Marks a channel as failing, together with the notice of it; False where that was done."""
    still_fails: Any = ChannelItem.failing_since.exists() & ChannelItem.failing_alerted.does_not_exist()
    with store_errors():
        try:
            with TransactWrite(connection=connection()) as transaction:
                transaction.save(alert_item(notice))
                item = ChannelItem(channel.org_id, channel.id)
                transaction.update(item, [ChannelItem.failing_alerted.set(True)], still_fails)
        except TransactWriteError as error:
            if not failed_at(error, 1):
                raise
            return False
    return True


def _note(org_id: str, channel_id: str, *actions: Any) -> None:
    with store_errors():
        try:
            ChannelItem(org_id, channel_id).update(list(actions), condition=ChannelItem.channel_id.exists())
        except UpdateError as error:
            if not is_conflict(error):
                raise


def delete_channel(org_id: str, channel_id: str) -> bool:
    """Whether it was there."""
    with store_errors():
        try:
            ChannelItem(org_id, channel_id).delete(ChannelItem.channel_id.exists())
        except DeleteError as error:
            if not is_unmet(error):
                raise
            return False
    return True


def _channel(item: ChannelItem) -> Channel:
    return Channel(
        org_id=item.org_id,
        id=item.channel_id,
        name=item.name,
        kind=ChannelKind(item.kind),
        url=item.url,
        created_at=from_ms(int(item.created_at)),
        secrets=tuple(item.secrets or ()),
        filters=_filters(item.filters),
        confirmed=item.confirmed,
        confirmation=item.confirmation,
        confirm_by=at_ms(item.confirm_by),
        failing_since=at_ms(item.failing_since),
        last_error=item.last_error,
        last_delivered_at=at_ms(item.last_delivered_at),
        failing_alerted=bool(item.failing_alerted),
        version=int(item.version),
    )


def _filters(kept: Any) -> ChannelFilters:
    given = {} if kept is None else kept.as_dict()
    filters = ChannelFilters(**{name: tuple(values) for name, values in given.items()})
    return filters._replace(severities=tuple(Severity(severity) for severity in filters.severities))
