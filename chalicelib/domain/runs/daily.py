"""Rollups: a tally a cron and UTC day. The latest day's is in the cron; it moves out with the first
of a new day."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from chalicelib.domain.runs.counts import DayTally, Tally, moment_of, sum_tallies, tally_of
from chalicelib.domain.runs.run import Run
from chalicelib.domain.schedule.occurrences import Occurrences

# A transaction holds 100 items: of a longer outage, what is older is counted on the oldest of these.
DAYS_AT_ONCE = 30
_INSTANT = timedelta(microseconds=1)
_DAY = timedelta(days=1)


class Rolled(NamedTuple):
    """today: the latest day's · finished: of days before it that had none yet · past: what is to be
    added to what is there of days that moved out before."""

    today: DayTally | None
    finished: tuple[DayTally, ...] = ()
    past: tuple[DayTally, ...] = ()


def roll(today: DayTally | None, additions: Iterable[DayTally]) -> Rolled:
    """Adds tallies to the days they belong to."""
    rolled = Rolled(today)
    for day, tally in _sum_by_day(additions):
        if rolled.today is None or day == rolled.today.day:
            parts = [tally] if rolled.today is None else [rolled.today.tally, tally]
            rolled = rolled._replace(today=DayTally(day, sum_tallies(parts)))
        elif day > rolled.today.day:
            rolled = rolled._replace(today=DayTally(day, tally), finished=(*rolled.finished, rolled.today))
        else:
            rolled = rolled._replace(past=(*rolled.past, DayTally(day, tally)))
    return rolled


def _sum_by_day(additions: Iterable[DayTally]) -> list[DayTally]:
    days: dict[date, list[Tally]] = {}
    for day, tally in additions:
        if any(tally.counts):
            days.setdefault(day, []).append(tally)
    return [DayTally(day, sum_tallies(days[day])) for day in sorted(days)]


def by_day(run: Run, tally: Tally, times: Occurrences | None) -> list[DayTally]:
    """A record's tally on its day; that of many occurrences on the days of each, earliest first."""
    if run.scheduled_until is None or run.scheduled_at is None or times is None:
        return [DayTally(moment_of(run).date(), tally)]
    days = []
    first, last = run.scheduled_at, run.scheduled_until
    day = max(first.date(), last.date() - (DAYS_AT_ONCE - 1) * _DAY)
    while day <= last.date():
        end = min(last, _midnight(day + _DAY) - _INSTANT)
        number = times.count(first - _INSTANT, end)
        if number:
            days.append(DayTally(day, tally_of(run._replace(occurrences=number))))
        first, day = _midnight(day + _DAY), day + _DAY
    return days


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
