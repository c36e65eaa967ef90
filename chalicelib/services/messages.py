"""Messages: alerts in words, with links."""

import hashlib
from collections.abc import Sequence
from urllib.parse import quote, urlencode

from chalicelib import settings
from chalicelib.channels.message import Message
from chalicelib.domain.alerts import wording
from chalicelib.domain.alerts.alert import Alert, is_down
from chalicelib.domain.alerts.alert_event import AlertEvent, event, group_event
from chalicelib.domain.alerts.channel import Severity, severity_of
from chalicelib.domain.alerts.gathering import Shared
from chalicelib.domain.alerts.system_notice import NOTICES

# So many events of a message are whole; of the others the title is enough: many receivers take no more than 1 MB.
_WHOLE = 100


def message_of(shared: Shared, channel_id: str, also_down: Sequence[str] = ()) -> Message:
    """Returns one message for one alert, or for all of them. Its id is the same each time it is made."""
    delivery_id = _delivery_id(shared, channel_id)
    if len(shared.alerts) == 1:
        [alert] = shared.alerts
        return Message(
            id=delivery_id,
            kind=alert.kind.value,
            severity=severity_of(alert.stands_for or alert.kind),
            title=wording.title(alert),
            text=wording.text(alert, _page(alert), also_down),
            event=_event(alert, also_down),
            at=alert.at,
        )
    alerts = wording.worst_first(shared.alerts)
    events = [_event(alert) for alert in alerts[:_WHOLE]] + [_short_event(alert) for alert in alerts[_WHOLE:]]
    is_of_down = is_down(alerts[0])
    return Message(
        id=delivery_id,
        kind="down" if is_of_down else "up",
        severity=Severity.CRITICAL if is_of_down else Severity.INFO,
        title=wording.group_title(alerts),
        text=wording.group_text(alerts, f"{settings.base_url()}/"),
        event=group_event(alerts, events),
        at=min(alert.at for alert in alerts),
    )


def _event(alert: Alert, also_down: Sequence[str] = ()) -> AlertEvent:
    page = _page(alert)
    return event(alert, wording.text(alert, page, also_down), page, also_down)


def _short_event(alert: Alert) -> AlertEvent:
    return event(alert._replace(output=None), wording.title(alert), _page(alert))


def _page(alert: Alert) -> str:
    """Returns the page that people open. It names the cron: who holds an id can signal with it."""
    if alert.kind in NOTICES:
        return f"{settings.base_url()}/"
    names = {"product": alert.product, "service": alert.service, "name": alert.name}
    return f"{settings.base_url()}/crons?{urlencode(names, quote_via=quote)}"


def _delivery_id(shared: Shared, channel_id: str) -> str:
    named = "\0".join([channel_id, *(f"{cron_id} {alert_id}" for cron_id, alert_id in shared.members)])
    return "msg_" + hashlib.sha256(named.encode()).hexdigest()[:26]
