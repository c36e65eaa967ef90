"""Tallies in few bytes, and the rollups that hold them."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

from chalicelib.domain.runs.counts import DayTally, Tally
from chalicelib.domain.runs.durations import Durations
from chalicelib.store.errors import told_as_unavailable
from chalicelib.store.tables import RollupItem
from chalicelib.store.varints import pack, unpack

KEPT = timedelta(days=400)
# What other layouts will begin with otherwise.
_LAYOUT = 1
_COUNTS = len(Tally().counts)
_EPOCH = date(1970, 1, 1)


def pack_tally(tally: Tally) -> bytes:
    durations = tally.durations
    numbers = [_LAYOUT, *tally.counts, durations.runs, durations.sum_ms, durations.min_ms, durations.max_ms]
    last = 0
    for bucket, count in durations.sketch:
        numbers += [bucket - last, count]
        last = bucket
    return pack(numbers)


def unpack_tally(packed: bytes) -> Tally:
    layout, *numbers = unpack(packed)
    if layout != _LAYOUT:
        raise ValueError(f"a tally of layout {layout}")
    counts, rest = numbers[:_COUNTS], numbers[_COUNTS:]
    count, sum_ms, min_ms, max_ms, *pairs = rest
    sketch, bucket = [], 0
    for step, number in zip(pairs[::2], pairs[1::2], strict=True):
        bucket += step
        sketch.append((bucket, number))
    return Tally._make([*counts, Durations(count, sum_ms, min_ms, max_ms, tuple(sketch))])


def pack_day(day: DayTally | None) -> bytes | None:
    return None if day is None else pack([(day.day - _EPOCH).days]) + pack_tally(day.tally)


def unpack_day(packed: bytes | None) -> DayTally | None:
    if packed is None:
        return None
    number, *_ = unpack(packed)
    return DayTally(_EPOCH + timedelta(days=number), unpack_tally(packed[len(pack([number])) :]))


def rollup_item(cron_id: str, day: DayTally) -> RollupItem:
    expires_at = datetime.combine(day.day, time(), UTC) + KEPT
    return RollupItem(cron_id, day.day.isoformat(), tally=pack_tally(day.tally), expires_at=expires_at)


def find_days(cron_id: str, days: Iterable[date]) -> list[DayTally]:
    """The rollups there are of these days."""
    keys = [(cron_id, day.isoformat()) for day in days]
    with told_as_unavailable():
        return [_day(item) for item in RollupItem.batch_get(keys, consistent_read=True)]


def days_between(cron_id: str, first: date, last: date) -> list[DayTally]:
    """The rollups there are from the first day to the last, in order."""
    with told_as_unavailable():
        condition = RollupItem.day.between(first.isoformat(), last.isoformat())
        return [_day(item) for item in RollupItem.query(cron_id, condition, consistent_read=True)]


def _day(item: RollupItem) -> DayTally:
    return DayTally(date.fromisoformat(item.day), unpack_tally(item.tally))
