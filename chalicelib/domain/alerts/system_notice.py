"""A notice: an alert that is of no cron, but of what else people rely on; every channel has it."""

import hashlib
from datetime import datetime

from chalicelib.domain.alerts.alert import Alert
from chalicelib.domain.alerts.channel import Channel
from chalicelib.domain.ids import timed_id
from chalicelib.domain.monitor.blackout import Blackout
from chalicelib.domain.monitor.event import EventKind

NOTICES = frozenset({EventKind.CHANNEL_FAILING, EventKind.BLIND})


def channel_failing(channel: Channel, now: datetime) -> Alert:
    """Told over an org's other channels, once for each time that a channel fails for a day."""
    detail = f"{channel.name} ({channel.kind.value}) takes no alerts: {channel.last_error or 'no answer'}"
    return _notice(EventKind.CHANNEL_FAILING, channel.org_id, channel.id, channel.name, detail, now)._replace(
        about=channel.failing_since
    )


def blind(org_id: str, blackout: Blackout) -> Alert:
    """Told once an org and blackout: what is unknown of it, is not its crons' fault."""
    since, until = f"{blackout.since:%Y-%m-%d %H:%M:%S}", f"{blackout.until:%H:%M:%S}"
    detail = (
        f"no cron was looked at from {since} to {until} UTC: what was due then has its grace again, "
        "and is called unknown, not missed, if it does not come"
    )
    return _notice(EventKind.BLIND, org_id, org_id, "monitoring", detail, blackout.until)


def _notice(kind: EventKind, org_id: str, subject_id: str, name: str, detail: str, now: datetime) -> Alert:
    random = hashlib.sha256(f"{kind.value} {subject_id}".encode()).digest()
    return Alert(
        org_id=org_id,
        cron_id=subject_id,
        id=timed_id(now, random),
        kind=kind,
        at=now,
        send_at=now,
        product="",
        service="",
        name=name,
        timezone="UTC",
        detail=detail,
    )
