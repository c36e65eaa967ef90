"""Figures about a cron: its details and its days."""

from datetime import date, datetime, timedelta
from typing import NamedTuple

from chalicelib.domain.errors import FieldError, Invalid
from chalicelib.domain.monitor.cron import Cron
from chalicelib.domain.monitor.deadlines import missed_at
from chalicelib.domain.monitor.dependencies import Blocker
from chalicelib.domain.monitor.expectation import occurrences
from chalicelib.domain.monitor.maintenance import MaintenanceWindow, covering
from chalicelib.domain.monitor.on_tick import evaluate
from chalicelib.domain.runs.counts import Counts, DailyCounts, sum_counts
from chalicelib.domain.runs.periods import DAYS, LAST_DAY, CountedRuns, Period, last_day, last_days
from chalicelib.domain.runs.run import Run
from chalicelib.services.context import decide_with
from chalicelib.services.crons import find
from chalicelib.services.dependencies import overview
from chalicelib.store import runs
from chalicelib.store.daily_counts import days_between
from chalicelib.store.maintenance import maintenance_windows_of_org

_RECENT = 100
_USUAL_DAYS = 30
_MOST_DAYS = 400


class Details(NamedTuple):
    """All about a cron."""

    cron: Cron
    #: Its latest runs, latest first.
    recent: list[Run]
    #: `24h`, `7d`, `30d` and `90d`.
    periods: dict[str, Period]
    #: The maintenance windows that cover it.
    windows: tuple[MaintenanceWindow, ...]
    #: With why each is not completed; None where it is.
    dependencies: list[tuple[Cron, Blocker | None]]
    dependants: list[Cron]


def details(org_id: str, cron_id: str, now: datetime) -> Details:
    """Returns all about a cron, as of now. Raises NotFound."""
    current = _as_of(find(org_id, cron_id), now)
    cron = current.cron
    recent = runs.latest_runs(cron_id, _RECENT)
    earlier = _rest_of_day(recent, now)
    recent = sorted([*current.found, *recent], key=lambda run: run.id, reverse=True)
    days = _days(current, now.date() - timedelta(days=max(DAYS.values()) - 1), now.date())
    dependencies, dependants = overview(cron, now)
    return Details(
        cron=cron,
        recent=recent,
        periods={"24h": last_day(recent, occurrences(cron), earlier), **last_days(days, now)},
        windows=covering(maintenance_windows_of_org(org_id), cron),
        dependencies=dependencies,
        dependants=dependants,
    )


def _rest_of_day(recent: list[Run], now: datetime) -> CountedRuns:
    """Returns the runs of the last 24 hours before the recent ones."""
    since = now - LAST_DAY
    if len(recent) < _RECENT:
        return CountedRuns(since)
    return runs.counted_runs(recent[-1].cron_id, recent[-1].id, since)


class _Current(NamedTuple):
    """A cron with what the next tick will find out about it; nothing of that is written."""

    cron: Cron
    #: Missed runs that are not recorded yet.
    found: list[Run]
    #: The counts of days that the cron's item no longer holds.
    days: tuple[DailyCounts, ...]


def _as_of(cron: Cron, now: datetime) -> _Current:
    """While a cron is down its misses are counted once per hour; figures are true at any time."""
    if cron.expected_at is None or now < missed_at(cron, cron.expected_at):
        return _Current(cron, [], ())
    decision = decide_with(cron, lambda context: evaluate(cron, now, context))
    found = [write.run for write in decision.writes if write.new]
    return _Current(decision.cron, found, (*decision.finished_days, *decision.past_days))


class Span(NamedTuple):
    """The UTC days asked for."""

    #: None: 30 days before the last one, which counts.
    first: date | None = None
    #: None: today.
    last: date | None = None


class Days(NamedTuple):
    first: date
    last: date
    #: One entry per day, in order, also for days on which nothing ran.
    days: list[DailyCounts]


def daily(org_id: str, cron_id: str, span: Span, now: datetime) -> Days:
    """Returns the counts of each day asked for, as of now. Raises Invalid, NotFound."""
    last = span.last or now.date()
    first = span.first or last - timedelta(days=_USUAL_DAYS - 1)
    if first > last:
        raise Invalid(FieldError("to", "must not be before from"))
    if last - first >= timedelta(days=_MOST_DAYS):
        raise Invalid(FieldError("from", f"must be at most {_MOST_DAYS} days before to"))
    counted = {day.day: day for day in _days(_as_of(find(org_id, cron_id), now), first, last)}
    every_day = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return Days(first, last, [counted.get(day, DailyCounts(day, Counts())) for day in every_day])


def _days(current: _Current, first: date, last: date) -> list[DailyCounts]:
    """Returns the days that have counts; those of the same day are added up."""
    stored = days_between(current.cron.id, first, last)
    today = current.cron.today
    if today is not None:
        stored = [day for day in stored if day.day != today.day] + [today]
    by_day: dict[date, list[Counts]] = {}
    for day, counts in (*stored, *current.days):
        if first <= day <= last:
            by_day.setdefault(day, []).append(counts)
    return [DailyCounts(day, sum_counts(by_day[day])) for day in sorted(by_day)]
