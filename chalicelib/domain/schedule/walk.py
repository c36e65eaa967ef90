"""Walks that every kind of schedule takes: from one occurrence to the next, and over the stretches of a zone."""

from collections.abc import Callable
from datetime import datetime, timedelta

from chalicelib.domain.schedule.utc_offsets import Stretch, stretch_at
from chalicelib.domain.times import EPOCH


def epoch_seconds(moment: datetime) -> int:
    """Rounded down."""
    return (moment - EPOCH) // timedelta(seconds=1)


def listed(
    following: Callable[[datetime], datetime | None], after: datetime, until: datetime, limit: int
) -> list[datetime]:
    """The first `limit` occurrences in (after, until], in order."""
    found: list[datetime] = []
    at = following(after)
    while at is not None and at <= until and len(found) < limit:
        found.append(at)
        at = following(at)
    return found


def summed(timezone: str, after: int, until: int, count: Callable[[Stretch, int, int], int]) -> int:
    """Sums over the stretches that (after, until] spans what `count` says of each part (after, until] of one."""
    total = 0
    while after < until:
        stretch = stretch_at(timezone, after + 1)
        stop = min(until, stretch.end - 1)
        total += count(stretch, after, stop)
        after = stop
    return total
