"""What is known of a cron in sum: its details and its days."""

from datetime import date, datetime, timedelta
from typing import NamedTuple

from chalicelib.domain.errors import FieldError, Invalid
from chalicelib.domain.monitor.cron import Cron
from chalicelib.domain.monitor.dependencies import Blocker
from chalicelib.domain.monitor.expectation import occurrences
from chalicelib.domain.monitor.maintenance import MaintenanceWindow, covering
from chalicelib.domain.runs.counts import DailyCounts
from chalicelib.domain.runs.periods import DAYS, LAST_DAY, Period, last_day, last_days
from chalicelib.domain.runs.run import Run
from chalicelib.services.crons import find
from chalicelib.services.dependencies import overview
from chalicelib.store import runs
from chalicelib.store.daily_counts import days_between
from chalicelib.store.maintenance import maintenance_windows_of_org

_RECENT = 100
_USUAL_DAYS = 30
_MOST_DAYS = 400


class Details(NamedTuple):
    """recent: the latest runs, latest first · periods: `24h`, `7d`, `30d`, `90d` · windows: those
    that cover the cron · dependencies: with why each is not completed, None where it is."""

    cron: Cron
    recent: list[Run]
    periods: dict[str, Period]
    windows: tuple[MaintenanceWindow, ...]
    dependencies: list[tuple[Cron, Blocker | None]]
    dependants: list[Cron]


def details(org_id: str, cron_id: str, now: datetime) -> Details:
    """All of a cron, in six reads. Raises NotFound."""
    cron = find(org_id, cron_id)
    recent, since = runs.recent_runs(cron_id, _RECENT, now - LAST_DAY)
    days = _days(cron, now.date() - timedelta(days=max(DAYS.values()) - 1), now.date())
    dependencies, dependants = overview(cron, now)
    return Details(
        cron=cron,
        recent=recent,
        periods={"24h": last_day(recent, occurrences(cron), since), **last_days(days, now)},
        windows=covering(maintenance_windows_of_org(org_id), cron),
        dependencies=dependencies,
        dependants=dependants,
    )


class Span(NamedTuple):
    """The UTC days asked for; None: up to today, and 30 days in all."""

    first: date | None = None
    last: date | None = None


class Days(NamedTuple):
    first: date
    last: date
    days: list[DailyCounts]


def daily(org_id: str, cron_id: str, span: Span, now: datetime) -> Days:
    """The days there is anything of, in order. Raises Invalid, NotFound."""
    last = span.last or now.date()
    first = span.first or last - timedelta(days=_USUAL_DAYS - 1)
    if first > last:
        raise Invalid(FieldError("to", "must not be before from"))
    if last - first >= timedelta(days=_MOST_DAYS):
        raise Invalid(FieldError("from", f"must be at most {_MOST_DAYS} days before to"))
    return Days(first, last, _days(find(org_id, cron_id), first, last))


def _days(cron: Cron, first: date, last: date) -> list[DailyCounts]:
    days = days_between(cron.id, first, last)
    today = cron.today
    if today is not None and first <= today.day <= last:
        days = [day for day in days if day.day != today.day] + [today]
    return sorted(days, key=lambda day: day.day)
