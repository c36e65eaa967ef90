"""Maintenance windows."""

from datetime import datetime
from typing import Annotated, Self

from msgspec import UNSET, Meta, UnsetType

from chalicelib.api.schemas.paging import PageQuery
from chalicelib.api.schemas.values import Answer, Instant, Name, Request, Schedule, Timezone
from chalicelib.domain.monitor.maintenance import LONGEST_MINUTES, MaintenanceWindow, next_spans, span_at
from chalicelib.services.maintenance import WindowChanges

_MOST_TAGS = 20
_MOST_CRON_IDS = 100


class WindowIn(Request):
    """Once: `starts_at` and `ends_at`. Again and again: `schedule` and `duration_minutes`. null: not set."""

    #: When it begins; for a repeating window, from when it counts.
    starts_at: Instant | UnsetType | None = UNSET
    #: When it ends; for a repeating window, until when it counts.
    ends_at: Instant | UnsetType | None = UNSET
    #: When it begins, again and again.
    schedule: Schedule | UnsetType | None = UNSET
    #: Of the schedule; UTC unless given.
    timezone: Timezone | UnsetType | None = UNSET
    #: How long each span of a repeating window lasts.
    duration_minutes: Annotated[int, Meta(ge=1, le=LONGEST_MINUTES)] | UnsetType | None = UNSET
    #: Covers crons of this product only. Everything that is given must fit; nothing given covers the whole
    #: organization.
    product: Name | UnsetType | None = UNSET
    #: Only crons of this service.
    service: Name | UnsetType | None = UNSET
    #: Only crons of this project.
    project_id: Name | UnsetType | None = UNSET
    #: Covers crons with any of these tags.
    tags: Annotated[tuple[Name, ...], Meta(min_length=1, max_length=_MOST_TAGS)] | UnsetType | None = UNSET
    #: Only these crons; empty: all in the rest of the scope.
    cron_ids: Annotated[tuple[str, ...], Meta(min_length=1, max_length=_MOST_CRON_IDS)] | UnsetType | None = UNSET

    def changes(self, name: str | UnsetType = UNSET) -> WindowChanges:
        return WindowChanges(
            name=name,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            schedule=self.schedule,
            timezone=self.timezone if self.timezone is not None else "UTC",
            duration_minutes=self.duration_minutes,
            product=self.product,
            service=self.service,
            project_id=self.project_id,
            tags=_distinct(self.tags),
            cron_ids=_distinct(self.cron_ids),
        )


def _distinct(given: tuple[str, ...] | UnsetType | None) -> tuple[str, ...] | UnsetType:
    return given if isinstance(given, UnsetType) else tuple(dict.fromkeys(given or ()))


class CreateWindow(WindowIn, kw_only=True):
    #: The name that people see.
    name: Name


class ChangeWindow(WindowIn):
    #: The name that people see.
    name: Name | UnsetType = UNSET


class WindowQuery(PageQuery):
    #: Only windows that are active now, or only those that are not.
    active: bool | None = None


class WindowOut(Answer):
    #: The id, for use in paths.
    id: str
    #: The name that people see.
    name: str
    #: When it begins; for a repeating window, from when it counts.
    starts_at: datetime | None
    #: When it ends; for a repeating window, until when it counts.
    ends_at: datetime | None
    #: When the spans of a repeating window begin; null for a window that comes once.
    schedule: str | None
    #: The IANA time zone of the schedule.
    timezone: str
    #: How long each span of a repeating window lasts.
    duration_minutes: int | None
    #: Only crons of this product; null: of all.
    product: str | None
    #: Only crons of this service; null: of all.
    service: str | None
    #: Only crons of this project; null: of all.
    project_id: str | None
    #: Only crons with one of these tags; empty: all.
    tags: tuple[str, ...] | None
    #: Only these crons; empty: all in the rest of the scope.
    cron_ids: tuple[str, ...] | None
    #: Whether it is active now.
    active: bool
    #: When it begins next; while it is active, when it begins again.
    next_starts_at: datetime | None
    #: When it ends: while it is active, this time; else the next time.
    next_ends_at: datetime | None
    #: When it was created.
    created_at: datetime

    @classmethod
    def of(cls, window: MaintenanceWindow, now: datetime) -> Self:
        current = span_at(window, now)
        following = next((span for span in next_spans(window, now, 2) if span[0] > now), None)
        ending = current or following
        return cls(
            id=window.id,
            name=window.name,
            starts_at=window.starts_at,
            ends_at=window.ends_at,
            schedule=window.schedule,
            timezone=window.timezone,
            duration_minutes=window.duration_minutes,
            product=window.product,
            service=window.service,
            project_id=window.project_id,
            tags=window.tags or None,
            cron_ids=window.cron_ids or None,
            active=current is not None,
            next_starts_at=following[0] if following else None,
            next_ends_at=ending[1] if ending else None,
            created_at=window.created_at,
        )


class WindowList(Answer):
    #: The windows of this page.
    maintenance: tuple[WindowOut, ...]
    #: Send it as `cursor` for the next page; null at the end.
    next_cursor: str | None
