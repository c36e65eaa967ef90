"""Occurrences: the instants that a schedule names, in order."""

from datetime import UTC, datetime, timedelta
from typing import Protocol

from chalicelib.domain.schedule.schedule import Interval, Schedule

# Schedules know nothing beyond it.
END_OF_TIME = datetime(2900, 1, 1, tzinfo=UTC)


class Occurrences(Protocol):
    """Times in order; every method takes and returns aware UTC datetimes."""

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


def times_of(schedule: Schedule, anchor: datetime) -> Occurrences:
    """A schedule's occurrences; an interval's are counted from `anchor`."""
    if isinstance(schedule, Interval):
        return Every(anchor, timedelta(seconds=schedule.seconds))
    return schedule
