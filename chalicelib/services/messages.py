"""What goes out: alerts put into words, with links."""

import hashlib
from collections.abc import Sequence

from chalicelib import settings
from chalicelib.channels.message import Message
from chalicelib.domain import alert_words
from chalicelib.domain.alert import Alert
from chalicelib.domain.channel import Severity, severity_of
from chalicelib.domain.event import EventKind


def message_of(alerts: Sequence[Alert], channel_id: str, also_down: Sequence[str] = ()) -> Message:
    """One message for one alert, or for all of them; with the same id however often it is made."""
    first = alerts[0]
    if len(alerts) == 1:
        link, severity = _link(first), severity_of(first.kind)
        return Message(
            id=_delivery_id(alerts, channel_id),
            kind=first.kind.value,
            severity=severity,
            title=alert_words.title(first),
            text=alert_words.text(first, link, also_down),
            event=alert_words.event(first, link, severity.value, also_down),
            at=first.at,
        )
    events = [alert_words.event(alert, _link(alert), severity_of(alert.kind).value) for alert in alerts]
    return Message(
        id=_delivery_id(alerts, channel_id),
        kind="down",
        severity=Severity.CRITICAL,
        title=alert_words.group_title(alerts),
        text=alert_words.group_text(alerts, f"{settings.base_url()}/api/incidents?status=open"),
        event=alert_words.group_event(alerts, events),
        at=first.at,
    )


def _link(alert: Alert) -> str:
    if alert.kind is EventKind.CHANNEL_FAILING:
        return f"{settings.base_url()}/api/channels/{alert.cron_id}"
    if alert.kind is EventKind.BLIND:
        return f"{settings.base_url()}/api/crons"
    return f"{settings.base_url()}/api/crons/{alert.cron_id}"


def _delivery_id(alerts: Sequence[Alert], channel_id: str) -> str:
    named = "\0".join([channel_id, *(f"{alert.cron_id} {alert.id}" for alert in alerts)])
    return "msg_" + hashlib.sha256(named.encode()).hexdigest()[:26]
