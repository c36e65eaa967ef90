"""Incidents."""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Self

from msgspec import UNSET, UnsetType

from chalicelib.api.schemas.paging import PageQuery
from chalicelib.api.schemas.values import Answer, Description, Name, Request, fields_of
from chalicelib.domain.alerts.delivery import DeliveryState
from chalicelib.domain.alerts.outbox import Outgoing
from chalicelib.domain.monitor.cron import Reason
from chalicelib.domain.monitor.incident import NamedIncident, Resolution
from chalicelib.services.incidents import IncidentFilters


class IncidentStatus(StrEnum):
    OPEN = "open"
    RESOLVED = "resolved"


class IncidentQuery(PageQuery):
    #: Only incidents of this cron.
    cron_id: str | None = None
    #: Only open or only resolved incidents.
    status: IncidentStatus | None = None

    def filters(self) -> IncidentFilters:
        return IncidentFilters(self.cron_id, None if self.status is None else self.status is IncidentStatus.OPEN)


class HandleIncident(Request):
    #: Who it was; the key's name unless given.
    by: Name | None = None
    #: A note for others.
    note: Description | None = None


class IncidentOut(Answer):
    #: The id, for use in paths.
    id: str
    #: The cron that it is about.
    cron_id: str
    #: The product that the cron belongs to.
    product: str
    #: The service that the cron belongs to.
    service: str
    #: The name of the cron.
    cron_name: str
    #: What opened it.
    reason: Reason
    #: `open` or `resolved`.
    status: IncidentStatus
    #: The deadline that was broken, or when the failure arrived.
    opened_at: datetime
    #: When it was closed; null while it is open.
    resolved_at: datetime | None
    #: How it ended; null while it is open.
    resolution: Resolution | None
    #: How many occurrences were missed in it so far.
    missed: int
    #: When it was last acknowledged.
    acknowledged_at: datetime | None
    #: Who acknowledged it last.
    acknowledged_by: str | None
    #: The last note that somebody made.
    note: str | None

    @classmethod
    def of(cls, named: NamedIncident) -> "IncidentOut":
        one = named.incident
        acknowledged = named.acknowledgements[-1] if named.acknowledgements else None
        return IncidentOut(
            id=one.id,
            cron_id=one.cron_id,
            product=named.product,
            service=named.service,
            cron_name=named.cron_name,
            reason=one.reason,
            status=IncidentStatus.OPEN if one.resolved_at is None else IncidentStatus.RESOLVED,
            opened_at=one.opened_at,
            resolved_at=one.resolved_at,
            resolution=one.resolution,
            missed=one.missed,
            acknowledged_at=acknowledged.at if acknowledged else None,
            acknowledged_by=acknowledged.by if acknowledged else None,
            note=named.resolution_note or (acknowledged.note if acknowledged else None),
        )


class IncidentList(Answer):
    #: The incidents of this page.
    incidents: tuple[IncidentOut, ...]
    #: Send it as `cursor` for the next page; null at the end.
    next_cursor: str | None


class TimelineEntry(Answer):
    #: When it happened.
    at: datetime
    #: `opened`, `acknowledged` or `resolved`.
    what: str
    #: Why it opened, the note of who acknowledged it, or how it was resolved.
    detail: str | None
    #: Who did it, when a person did.
    by: str | UnsetType | None = UNSET
    #: The note of who resolved it by hand.
    note: str | UnsetType | None = UNSET


class DeliveryOut(Answer):
    #: The channel that it goes over.
    channel_id: str
    #: `merged`: it was part of a later message.
    state: DeliveryState
    #: How many times delivery was tried.
    attempts: int
    #: When it was last tried.
    tried_at: datetime | None
    #: When it is tried again; null when it is not.
    next_at: datetime | None
    #: What went wrong at the last try.
    error: str | None


class SentAlert(Answer):
    #: The id, for use in paths.
    id: str
    #: What it tells, such as `missed`.
    kind: str
    #: When it was decided.
    at: datetime
    #: What happened, in words.
    detail: str
    #: How far each channel is with it.
    deliveries: tuple[DeliveryOut, ...]

    @classmethod
    def of(cls, one: Outgoing) -> Self:
        deliveries = (
            DeliveryOut(channel_id, found.state, found.attempts, found.tried_at, found.next_at, found.error)
            for channel_id, found in sorted(one.deliveries.items())
        )
        return cls(one.alert.id, one.alert.kind.value, one.alert.at, one.alert.detail, tuple(deliveries))


class IncidentTimeline(IncidentOut, kw_only=True):
    #: What happened, in order.
    timeline: tuple[TimelineEntry, ...]

    @classmethod
    def told(cls, named: NamedIncident) -> "IncidentTimeline":
        return IncidentTimeline(**fields_of(IncidentOut.of(named)), timeline=tuple(_timeline(named)))


class IncidentDetails(IncidentTimeline, kw_only=True):
    #: The alerts it made.
    alerts: tuple[SentAlert, ...]

    @classmethod
    def detailed(cls, named: NamedIncident, alerts: list[Outgoing]) -> Self:
        told = IncidentTimeline.told(named)
        return cls(**fields_of(told), alerts=tuple(SentAlert.of(one) for one in alerts))


def _timeline(named: NamedIncident) -> Iterator[TimelineEntry]:
    one = named.incident
    yield TimelineEntry(one.opened_at, "opened", one.reason.value)
    for acknowledged in named.acknowledgements:
        yield TimelineEntry(acknowledged.at, "acknowledged", acknowledged.note, by=acknowledged.by)
    if one.resolved_at is not None and one.resolution is not None:
        resolution = one.resolution.value
        if named.resolved_by:
            note = named.resolution_note
            yield TimelineEntry(one.resolved_at, "resolved", resolution, by=named.resolved_by, note=note)
        else:
            yield TimelineEntry(one.resolved_at, "resolved", resolution)
