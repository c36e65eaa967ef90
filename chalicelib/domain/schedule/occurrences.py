"""The occurrences of a cron: of its cron expression, or of its interval since the last run."""

from datetime import UTC, datetime, timedelta
from typing import Protocol

from chalicelib.domain.monitor.cron import Cron, Settings
from chalicelib.domain.schedule.schedule import CronSchedule, Interval, parse_schedule

# Schedules know nothing beyond it.
END_OF_TIME = datetime(2900, 1, 1, tzinfo=UTC)


class Occurrences(Protocol):
    """Times in order; every method takes and gives aware UTC datetimes."""

    def next(self, after: datetime) -> datetime | None: ...
    def latest(self, until: datetime) -> datetime | None: ...
    def count(self, after: datetime, until: datetime) -> int: ...
    def between(self, after: datetime, until: datetime, limit: int) -> list[datetime]: ...


class Every:
    """`anchor` and each multiple of `step` after it; nothing before."""

    def __init__(self, anchor: datetime, step: timedelta) -> None:
        self.anchor = anchor
        self.step = step

    def next(self, after: datetime) -> datetime | None:
        if after < self.anchor:
            return self.anchor
        return self._at((after - self.anchor) // self.step + 1)

    def latest(self, until: datetime) -> datetime | None:
        return None if until < self.anchor else self._at((until - self.anchor) // self.step)

    def count(self, after: datetime, until: datetime) -> int:
        return max(0, self._index(until) - self._index(after))

    def between(self, after: datetime, until: datetime, limit: int) -> list[datetime]:
        first = self._index(after) + 1
        last = min(self._index(until), first + limit - 1)
        return [self._at(index) for index in range(first, last + 1)]

    def _at(self, index: int) -> datetime:
        return self.anchor + index * self.step

    def _index(self, at: datetime) -> int:
        return max(-1, (at - self.anchor) // self.step)


def times_of(schedule: CronSchedule | Interval, anchor: datetime) -> Occurrences:
    """A schedule's occurrences; an interval's are counted from `anchor`."""
    if isinstance(schedule, Interval):
        return Every(anchor, timedelta(seconds=schedule.seconds))
    return schedule


def occurrences(cron: Cron) -> Occurrences | None:
    """None for a cron without a schedule, or one that expects nothing (paused)."""
    if cron.expected_at is None:
        return None
    return occurrences_around(cron.settings, cron.expected_at)


def occurrences_around(settings: Settings, occurrence: datetime) -> Occurrences | None:
    """Those of which `occurrence` is one; an interval's begin with it. None without a schedule."""
    if settings.schedule is None:
        return None
    return times_of(parse_schedule(settings.schedule, settings.timezone), occurrence)


def interval_of(settings: Settings) -> timedelta | None:
    """The interval of an `@every` schedule; None for any other."""
    if settings.schedule is None:
        return None
    schedule = parse_schedule(settings.schedule, settings.timezone)
    return timedelta(seconds=schedule.seconds) if isinstance(schedule, Interval) else None


def first_expected(settings: Settings, now: datetime) -> datetime | None:
    """The first occurrence to wait for, for a cron that starts (or starts afresh) now."""
    if settings.schedule is None:
        return None
    schedule = parse_schedule(settings.schedule, settings.timezone)
    return times_of(schedule, now).next(now)
