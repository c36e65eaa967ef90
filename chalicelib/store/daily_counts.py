"""Tallies in few bytes, and the rollups that hold them."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

from chalicelib.domain.runs.counts import Counts, DailyCounts
from chalicelib.domain.runs.durations import Durations
from chalicelib.store.errors import store_errors
from chalicelib.store.tables import DailyCountsItem
from chalicelib.store.varints import pack, unpack

KEPT = timedelta(days=400)
# What other layouts will begin with otherwise.
_LAYOUT = 1
_COUNTS = len(Counts().numbers)
_EPOCH = date(1970, 1, 1)


def pack_counts(counts: Counts) -> bytes:
    durations = counts.durations
    numbers = [_LAYOUT, *counts.numbers, durations.runs, durations.sum_ms, durations.min_ms, durations.max_ms]
    last = 0
    for bucket, count in durations.sketch:
        numbers += [bucket - last, count]
        last = bucket
    return pack(numbers)


def unpack_counts(packed: bytes) -> Counts:
    layout, *numbers = unpack(packed)
    if layout != _LAYOUT:
        raise ValueError(f"counts of layout {layout}")
    counts, rest = numbers[:_COUNTS], numbers[_COUNTS:]
    count, sum_ms, min_ms, max_ms, *pairs = rest
    sketch, bucket = [], 0
    for step, number in zip(pairs[::2], pairs[1::2], strict=True):
        bucket += step
        sketch.append((bucket, number))
    return Counts._make([*counts, Durations(count, sum_ms, min_ms, max_ms, tuple(sketch))])


def pack_daily_counts(day: DailyCounts | None) -> bytes | None:
    return None if day is None else pack([(day.day - _EPOCH).days]) + pack_counts(day.counts)


def unpack_daily_counts(packed: bytes | None) -> DailyCounts | None:
    if packed is None:
        return None
    number, *_ = unpack(packed)
    return DailyCounts(_EPOCH + timedelta(days=number), unpack_counts(packed[len(pack([number])) :]))


def daily_counts_item(cron_id: str, day: DailyCounts) -> DailyCountsItem:
    expires_at = datetime.combine(day.day, time(), UTC) + KEPT
    return DailyCountsItem(cron_id, day.day.isoformat(), counts=pack_counts(day.counts), expires_at=expires_at)


def find_days(cron_id: str, days: Iterable[date]) -> list[DailyCounts]:
    """The rollups there are of these days."""
    keys = [(cron_id, day.isoformat()) for day in days]
    with store_errors():
        return [_day(item) for item in DailyCountsItem.batch_get(keys, consistent_read=True)]


def days_between(cron_id: str, first: date, last: date) -> list[DailyCounts]:
    """The rollups there are from the first day to the last, in order."""
    with store_errors():
        condition = DailyCountsItem.day.between(first.isoformat(), last.isoformat())
        return [_day(item) for item in DailyCountsItem.query(cron_id, condition, consistent_read=True)]


def _day(item: DailyCountsItem) -> DailyCounts:
    return DailyCounts(date.fromisoformat(item.day), unpack_counts(item.counts))
