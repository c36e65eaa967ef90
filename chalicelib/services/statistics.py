"""What is known of a cron in sum: its details and its days."""

from datetime import date, datetime, timedelta
from typing import NamedTuple

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


def daily(org_id: str, cron_id: str, first: date, last: date) -> list[DailyCounts]:
    """The days there is anything of, in order. Raises NotFound."""
    return _days(find(org_id, cron_id), first, last)


def _days(cron: Cron, first: date, last: date) -> list[DailyCounts]:
    days = days_between(cron.id, first, last)
    today = cron.today
    if today is not None and first <= today.day <= last:
        days = [day for day in days if day.day != today.day] + [today]
    return sorted(days, key=lambda day: day.day)
