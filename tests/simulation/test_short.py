"""A short form of `make simulate`: one job of a few days per profile."""

import pytest

from tests.simulation.__main__ import is_wrong, simulate

PROFILES = (
    "healthy-curl",
    "healthy-heartbeat",
    "misses-curl",
    "misses-ping",
    "crashes-curl",
    "crashes-ids",
    "crashes-limits-curl",
    "retries-curl",
    "retries-ids",
    "fast-clocks-curl",
    "slow-clocks-ids",
    "late-curl",
    "long-grace-ids",
    "overlaps-ids",
    "flock-ids",
    "outages-ids",
    "lost-ids",
    "reordered-curl",
)


@pytest.mark.parametrize("name", PROFILES)
def test_what_cronhub_says_is_true(name: str) -> None:
    result = simulate(name, seed=4, days=6)

    assert result.counts["occurrences"] > 0
    assert not is_wrong(name, result.counts), result.examples[0].timeline
