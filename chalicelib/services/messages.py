"""Messages: alerts in words, with links."""

import hashlib
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode

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
    page = _page(alert)
    return wording.event(alert, wording.text(alert, page, also_down), page, also_down)


def _page(alert: Alert) -> str:
    """Returns the page that people open. It names the cron: who holds an id can signal with it."""
    if alert.kind in NOTICES:
        return f"{settings.base_url()}/"
    names = {"product": alert.product, "service": alert.service, "name": alert.name}
    return f"{settings.base_url()}/crons?{urlencode(names, quote_via=quote)}"


def _delivery_id(alerts: Sequence[Alert], channel_id: str) -> str:
    named = "\0".join([channel_id, *(f"{alert.cron_id} {alert.id}" for alert in alerts)])
    return "msg_" + hashlib.sha256(named.encode()).hexdigest()[:26]
