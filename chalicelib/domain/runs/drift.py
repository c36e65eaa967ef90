"""Drift: runs that come ever later (or earlier) than their occurrences."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

OFFSETS_KEPT = 10
_HALF = OFFSETS_KEPT // 2
_STEPS_ONE_WAY = OFFSETS_KEPT - 2


class Drift(NamedTuple):
    """offset_ms: this run's start − its occurrence · drifting: not this run alone, but the cron."""

    offset_ms: int | None
    tolerance_ms: int
    median_ms: float
    drifting: bool


def median(numbers: Sequence[int]) -> float:
    """Of at least one number. Here, as the library's costs 2 ms of every cold start."""
    ordered, half = sorted(numbers), len(numbers) // 2
    return float(ordered[half]) if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def is_drifting(offsets_ms: tuple[int, ...], tolerance_ms: int) -> bool:
    """Whether the last 10 runs are late (or early) as a rule, or creep in one direction.

    Creeping: all but one of the nine steps go the same way, and the later five lie half a
    tolerance beyond the first five.
    """
    if len(offsets_ms) < OFFSETS_KEPT:
        return False
    if abs(median(offsets_ms)) > tolerance_ms:
        return True
    steps = [later - earlier for earlier, later in pairwise(offsets_ms)]
    one_way = max(sum(step > 0 for step in steps), sum(step < 0 for step in steps))
    moved = abs(median(offsets_ms[_HALF:]) - median(offsets_ms[:_HALF]))
    return one_way >= _STEPS_ONE_WAY and moved > tolerance_ms / 2


def drift_of(offset_ms: int | None, offsets_ms: tuple[int, ...], tolerance_ms: int) -> Drift | None:
    """What to tell of a run: None where neither the run nor the cron is beyond its tolerance."""
    drifting = is_drifting(offsets_ms, tolerance_ms)
    beyond = offset_ms is not None and abs(offset_ms) > tolerance_ms
    if not (beyond or drifting):
        return None
    middle = median(offsets_ms) if offsets_ms else float(offset_ms or 0)
    return Drift(offset_ms, tolerance_ms, middle, drifting)
