"""Loads what a decision needs besides the cron itself, once a rule asks for it."""

from collections.abc import Callable
from typing import NamedTuple

from chalicelib.domain.monitor.blackout import Blackout, blackouts_until
from chalicelib.domain.monitor.context import RECENT_DAYS, Context
from chalicelib.domain.monitor.cron import Cron
from chalicelib.domain.monitor.decision import Decision
from chalicelib.domain.monitor.maintenance import MaintenanceWindow, covering
from chalicelib.domain.runs.counts import DailyCounts
from chalicelib.domain.times import DAY
from chalicelib.services import clock
from chalicelib.store import crons
from chalicelib.store.daily_counts import days_between
from chalicelib.store.maintenance import maintenance_windows_of_org
from chalicelib.store.tick_log import load_watch

Windows = Callable[[str], list[MaintenanceWindow]]
Blackouts = Callable[[], tuple[Blackout, ...]]
Dependencies = Callable[[Cron], tuple[Cron, ...]]


def blackouts_now() -> tuple[Blackout, ...]:
    """Returns the times in which CronHub could not see, with the one that no tick has ended yet."""
    return blackouts_until(load_watch(), clock.now())


def dependencies_of(cron: Cron) -> tuple[Cron, ...]:
    """Returns the crons it depends on that still exist; an archived one holds nothing up."""
    found = crons.find_crons(cron.org_id, cron.depends_on)
    return tuple(one for one in found.values() if one.archived_at is None)


def recent_days_of(cron: Cron) -> tuple[DailyCounts, ...]:
    """Returns the cron's counts of the last weeks, without the day that its item holds."""
    today = clock.now().date()
    days = days_between(cron.id, today - RECENT_DAYS * DAY, today)
    return tuple(day for day in days if cron.today is None or day.day != cron.today.day)


class Sources(NamedTuple):
    """Where the context of decisions is loaded from."""

    windows: Windows = maintenance_windows_of_org
    blackouts: Blackouts = blackouts_now
    dependencies: Dependencies = dependencies_of


def decide_with(cron: Cron, decide: Callable[[Context], Decision], sources: Sources | None = None) -> Decision:
    """Returns a decision made with all the context that it needs; most need none, and read nothing."""
    sources = sources or Sources()
    context = Context()
    decision = decide(context)
    while any(decision.not_loaded):
        if decision.not_loaded.windows:
            context = context._replace(windows=covering(sources.windows(cron.org_id), cron))
        if decision.not_loaded.dependencies:
            context = context._replace(dependencies=sources.dependencies(cron))
        if decision.not_loaded.blackouts:
            context = context._replace(blackouts=sources.blackouts())
        if decision.not_loaded.recent_days:
            context = context._replace(recent_days=recent_days_of(cron))
        decision = decide(context)
    return decision
