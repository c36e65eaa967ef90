"""Notices: alerts about CronHub itself or a channel, not about a cron. Every channel receives them."""

import hashlib
from datetime import datetime

from chalicelib.domain.alerts.alert import Alert
from chalicelib.domain.alerts.channel import Channel
from chalicelib.domain.alerts.report import Span
from chalicelib.domain.ids import timed_id
from chalicelib.domain.monitor.blackout import Blackout
from chalicelib.domain.monitor.event import EventKind
from chalicelib.domain.monitor.hearing import Deafness

NOTICES = frozenset({EventKind.CHANNEL_FAILING, EventKind.BLIND, EventKind.REPORT})


def channel_failing(channel: Channel, now: datetime) -> Alert:
    """Sent over the org's other channels, once each time a channel has failed for a day."""
    detail = f"{channel.name} ({channel.kind.value}) is rejecting alerts: {channel.last_error or 'no answer'}"
    notice = _notice(EventKind.CHANNEL_FAILING, channel.org_id, channel.id, now)
    return notice._replace(name=channel.name, detail=detail, about=channel.failing_since)


def blind(org_id: str, blackout: Blackout) -> Alert:
    """Sent once per org and blackout. It says why some occurrences are unknown, not missed."""
    if isinstance(blackout, Deafness):
        return _deaf(org_id, blackout)
    since, until = f"{blackout.since:%Y-%m-%d %H:%M:%S}", f"{blackout.until:%H:%M:%S}"
    detail = (
        f"CronHub did not check any cron from {since} to {until} UTC. Runs that were due then get their grace "
        "again. If they do not come, they are recorded as unknown, not as missed"
    )
    return _notice(EventKind.BLIND, org_id, org_id, blackout.until)._replace(name="monitoring", detail=detail)


def _deaf(org_id: str, deafness: Deafness) -> Alert:
    """Deafness is told while it goes on: what is the same each time is when it began."""
    detail = (
        f"no signal could reach CronHub from {deafness.since:%Y-%m-%d %H:%M:%S} to {deafness.until:%H:%M:%S} UTC "
        "or later: its own test signals did not arrive. Runs that were due then get their grace again. "
        "If they do not come, they are recorded as unknown, not as missed"
    )
    notice = _notice(EventKind.BLIND, org_id, org_id, deafness.since)
    return notice._replace(at=deafness.until, send_at=deafness.until, name="monitoring", detail=detail)


def report_due(org_id: str, span: Span, channel_ids: tuple[str, ...]) -> Alert:
    """A report that is still without words: they are found when it is sent."""
    notice = _notice(EventKind.REPORT, org_id, org_id, span.until)
    return notice._replace(name=span.called, timezone=span.timezone, about=span.since, channel_ids=channel_ids)


def _notice(kind: EventKind, org_id: str, subject_id: str, now: datetime) -> Alert:
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
        name="",
        timezone="UTC",
    )
