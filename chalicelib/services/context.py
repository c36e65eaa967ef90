"""Loads what a decision needs besides the cron itself, once a rule asks for it."""

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from chalicelib import settings
from chalicelib.domain.monitor.blackout import Blackout, Hearing, blackouts_until, without_signals
from chalicelib.domain.monitor.context import RECENT_DAYS, Context
from chalicelib.domain.monitor.cron import Cron
from chalicelib.domain.monitor.decision import Decision
from chalicelib.domain.monitor.hearing import Deafness, deaf_times, is_in_doubt, until_heard
from chalicelib.domain.monitor.maintenance import MaintenanceWindow, covering
from chalicelib.domain.runs.counts import DailyCounts
from chalicelib.domain.times import DAY
from chalicelib.services import clock
from chalicelib.store import crons, runs
from chalicelib.store.daily_counts import days_between
from chalicelib.store.maintenance import maintenance_windows_of_org
from chalicelib.store.tick_log import load_watch

# How many crons of an org are looked at for signals, how many with signals are asked, and for how many runs.
_LOOKED_AT = 500
_WITNESSES = 10
_RUNS_PER_WITNESS = 500

Windows = Callable[[str], list[MaintenanceWindow]]
Blackouts = Callable[[str], tuple[Blackout, ...]]
Dependencies = Callable[[Cron], tuple[Cron, ...]]


class InDoubt(Exception):
    """Whether CronHub can hear is not known just now: what was due is judged when it is."""


def blackouts_now(org_id: str) -> tuple[Blackout, ...]:
    """Returns the times in which CronHub could not see an org's crons, with those that still go on."""
    watch, now = load_watch(), clock.now()
    return blackouts_of(org_id, blackouts_until(watch, now), _deaf_times(watch.hearing, now))


def blackouts_or_doubt(org_id: str) -> tuple[Blackout, ...]:
    """Returns the same, for who looks at what is due. Raises InDoubt."""
    watch, now = load_watch(), clock.now()
    return blackouts_of(org_id, blackouts_until(watch, now), deaf_times_or_doubt(watch.hearing, now))


def _deaf_times(hearing: Hearing, now: datetime) -> tuple[Deafness, ...]:
    return deaf_times(hearing, now, settings.public_address())


def deaf_times_or_doubt(hearing: Hearing, now: datetime) -> tuple[Deafness, ...]:
    """Returns the times in which no canary arrived. Raises InDoubt while one is missing."""
    if is_in_doubt(hearing, now, settings.public_address()):
        raise InDoubt
    return _deaf_times(hearing, now)


def blackouts_of(
    org_id: str, without_ticks: tuple[Blackout, ...], deaf: tuple[Deafness, ...] = ()
) -> tuple[Blackout, ...]:
    """Returns the times without a tick, or without a canary, less those in which the org's signals came in."""
    times: list[Blackout] = [*without_ticks, *deaf]
    if not times:
        return ()
    heard = list(crons_heard(org_id, min(each.since for each in times), max(each.until for each in times)))
    return tuple(sorted((*without_signals(without_ticks, heard), *until_heard(deaf, heard))))


def crons_heard(org_id: str, since: datetime, until: datetime) -> Iterator[datetime]:
    """Yields when signals of an org's crons arrived in a time: of some crons, which is proof enough."""
    heard = (cron for cron in islice(crons.crons_of_org(org_id), _LOOKED_AT) if _signalled_since(cron, since))
    for cron in islice(heard, _WITNESSES):
        found, _ = runs.list_runs(cron.id, runs.RunQuery(_RUNS_PER_WITNESS, start=since, end=until))
        yield from (run.heard_at for run in found if run.heard_at is not None)
        if cron.last_signal_at is not None:
            yield cron.last_signal_at


def _signalled_since(cron: Cron, since: datetime) -> bool:
    return cron.last_signal_at is not None and cron.last_signal_at > since


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


def decide_with(
    cron: Cron, decide: Callable[[Context], Decision], sources: Sources | None = None, known: Context | None = None
) -> Decision:
    """Returns a decision made with all the context that it needs; most need none, and read nothing.

    known: what is at hand already.
    """
    sources = sources or Sources()
    context = known or Context()
    decision = decide(context)
    while any(decision.not_loaded):
        if decision.not_loaded.windows:
            context = context._replace(windows=covering(sources.windows(cron.org_id), cron))
        if decision.not_loaded.dependencies:
            context = context._replace(dependencies=sources.dependencies(cron))
        if decision.not_loaded.blackouts:
            context = context._replace(blackouts=sources.blackouts(cron.org_id))
        if decision.not_loaded.recent_days:
            context = context._replace(recent_days=recent_days_of(cron))
        decision = decide(context)
    return decision
