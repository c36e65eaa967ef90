"""What came of a cron's runs over the last day, week, month and quarter."""

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple

from chalicelib.domain.runs.counts import Counts, DailyCounts, moment_of, sum_counts, sum_of_runs
from chalicelib.domain.runs.run import Run
from chalicelib.domain.schedule.occurrences import Occurrences
from chalicelib.domain.times import INSTANT

LAST_DAY = timedelta(hours=24)
# Whole UTC days, today among them.
DAYS = {"7d": 7, "30d": 30, "90d": 90}


class Period(NamedTuple):
    since: datetime
    counts: Counts


def last_day(runs: Iterable[Run], times: Occurrences | None, since: datetime) -> Period:
    """From the records of single runs: the last 24 hours to the millisecond."""
    return Period(since, sum_of_runs(_part_since(run, times, since) for run in _since(runs, since)))


def _since(runs: Iterable[Run], since: datetime) -> Iterable[Run]:
    return (run for run in runs if (run.scheduled_until or moment_of(run)) >= since)


def _part_since(run: Run, times: Occurrences | None, since: datetime) -> Run:
    """Of a record of many occurrences, those from a moment on."""
    if run.scheduled_until is None or run.scheduled_at is None or run.scheduled_at >= since or times is None:
        return run
    return run._replace(occurrences=times.count(since - INSTANT, run.scheduled_until))


def last_days(days: Iterable[DailyCounts], now: datetime) -> dict[str, Period]:
    """From rollups, which count a run on the UTC day of its occurrence."""
    found = list(days)
    periods = {}
    for name, number in DAYS.items():
        first = now.date() - timedelta(days=number - 1)
        counts = sum_counts(counts for day, counts in found if day >= first)
        periods[name] = Period(datetime.combine(first, time(), UTC), counts)
    return periods
