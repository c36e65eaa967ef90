"""How well a cron did on each of the last days, as anyone may see it."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from chalicelib.domain.runs.counts import Counts, DailyCounts, sum_counts

DAYS = 90
#: Under this a day counts as bad, else as one with some failures.
_BAD_BELOW = 50.0


class DayMark(StrEnum):
    GOOD = "good"
    #: Some runs failed or were missed.
    PARTIAL = "partial"
    #: Most failed or were missed.
    BAD = "bad"
    #: Nothing was due, or all of it was excused.
    NONE = "none"


class Day(NamedTuple):
    day: date
    #: Percent of what was due that succeeded; None where nothing was.
    percent: float | None

    @property
    def mark(self) -> DayMark:
        if self.percent is None:
            return DayMark.NONE
        if self.percent >= 100:
            return DayMark.GOOD
        return DayMark.PARTIAL if self.percent >= _BAD_BELOW else DayMark.BAD


class Uptime(NamedTuple):
    #: Percent of what was due in all days that succeeded; None where nothing was.
    percent: float | None
    #: The last 90 UTC days, today the last.
    days: tuple[Day, ...]


def uptime(counted: Iterable[DailyCounts], today: date) -> Uptime:
    by_day: Mapping[date, Counts] = dict(counted)
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    shown = tuple(Day(day, percent_met(by_day.get(day, Counts()))) for day in days)
    return Uptime(percent_met(sum_counts(by_day[day] for day in days if day in by_day)), shown)


def percent_met(counts: Counts) -> float | None:
    """Of the occurrences that were due and are not excused; of a cron without a schedule, of its runs."""
    due = counts.expected - counts.excused
    if due > 0:
        return 100 * min(1.0, counts.met / due)
    if counts.expected == 0 and counts.runs:
        return 100 * counts.ok / counts.runs
    return None
