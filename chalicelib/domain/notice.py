"""A notice: an alert that is of no cron, but of what else people rely on; every channel has it."""

import hashlib
from datetime import datetime

from chalicelib.domain.alert import Alert
from chalicelib.domain.channel import Channel
from chalicelib.domain.event import EventKind
from chalicelib.domain.ids import timed_id

NOTICES = frozenset({EventKind.CHANNEL_FAILING})


def channel_failing(channel: Channel, now: datetime) -> Alert:
    """Told over an org's other channels, once for each time that a channel fails for a day."""
    detail = f"{channel.name} ({channel.kind.value}) takes no alerts: {channel.last_error or 'no answer'}"
    return _notice(EventKind.CHANNEL_FAILING, channel.org_id, channel.id, channel.name, detail, now)._replace(
        about=channel.failing_since
    )


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
