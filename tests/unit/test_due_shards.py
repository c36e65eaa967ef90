"""How many shards of the due index serve how many crons: what docs/operations.md says is reckoned here again."""

import random
import re
from collections import Counter
from pathlib import Path

import pytest

from chalicelib.domain import ids

OPERATIONS = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
#: Of one partition of DynamoDB, in write units a second.
LIMIT = 1000
#: Moving an entry of the index takes one away and puts one.
UNITS_PER_SIGNAL = 2
#: A ping every five minutes; the peak is that of Healthchecks.io.
SECONDS_BETWEEN_PINGS = 300
PEAK = 6.7
#: | 1,000,000 | 3,333 | 22,333 | 128 | 349 |
ROW = re.compile(r"^\| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|$", re.MULTILINE)


def rows() -> list[list[int]]:
    part = OPERATIONS.partition("## How many shards")[2].partition("\n## ")[0]
    return [[int(number.replace(",", "")) for number in row] for row in ROW.findall(part)]


def test_the_table_covers_small_and_large() -> None:
    assert [row[0] for row in rows()] == [10_000, 1_000_000, 10_000_000]


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row[0]} crons")
def test_the_table_is_reckoned_from_the_peak(row: list[int]) -> None:
    crons, mean, peak, shards, units = row

    assert mean == round(crons / SECONDS_BETWEEN_PINGS)
    assert peak == round(crons / SECONDS_BETWEEN_PINGS * PEAK)
    assert units == round(crons / SECONDS_BETWEEN_PINGS * PEAK * UNITS_PER_SIGNAL / shards)
    assert units <= LIMIT / 2


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row[0]} crons")
@pytest.mark.parametrize("shape", ["one org", "many orgs", "one large, many small"])
def test_no_partition_is_above_half_of_its_limit_at_the_peak(row: list[int], shape: str) -> None:
    crons, _, peak, shards, _ = row
    chance = random.Random(f"{crons} {shape}")
    # Who signals in the second of the peak: a partition bears bursts, but is to need none.
    per_second = min(peak, 250_000)

    hit = Counter(ids.shard_of(_cron(chance, shape), shards) for _ in range(per_second))

    assert max(hit.values()) * UNITS_PER_SIGNAL <= LIMIT / 2


def _cron(chance: random.Random, shape: str) -> str:
    is_of_large = shape == "one org" or (shape.startswith("one large") and chance.random() < 0.9)
    org = "0123456789ab" if is_of_large else ids.org_id(chance.randbytes(6))
    return ids.cron_id(org, chance.randbytes(10))
