"""What an alert says to programs: the JSON events of docs/channels.md."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypedDict

from chalicelib.domain.alerts.alert import Alert, is_down
from chalicelib.domain.alerts.channel import severity_of
from chalicelib.domain.alerts.system_notice import NOTICES
from chalicelib.domain.alerts.wording import group_title, title
from chalicelib.domain.monitor.event import EventKind
from chalicelib.domain.times import iso_utc

_EXPECTED = {EventKind.LATE, EventKind.MISSED, EventKind.DRIFT, EventKind.ON_SCHEDULE}


class CronNamed(TypedDict):
    """A cron without its id: receivers must not be able to signal."""

    product: str
    service: str
    name: str
    tags: list[str]
    project_id: str | None
    url: str


class IncidentNamed(TypedDict):
    id: str
    opened_at: str | None
    missed: int


class AlertData(TypedDict):
    alert_id: str
    kind: str
    severity: str
    cron: CronNamed | None
    incident: IncidentNamed | None
    title: str
    text: str
    detail: str
    at: str
    about: str | None
    expected_at: str | None
    timezone: str
    run_id: str | None
    last_output: str | None
    downtime_seconds: int | None
    also_down: list[str]


class AlertEvent(TypedDict):
    type: str
    timestamp: str
    data: AlertData


class WorstAlert(TypedDict):
    alert_id: str
    cron: CronNamed | None
    incident: IncidentNamed | None


class GroupData(TypedDict):
    title: str
    count: int
    worst: WorstAlert
    alerts: list[AlertEvent]


class GroupEvent(TypedDict):
    type: str
    timestamp: str
    data: GroupData


def event(alert: Alert, words: str, page: str, also_down: Sequence[str] = ()) -> AlertEvent:
    """words: what `wording.text` returns for the alert."""
    is_notice = alert.kind in NOTICES
    return {
        "type": f"{'notice' if is_notice else 'cron'}.{alert.kind.value}",
        "timestamp": iso_utc(alert.at),
        "data": {
            "alert_id": alert.id,
            "kind": alert.kind.value,
            "severity": severity_of(alert.stands_for or alert.kind).value,
            "cron": None if is_notice else _cron(alert, page),
            "incident": _incident(alert),
            "title": title(alert),
            "text": words,
            "detail": alert.detail,
            "at": iso_utc(alert.at),
            "about": _iso(alert.about),
            "expected_at": _iso(alert.about if alert.kind in _EXPECTED else None),
            "timezone": alert.timezone,
            "run_id": alert.run_id,
            "last_output": alert.output,
            "downtime_seconds": _downtime(alert),
            "also_down": list(also_down),
        },
    }


def _cron(alert: Alert, page: str) -> CronNamed:
    return {
        "product": alert.product,
        "service": alert.service,
        "name": alert.name,
        "tags": list(alert.tags),
        "project_id": alert.project_id,
        "url": page,
    }


def _incident(alert: Alert) -> IncidentNamed | None:
    if alert.incident_id is None:
        return None
    return {"id": alert.incident_id, "opened_at": _iso(alert.opened_at), "missed": alert.missed}


def _downtime(alert: Alert) -> int | None:
    if alert.kind is not EventKind.RECOVERED or alert.opened_at is None:
        return None
    return (alert.at - alert.opened_at) // timedelta(seconds=1)


def _iso(at: datetime | None) -> str | None:
    return None if at is None else iso_utc(at)


def group_event(alerts: Sequence[Alert], events: list[AlertEvent]) -> GroupEvent:
    """One event for many crons that went down, or came up, together; with the event of each, the worst first."""
    worst = events[0]["data"]
    return {
        "type": "crons.down" if is_down(alerts[0]) else "crons.up",
        "timestamp": iso_utc(min(alert.at for alert in alerts)),
        "data": {
            "title": group_title(alerts),
            "count": len(alerts),
            "worst": {"alert_id": worst["alert_id"], "cron": worst["cron"], "incident": worst["incident"]},
            "alerts": events,
        },
    }
