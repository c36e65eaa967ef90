"""Which channels an alert goes over, and when each is next to be looked at."""

from collections.abc import Iterable
from datetime import datetime

from chalicelib.domain.alerts.alert import Alert
from chalicelib.domain.alerts.channel import Channel, ChannelFilters, Subject, admits
from chalicelib.domain.alerts.outbox import Outgoing
from chalicelib.domain.alerts.system_notice import NOTICES
from chalicelib.domain.monitor.event import EventKind


def wants(channel: Channel, alert: Alert) -> bool:
    """Whether an alert goes over a channel: not one from before the channel was made."""
    if not channel.confirmed or channel.created_at > alert.at:
        return False
    if alert.kind is EventKind.REPORT:
        return channel.id in alert.channel_ids if alert.channel_ids else _takes_reports(channel)
    if alert.kind in NOTICES:
        return channel.id != alert.cron_id
    kinds = [alert.kind] if alert.stands_for is None else [alert.kind, alert.stands_for]
    about = Subject(alert.product, alert.service, alert.project_id, alert.tags)
    return any(admits(channel.filters, kind, about) for kind in kinds)


def _takes_reports(channel: Channel) -> bool:
    """Whether its filters let a report through. It is about all crons, so those by cron do not count."""
    filters = ChannelFilters(kinds=channel.filters.kinds, severities=channel.filters.severities)
    return admits(filters, EventKind.REPORT, Subject("", ""))


def looks_at(one: Outgoing, channels: Iterable[Channel], now: datetime) -> dict[str, datetime]:
    """Returns when an alert is to be looked at over each channel, by id, that is not done with it."""
    return {channel.id: _look_at(one, channel, now) for channel in channels if _is_to_come(one, channel)}


def _is_to_come(one: Outgoing, channel: Channel) -> bool:
    delivery = one.deliveries.get(channel.id)
    return wants(channel, one.alert) and (delivery is None or delivery.is_pending)


def _look_at(one: Outgoing, channel: Channel, now: datetime) -> datetime:
    delivery = one.deliveries.get(channel.id)
    return max(now, channel.resume_at or now, (delivery.next_at if delivery else None) or now)
