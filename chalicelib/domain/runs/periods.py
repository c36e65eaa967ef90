"""What came of a cron's runs over the last day, week, month and quarter."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time, timedelta
from itertools import chain
from typing import NamedTuple

from chalicelib.domain.runs.counts import (
    Counts,
    DailyCounts,
    Outcome,
    moment_of,
    outcome_of,
    sum_counts,
    sum_of_outcomes,
)
from chalicelib.domain.runs.run import Run
from chalicelib.domain.schedule.occurrences import Occurrences
from chalicelib.domain.times import INSTANT

LAST_DAY = timedelta(hours=24)
# Whole UTC days, today among them.
DAYS = {"7d": 7, "30d": 30, "90d": 90}


class Period(NamedTuple):
    since: datetime
    counts: Counts


class CountedRuns(NamedTuple):
    """Earlier runs, of which the day's figures alone are made."""

    #: They are complete since then.
    since: datetime
    #: Those that count since then.
    outcomes: Sequence[Outcome] = ()
    #: Records of many occurrences, which may have begun to count before.
    spanning: Sequence[Run] = ()


def last_day(runs: Iterable[Run], times: Occurrences | None, earlier: CountedRuns) -> Period:
    """From the records of single runs: the last 24 hours to the millisecond."""
    since = earlier.since
    parts = (_part_since(run, times, since) for run in _since(chain(runs, earlier.spanning), since))
    return Period(since, sum_of_outcomes(chain(map(outcome_of, parts), earlier.outcomes)))


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
