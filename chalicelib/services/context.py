"""Load what decisions turn on besides the cron itself, only once they do."""

from collections.abc import Callable

from chalicelib.domain.monitor.blackout import Blackout, blackouts_until
from chalicelib.domain.monitor.context import Context
from chalicelib.domain.monitor.cron import Cron
from chalicelib.domain.monitor.decision import Decision
from chalicelib.domain.monitor.maintenance import MaintenanceWindow, covering
from chalicelib.services import clock
from chalicelib.store import crons
from chalicelib.store.maintenance import maintenance_windows_of_org
from chalicelib.store.tick_log import load_watch

Windows = Callable[[str], list[MaintenanceWindow]]
Blackouts = Callable[[], tuple[Blackout, ...]]
Dependencies = Callable[[Cron], tuple[Cron, ...]]


def blackouts_now() -> tuple[Blackout, ...]:
    """The blackouts in which nobody looked, with the one that no tick has ended yet."""
    return blackouts_until(load_watch(), clock.now())


def dependencies_of(cron: Cron) -> tuple[Cron, ...]:
    """Those crons it depends on that are still there; an archived one holds nobody up."""
    found = crons.find_crons(cron.org_id, cron.depends_on)
    return tuple(one for one in found.values() if one.archived_at is None)


def decide_with(
    cron: Cron,
    decide: Callable[[Context], Decision],
    windows: Windows = maintenance_windows_of_org,
    blackouts: Blackouts = blackouts_now,
    dependencies: Dependencies = dependencies_of,
) -> Decision:
    """The decision made with all it turns on; most turn on nothing, and read nothing."""
    context = Context()
    decision = decide(context)
    while any(decision.not_loaded):
        if decision.not_loaded.windows:
            context = context._replace(windows=covering(windows(cron.org_id), cron))
        if decision.not_loaded.dependencies:
            context = context._replace(dependencies=dependencies(cron))
        if decision.not_loaded.blackouts:
            context = context._replace(blackouts=blackouts())
        decision = decide(context)
    return decision
