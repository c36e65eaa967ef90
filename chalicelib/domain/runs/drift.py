"""Drift: a cron whose runs begin later, or earlier, than their occurrences."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

OFFSETS_KEPT = 10
_HALF = OFFSETS_KEPT // 2
_STEPS_ONE_WAY = OFFSETS_KEPT - 2


class Drift(NamedTuple):
    #: This run's start minus its occurrence.
    offset_ms: int | None
    tolerance_ms: int
    #: Of the last runs.
    median_ms: float
    #: Whether the cron drifts, not this run alone.
    drifting: bool


class Offsets(NamedTuple):
    """How far from their occurrence a cron's last runs began."""

    #: Start minus occurrence, of the last 10 runs that satisfied one, oldest first.
    last_ms: tuple[int, ...]
    #: How far off a run may begin.
    tolerance_ms: int
    #: True for a job that reports only its end: when it began is unknown, so only a change tells something.
    of_ends: bool = False


def median(numbers: Sequence[int]) -> float:
    """Returns the median of at least one number. It is here, as the library's costs 2 ms of every cold start."""
    ordered, half = sorted(numbers), len(numbers) // 2
    return float(ordered[half]) if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def is_drifting(offsets: Offsets) -> bool:
    """Whether the last 10 runs are late (or early) as a rule, or creep in one direction.

    Creeping: all but one of the nine steps go the same way, and the later five are half a tolerance beyond the
    first five. Of ends alone: the later five are a tolerance beyond the first five.
    """
    if len(offsets.last_ms) < OFFSETS_KEPT:
        return False
    if offsets.of_ends:
        return _moved(offsets) > offsets.tolerance_ms
    return abs(median(offsets.last_ms)) > offsets.tolerance_ms or _is_creeping(offsets)


def has_settled(offsets: Offsets) -> bool:
    """Whether a cron that drifted is clearly back: all of its last runs are within the tolerance."""
    if offsets.of_ends:
        return _moved(offsets) <= offsets.tolerance_ms / 2
    return max(map(abs, offsets.last_ms)) <= offsets.tolerance_ms and not _is_creeping(offsets)


def _moved(offsets: Offsets) -> float:
    return abs(median(offsets.last_ms[_HALF:]) - median(offsets.last_ms[:_HALF]))


def _is_creeping(offsets: Offsets) -> bool:
    steps = [later - earlier for earlier, later in pairwise(offsets.last_ms)]
    one_way = max(sum(step > 0 for step in steps), sum(step < 0 for step in steps))
    return one_way >= _STEPS_ONE_WAY and _moved(offsets) > offsets.tolerance_ms / 2


def drift_of(offset_ms: int | None, offsets: Offsets) -> Drift | None:
    """Returns what to say about a run: None where neither the run nor the cron is beyond its tolerance."""
    drifting = is_drifting(offsets)
    beyond = offset_ms is not None and not offsets.of_ends and abs(offset_ms) > offsets.tolerance_ms
    if not (beyond or drifting):
        return None
    middle = median(offsets.last_ms) if offsets.last_ms else float(offset_ms or 0)
    return Drift(offset_ms, offsets.tolerance_ms, middle, drifting)
