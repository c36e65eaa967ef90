"""Messages: alerts in words, with links."""

import hashlib
from collections.abc import Sequence
from typing import Any

from chalicelib import settings
from chalicelib.channels.message import Message
from chalicelib.domain.alerts import wording
from chalicelib.domain.alerts.alert import Alert
from chalicelib.domain.alerts.channel import Severity, severity_of
from chalicelib.domain.alerts.system_notice import NOTICES


def message_of(alerts: Sequence[Alert], channel_id: str, also_down: Sequence[str] = ()) -> Message:
    """Returns one message for one alert, or for all of them. Its id is the same each time it is made."""
    first = alerts[0]
    if len(alerts) == 1:
        return Message(
            id=_delivery_id(alerts, channel_id),
            kind=first.kind.value,
            severity=severity_of(first.stands_for or first.kind),
            title=wording.title(first),
            text=wording.text(first, _page(first), also_down),
            event=_event(first, also_down),
            at=first.at,
        )
    return Message(
        id=_delivery_id(alerts, channel_id),
        kind="down" if wording.is_down(first) else "up",
        severity=Severity.CRITICAL if wording.is_down(first) else Severity.INFO,
        title=wording.group_title(alerts),
        text=wording.group_text(alerts, f"{settings.base_url()}/"),
        event=wording.group_event(alerts, [_event(alert) for alert in alerts]),
        at=first.at,
    )


def _event(alert: Alert, also_down: Sequence[str] = ()) -> dict[str, Any]:
    words = wording.text(alert, _page(alert), also_down)
    cron_url = f"{settings.base_url()}/api/crons/{alert.cron_id}"
    return wording.event(alert, words, cron_url, also_down)


def _page(alert: Alert) -> str:
    """Returns the page that people open; programs get the API's address."""
    return f"{settings.base_url()}/" + ("" if alert.kind in NOTICES else f"crons/{alert.cron_id}")


def _delivery_id(alerts: Sequence[Alert], channel_id: str) -> str:
    named = "\0".join([channel_id, *(f"{alert.cron_id} {alert.id}" for alert in alerts)])
    return "msg_" + hashlib.sha256(named.encode()).hexdigest()[:26]
