"""Channels: a handful an org, so that they are read all at once."""

from datetime import datetime
from typing import Any

from pynamodb.exceptions import DeleteError, TransactWriteError, UpdateError
from pynamodb.transactions import TransactWrite

from chalicelib.domain.alerts.alert import Alert
from chalicelib.domain.alerts.channel import Channel, ChannelFilters, ChannelKind, Severity
from chalicelib.domain.alerts.gathering import Gathering, Side
from chalicelib.domain.times import from_ms, to_ms
from chalicelib.store.alerts import alert_item
from chalicelib.store.cron_codec import at_ms, ms
from chalicelib.store.errors import failed_at, is_conflict, is_unmet, store_errors
from chalicelib.store.reading import get_or_none
from chalicelib.store.tables import ChannelItem, connection

_HEALTH: tuple[Any, ...] = (
    ChannelItem.failing_since,
    ChannelItem.last_error,
    ChannelItem.last_delivered_at,
    ChannelItem.failing_alerted,
    ChannelItem.failures,
    ChannelItem.resume_at,
)
_GATHERINGS: tuple[Any, ...] = (
    ChannelItem.down_until,
    ChannelItem.down_told_at,
    ChannelItem.down_told,
    ChannelItem.up_until,
    ChannelItem.up_told_at,
    ChannelItem.up_told,
    ChannelItem.has_groups,
)
_UNTIL: dict[Side, Any] = {Side.DOWN: ChannelItem.down_until, Side.UP: ChannelItem.up_until}


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
        saved = forgotten(saved)._replace(last_delivered_at=None)
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


def forgotten(channel: Channel) -> Channel:
    """Without what was noted of failed tries."""
    return channel._replace(failing_since=None, last_error=None, failing_alerted=False, failures=0, resume_at=None)


def take(channel: Channel, now: datetime, until: datetime) -> Channel | None:
    """Claims a channel to send over it; returns it as it now stands, None where nothing may be sent now.

    One at a time sends over a channel, so that order is kept and one that hangs costs one sender. A claim whose
    holder died ends by itself.
    """
    is_free: Any = ChannelItem.taken_until.does_not_exist() | (ChannelItem.taken_until <= to_ms(now))
    may_go_on: Any = ChannelItem.resume_at.does_not_exist() | (ChannelItem.resume_at <= to_ms(now))
    item = ChannelItem(channel.org_id, channel.id)
    actions = [ChannelItem.taken_until.set(to_ms(until))]
    return (
        _channel(item) if _update(item, actions, ChannelItem.channel_id.exists() & is_free & may_go_on) else None
    )


def renew(channel: Channel, until: datetime) -> datetime | None:
    """Has a claim last longer; returns until when, None where it is another's by now."""
    is_ours = ChannelItem.taken_until == ms(channel.taken_until)
    item, actions = ChannelItem(channel.org_id, channel.id), [ChannelItem.taken_until.set(to_ms(until))]
    return until if _update(item, actions, is_ours) else None


def release(before: Channel, after: Channel) -> None:
    """Ends a claim, and notes how the deliveries went. One that ended meanwhile is another's: nothing is noted."""
    actions: list[Any] = [ChannelItem.taken_until.remove()]
    attributes = _HEALTH + _GATHERINGS
    for attribute, old, new in zip(attributes, _state_of(before), _state_of(after), strict=True):
        if new != old:
            actions.append(attribute.remove() if new is None else attribute.set(new))
    _update(ChannelItem(before.org_id, before.id), actions, ChannelItem.taken_until == ms(before.taken_until))


def open_gathering(channel: Channel, side: Side, until: datetime) -> bool:
    """Has alerts wait for each other until then; False where that changed since the channel was loaded."""
    attribute, seen = _UNTIL[side], channel.gathering(side).until
    is_as_loaded = attribute.does_not_exist() if seen is None else attribute == to_ms(seen)
    item = ChannelItem(channel.org_id, channel.id)
    return _update(item, [attribute.set(to_ms(until))], ChannelItem.channel_id.exists() & is_as_loaded)


def note_groups(channel: Channel) -> bool:
    """Notes of a claimed channel that it is sent messages of several alerts; False where it is another's."""
    is_ours = ChannelItem.taken_until == ms(channel.taken_until)
    return _update(ChannelItem(channel.org_id, channel.id), [ChannelItem.has_groups.set(True)], is_ours)


def _state_of(channel: Channel) -> tuple[Any, ...]:
    """Returns what `_HEALTH` and `_GATHERINGS` hold of a channel, in their order."""
    return (
        ms(channel.failing_since),
        channel.last_error,
        ms(channel.last_delivered_at),
        channel.failing_alerted or None,
        channel.failures or None,
        ms(channel.resume_at),
        ms(channel.down.until),
        ms(channel.down.told_at),
        channel.down.told or None,
        ms(channel.up.until),
        ms(channel.up.told_at),
        channel.up.told or None,
        channel.has_groups or None,
    )


def note_delivered(org_id: str, channel_id: str, at: datetime) -> None:
    """That a delivery went well; of a channel that is gone, nothing is noted."""
    _note_of(
        org_id,
        channel_id,
        ChannelItem.last_delivered_at.set(to_ms(at)),
        ChannelItem.failing_since.remove(),
        ChannelItem.last_error.remove(),
        ChannelItem.failing_alerted.remove(),
        ChannelItem.failures.remove(),
        ChannelItem.resume_at.remove(),
    )


def note_failed(org_id: str, channel_id: str, at: datetime, error: str) -> None:
    """That a try failed: since when they do is that of the first since one went well."""
    _note_of(
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


def _note_of(org_id: str, channel_id: str, *actions: Any) -> None:
    _update(ChannelItem(org_id, channel_id), list(actions), ChannelItem.channel_id.exists())


def _update(item: ChannelItem, actions: list[Any], condition: Any) -> bool:
    """Returns False where the condition does not hold, or another request is writing it just now."""
    with store_errors():
        try:
            item.update(actions, condition=condition)
        except UpdateError as error:
            if not is_conflict(error):
                raise
            return False
    return True


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
        failures=int(item.failures or 0),
        resume_at=at_ms(item.resume_at),
        taken_until=at_ms(item.taken_until),
        down=Gathering(at_ms(item.down_until), at_ms(item.down_told_at), int(item.down_told or 0)),
        up=Gathering(at_ms(item.up_until), at_ms(item.up_told_at), int(item.up_told or 0)),
        has_groups=bool(item.has_groups),
        version=int(item.version),
    )


def _filters(kept: Any) -> ChannelFilters:
    given = {} if kept is None else kept.as_dict()
    filters = ChannelFilters(**{name: tuple(values) for name, values in given.items()})
    return filters._replace(severities=tuple(Severity(severity) for severity in filters.severities))
