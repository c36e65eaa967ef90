"""Daily counts, per cron and UTC day.

Those of the latest day are in the cron; they move out with the first run of a new day.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from typing import NamedTuple

from chalicelib.domain.runs.counts import Counts, DailyCounts, counts_of, moment_of, sum_counts
from chalicelib.domain.runs.run import Run
from chalicelib.domain.schedule.occurrences import Occurrences
from chalicelib.domain.times import DAY, INSTANT

# A transaction holds 100 items: of a longer outage, what is older is counted on the oldest of these.
DAYS_AT_ONCE = 30


class Rolled(NamedTuple):
    #: The latest day's.
    today: DailyCounts | None
    #: Of days before it that had none yet.
    finished: tuple[DailyCounts, ...] = ()
    #: What is to be added to what is there of days that moved out before.
    past: tuple[DailyCounts, ...] = ()


def roll(today: DailyCounts | None, additions: Iterable[DailyCounts]) -> Rolled:
    """Adds counts to the days that they belong to."""
    rolled = Rolled(today)
    for day, counts in _sum_by_day(additions):
        if rolled.today is None or day == rolled.today.day:
            parts = [counts] if rolled.today is None else [rolled.today.counts, counts]
            rolled = rolled._replace(today=DailyCounts(day, sum_counts(parts)))
        elif day > rolled.today.day:
            rolled = rolled._replace(today=DailyCounts(day, counts), finished=(*rolled.finished, rolled.today))
        else:
            rolled = rolled._replace(past=(*rolled.past, DailyCounts(day, counts)))
    return rolled


def _sum_by_day(additions: Iterable[DailyCounts]) -> list[DailyCounts]:
    days: dict[date, list[Counts]] = {}
    for day, counts in additions:
        if any(counts.numbers) or counts.durations.runs:
            days.setdefault(day, []).append(counts)
    return [DailyCounts(day, sum_counts(days[day])) for day in sorted(days)]


def by_day(run: Run, counts: Counts, times: Occurrences | None) -> list[DailyCounts]:
    """Returns a record's counts on its day; one for many occurrences counts on the day of each, earliest first."""
    if run.scheduled_until is None or run.scheduled_at is None or times is None:
        return [DailyCounts(moment_of(run).date(), counts)]
    days = []
    first, last = run.scheduled_at, run.scheduled_until
    day = max(first.date(), last.date() - (DAYS_AT_ONCE - 1) * DAY)
    while day <= last.date():
        end = min(last, _midnight(day + DAY) - INSTANT)
        number = times.count(first - INSTANT, end)
        if number:
            days.append(DailyCounts(day, counts_of(run._replace(occurrences=number))))
        first, day = _midnight(day + DAY), day + DAY
    return days


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
