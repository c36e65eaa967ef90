"""Every recorded run of Debian's own cron context clock changes, exactly.

Debian's cron 3.0pl1-162 was run under a faked clock; each line of the data says what it did in one
window: `expr`, `zone`, `from` (epoch seconds), `minutes` (the window's length) and `runs` (minutes
after `from`).
"""

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from chalicelib.domain.schedule.schedule import CronSchedule, parse_schedule

RECORDS = Path(__file__).parent.parent / "data" / "debian-cron-clock-changes.jsonl"
MINUTE = timedelta(minutes=1)

WINDOWS: list[dict[str, Any]] = [json.loads(line) for line in RECORDS.read_text().splitlines()]
ZONES = sorted({window["zone"] for window in WINDOWS})


def test_the_record_is_whole() -> None:
    assert len(WINDOWS) == 3897


@pytest.mark.parametrize("zone", ZONES)
def test_runs_are_those_of_the_daemon(zone: str) -> None:
    wrong = [window for window in WINDOWS if window["zone"] == zone and not agrees(window)]
    assert wrong == []


def agrees(window: dict[str, Any]) -> bool:
    """Whether next, latest and count all tell the recorded runs of a window."""
    schedule = parse_schedule(window["expr"], window["zone"])
    assert isinstance(schedule, CronSchedule)
    start = datetime.fromtimestamp(window["from"], UTC)
    before, end = start - MINUTE, start + (window["minutes"] - 1) * MINUTE
    runs = [start + minute * MINUTE for minute in window["runs"]]
    return (
        schedule.between(before, end, len(runs) + 1) == runs
        and schedule.count(before, end) == len(runs)
        and schedule.latest(end) == (runs[-1] if runs else schedule.latest(before))
        and all(schedule.latest(later - MINUTE) == run for run, later in [*pairwise(runs)][-8:])
    )
