"""Sums of durations: exact where they can be, and percentiles within 5%."""

import math
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.runs.counts import Counts
from chalicelib.domain.runs.durations import Durations, one_duration, sum_durations
from chalicelib.store.daily_counts import pack_counts, unpack_counts

DURATIONS = st.lists(st.integers(0, 366 * 86_400_000), max_size=60)


def summed(durations: list[int]) -> Durations:
    return sum_durations(one_duration(ms) for ms in durations)


def exact(durations: list[int], part: float) -> int:
    return sorted(durations)[max(1, math.ceil(part * len(durations))) - 1]


@settings(derandomize=True, deadline=None)
@given(DURATIONS.filter(bool), st.sampled_from([0.0, 0.5, 0.95, 0.99, 1.0]))
def test_a_percentile_is_within_five_per_cent(durations: list[int], part: float) -> None:
    found, right = summed(durations).percentile(part), exact(durations, part)

    assert found is not None
    assert abs(found - right) <= 0.05 * right


def test_percentiles_of_many_runs_of_jobs_as_they_are() -> None:
    seeded = random.Random(7)
    for middle in (3, 250, 40_000, 5_400_000):
        runs = [round(seeded.lognormvariate(math.log(middle), 0.6)) for _ in range(5_000)]
        for part in (0.5, 0.95, 0.99):
            found = summed(runs).percentile(part)
            assert found is not None
            assert abs(found - exact(runs, part)) <= 0.05 * exact(runs, part)


@given(DURATIONS, DURATIONS)
def test_sums_of_parts_are_the_sum(one: list[int], other: list[int]) -> None:
    together = summed(one + other)

    assert sum_durations([summed(one), summed(other)]) == together
    assert sum_durations([summed(other), summed(one)]) == together
    assert (together.runs, together.sum_ms) == (len(one + other), sum(one + other))


def test_of_no_runs_nothing_is_said() -> None:
    assert Durations().percentile(0.5) is None
    assert Durations().average_ms is None
    assert summed([]) == Durations()


@given(DURATIONS)
def test_a_tally_comes_back_from_the_store_as_it_was(durations: list[int]) -> None:
    counts = Counts(7, 5, 1, 1, 9, 6, 2, 1, 3, summed(durations))

    assert unpack_counts(pack_counts(counts)) == counts
