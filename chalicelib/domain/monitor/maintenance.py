"""Maintenance windows: which crons they cover, and when. Spans are half-open: [start, end)."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import NamedTuple

from chalicelib.domain.errors import FieldError
from chalicelib.domain.monitor.cron import Cron
from chalicelib.domain.schedule.occurrences import END_OF_TIME, Occurrences, times_of
from chalicelib.domain.schedule.schedule import parse_schedule

LONGEST = timedelta(days=90)
LONGEST_MINUTES = LONGEST // timedelta(minutes=1)
# How many spans are followed one into the next: of more, the answer is where that got to.
_SPANS_CHAINED = 100

Span = tuple[datetime, datetime]


class MaintenanceWindow(NamedTuple):
    """When, and for which crons of its org, alerts are held and occurrences excused.

    Without any scope it covers the whole org.
    """

    org_id: str
    id: str
    name: str
    created_at: datetime
    #: When it begins; for a repeating window, from when it counts: by default its creation.
    starts_at: datetime | None = None
    #: When it ends; for a repeating window, until when it counts: by default without end. Of a span that lies
    #: across one of the two, the part within counts.
    ends_at: datetime | None = None
    #: When the spans of a repeating window begin; `@every` counts from its first moment.
    schedule: str | None = None
    timezone: str = "UTC"
    #: How long each span of a repeating window lasts, in elapsed time.
    duration_minutes: int | None = None
    #: The scope; all that is set must fit a cron, and any one of the tags.
    product: str | None = None
    service: str | None = None
    project_id: str | None = None
    tags: tuple[str, ...] = ()
    cron_ids: tuple[str, ...] = ()
    version: int = 0

    @property
    def since(self) -> datetime:
        return self.created_at if self.starts_at is None else self.starts_at

    @property
    def until(self) -> datetime:
        return END_OF_TIME if self.ends_at is None else self.ends_at


def faults(window: MaintenanceWindow) -> tuple[FieldError, ...]:
    """Returns what is wrong with it as a whole."""
    if window.schedule is None:
        return tuple(_faults_of_once(window))
    return tuple(_faults_of_repeating(window))


def _faults_of_once(window: MaintenanceWindow) -> Iterator[FieldError]:
    if window.duration_minutes is not None:
        yield FieldError("duration_minutes", "goes with a schedule")
    if window.starts_at is None or window.ends_at is None:
        both = "give starts_at and ends_at, or schedule and duration_minutes"
        yield FieldError("ends_at" if window.starts_at else "starts_at", both)
    elif window.ends_at <= window.starts_at:
        yield FieldError("ends_at", "must be after starts_at")
    elif window.ends_at - window.starts_at > LONGEST:
        yield FieldError("ends_at", f"must be at most {LONGEST.days} days after starts_at")


def _faults_of_repeating(window: MaintenanceWindow) -> Iterator[FieldError]:
    if window.duration_minutes is None:
        yield FieldError("duration_minutes", "is required with a schedule")
    if window.until <= window.since:
        yield FieldError("ends_at", "must be after starts_at" if window.starts_at else "is over already")


def covers(window: MaintenanceWindow, cron: Cron) -> bool:
    """Whether a cron is in the window's scope: all that is given must fit, and any one of the tags."""
    return (
        window.product in (None, cron.product)
        and window.service in (None, cron.service)
        and window.project_id in (None, cron.settings.project_id)
        and (not window.tags or not set(window.tags).isdisjoint(cron.settings.tags))
        and (not window.cron_ids or cron.id in window.cron_ids)
    )


def covering(windows: Iterable[MaintenanceWindow], cron: Cron) -> tuple[MaintenanceWindow, ...]:
    return tuple(window for window in windows if covers(window, cron))


def is_active(window: MaintenanceWindow, at: datetime) -> bool:
    return span_at(window, at) is not None


def in_maintenance(windows: Iterable[MaintenanceWindow], at: datetime) -> bool:
    return any(is_active(window, at) for window in windows)


def maintained_until(windows: Sequence[MaintenanceWindow], at: datetime) -> datetime | None:
    """Returns when the maintenance that `at` is in ends; windows that overlap or touch count as one.

    None: `at` is in no maintenance. Where it goes on through very many spans or beyond 90 days, the
    time up to which it is certain.
    """
    until = at
    for _ in range(_SPANS_CHAINED):
        spans = [span_at(window, until) for window in windows]
        reached = max((end for _, end in filter(None, spans)), default=until)
        if reached == until or until >= at + LONGEST:
            break
        until = reached
    return None if until == at else min(until, at + LONGEST)


def next_change(windows: Sequence[MaintenanceWindow], at: datetime) -> datetime | None:
    """Returns when the maintenance that `at` is in ends, or else when the next begins; None: never."""
    until = maintained_until(windows, at)
    if until is not None:
        return until
    spans = [next_spans(window, at, 1) for window in windows]
    return min((start for (start, _), *_ in filter(None, spans)), default=None)


def span_at(window: MaintenanceWindow, at: datetime) -> Span | None:
    """Returns the span that `at` is in, of those that overlap the last one; None: it is in none."""
    if not window.since <= at < window.until:
        return None
    times = _times(window)
    if times is None:
        return window.since, window.until
    start = times.latest(at)
    if start is None or at >= start + _duration(window):
        return None
    return _clipped(window, start)


def next_spans(window: MaintenanceWindow, after: datetime, limit: int) -> list[Span]:
    """Returns the first `limit` spans that begin after `after`, led by the one that `after` is in."""
    return list(islice(_spans(window, after), limit))


def _spans(window: MaintenanceWindow, after: datetime) -> Iterator[Span]:
    current = span_at(window, max(after, window.since))
    if current is not None:
        yield current
    times = _times(window)
    start = None if times is None else times.next(max(after, window.since))
    while times is not None and start is not None and start < window.until:
        yield _clipped(window, start)
        start = times.next(start)


def _times(window: MaintenanceWindow) -> Occurrences | None:
    """Returns when the spans of a repeating window begin; None for one that comes once."""
    if window.schedule is None:
        return None
    return times_of(parse_schedule(window.schedule, window.timezone), window.since)


def _duration(window: MaintenanceWindow) -> timedelta:
    return timedelta(minutes=window.duration_minutes or 0)


def _clipped(window: MaintenanceWindow, start: datetime) -> Span:
    return max(start, window.since), min(start + _duration(window), window.until)
