"""How long runs took, in sum: count, sum, extremes, and a sketch that percentiles come from.

The sketch is a histogram of buckets that grow by 8%, as in DDSketch (Masson, Rim, Lee, VLDB 2019,
§2.1): a percentile is at most 3.9% off. The ddsketch package is not used: of its state, too, the
packing into a few bytes would be ours, and that is most of the work.
"""

import math
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

_GROWTH = 1.08
_LOG_GROWTH = math.log(_GROWTH)


class Durations(NamedTuple):
    runs: int = 0
    sum_ms: int = 0
    min_ms: int = 0
    max_ms: int = 0
    #: (bucket, how many fell into it), by bucket; min and max mean nothing while runs is 0.
    sketch: tuple[tuple[int, int], ...] = ()

    @property
    def average_ms(self) -> float | None:
        return self.sum_ms / self.runs if self.runs else None

    def percentile(self, part: float) -> float | None:
        """The duration that this part (0 to 1) of the runs do not exceed; None of no runs."""
        if not self.runs:
            return None
        rank, seen = max(1, math.ceil(part * self.runs)), 0
        for bucket, number in self.sketch:
            seen += number
            if seen >= rank:
                return min(max(_value(bucket), self.min_ms), self.max_ms)
        return float(self.max_ms)


def one_duration(ms: int) -> Durations:
    return Durations(1, ms, ms, ms, ((_bucket(ms), 1),))


def durations_of(times_ms: Iterable[int]) -> Durations:
    """The sum of `one_duration` of each."""
    found = list(times_ms)
    if not found:
        return Durations()
    sketch = tuple(sorted(Counter(map(_bucket, found)).items()))
    return Durations(len(found), sum(found), min(found), max(found), sketch)


def sum_durations(parts: Iterable[Durations]) -> Durations:
    """All of them as one; the order does not matter."""
    found = [part for part in parts if part.runs]
    counted = [part for part in found if part.runs > 0]
    buckets: Counter[int] = Counter()
    for part in found:
        buckets.update(dict(part.sketch))
    total = sum(part.runs for part in found)
    if total <= 0 or not counted:
        # What takes back more than there is stands alone until it meets what it takes back.
        return found[0] if len(found) == 1 else Durations()
    return Durations(
        runs=total,
        sum_ms=sum(part.sum_ms for part in found),
        min_ms=min(part.min_ms for part in counted),
        max_ms=max(part.max_ms for part in counted),
        sketch=tuple(sorted((bucket, number) for bucket, number in buckets.items() if number)),
    )


def taken_back(durations: Durations) -> Durations:
    """Returns what, added to them, leaves nothing; the extremes stay."""
    sketch = tuple((bucket, -number) for bucket, number in durations.sketch)
    return durations._replace(runs=-durations.runs, sum_ms=-durations.sum_ms, sketch=sketch)


def _bucket(ms: int) -> int:
    """0 for no time at all; n for more than growth^(n-2), up to growth^(n-1) ms."""
    return 0 if ms <= 0 else 1 + math.ceil(math.log(ms) / _LOG_GROWTH - 1e-9)


def _value(bucket: int) -> float:
    # The value that is off by the same part from both ends of its bucket.
    return 0.0 if bucket == 0 else _GROWTH ** (bucket - 1) * 2 / (1 + _GROWTH)
