"""Ten histories worked by hand: docs/sla.md explains each, and a test holds the page to this table."""

import re
from pathlib import Path

import pytest

from chalicelib.domain.runs.counts import Counts
from chalicelib.domain.runs.sla import sla_of

PAGE = Path(__file__).parents[2] / "docs" / "sla.md"

# name, expected, met, excused, target → compliance, is it met, how many may go unmet, what is left of them in %
HISTORIES = [
    ("all met", 30, 30, 0, 99.0, 100.0, True, 0.3, 100.0),
    ("one of a hundred failed", 100, 99, 0, 99.0, 99.0, True, 1.0, 0.0),
    ("two of a hundred failed", 100, 98, 0, 99.0, 98.0, False, 1.0, -100.0),
    ("a failure made good by hand", 24, 23, 0, 95.0, 95.833, True, 1.2, 16.667),
    ("an hour of maintenance", 1440, 1380, 60, 99.9, 100.0, True, 1.38, 100.0),
    ("a run that succeeded in maintenance", 24, 22, 2, 99.0, 100.0, True, 0.22, 100.0),
    ("paused for two days", 7, 5, 2, 99.0, 100.0, True, 0.05, 100.0),
    ("kept from running by what it depends on", 10, 8, 1, 80.0, 88.889, True, 1.8, 44.444),
    ("all of it excused", 5, 0, 5, 99.0, None, None, 0.0, None),
    ("one miss where nothing may fail", 1000, 999, 0, 100.0, 99.9, False, 0.0, -100.0),
]


@pytest.mark.parametrize(
    ("name", "expected", "met", "excused", "target", "compliance", "is_met", "allowed", "left"), HISTORIES
)
def test_a_history_worked_by_hand(
    name: str,
    expected: int,
    met: int,
    excused: int,
    target: float,
    compliance: float | None,
    is_met: bool | None,
    allowed: float,
    left: float | None,
) -> None:
    sla = sla_of(Counts(expected=expected, met=met, excused=excused), target)

    assert sla.compliance == (None if compliance is None else pytest.approx(compliance, abs=0.001))
    assert sla.is_met is is_met
    assert sla.allowed == pytest.approx(allowed)
    found = sla.budget_left_percent
    assert found == (None if left is None else pytest.approx(left, abs=0.001))
    assert sla.unmet == expected - excused - met


def test_the_page_says_what_the_table_says() -> None:
    rows = re.findall(r"^\| ([^|]+?) \| (\d+) \| (\d+) \| (\d+) \| ([\d.]+) % \|", PAGE.read_text(), re.MULTILINE)

    assert [(name, int(e), int(m), int(x), float(t)) for name, e, m, x, t in rows] == [
        row[:5] for row in HISTORIES
    ]
