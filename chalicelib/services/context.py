"""Load what decisions turn on besides the cron itself, only once they do."""

from collections.abc import Callable

from chalicelib.domain.monitor.blackout import Gap, gaps_until
from chalicelib.domain.monitor.context import Surroundings
from chalicelib.domain.monitor.cron import Cron
from chalicelib.domain.monitor.decision import Decision
from chalicelib.domain.monitor.maintenance import Window, covering
from chalicelib.services import clock
from chalicelib.store import crons
from chalicelib.store.maintenance import windows_of_org
from chalicelib.store.tick_log import load_watch

Windows = Callable[[str], list[Window]]
Gaps = Callable[[], tuple[Gap, ...]]
Dependencies = Callable[[Cron], tuple[Cron, ...]]


def gaps_now() -> tuple[Gap, ...]:
    """The gaps in which nobody looked, with the one that no tick has ended yet."""
    return gaps_until(load_watch(), clock.now())


def dependencies_of(cron: Cron) -> tuple[Cron, ...]:
    """Those crons it depends on that are still there; an archived one holds nobody up."""
    found = crons.find_crons(cron.org_id, cron.depends_on)
    return tuple(one for one in found.values() if one.archived_at is None)


def decide_with(
    cron: Cron,
    decide: Callable[[Surroundings], Decision],
    windows: Windows = windows_of_org,
    gaps: Gaps = gaps_now,
    dependencies: Dependencies = dependencies_of,
) -> Decision:
    """The decision made with all it turns on; most turn on nothing, and read nothing."""
    around = Surroundings()
    decision = decide(around)
    while any(decision.wanted):
        if decision.wanted.windows:
            around = around._replace(windows=covering(windows(cron.org_id), cron))
        if decision.wanted.dependencies:
            around = around._replace(dependencies=dependencies(cron))
        if decision.wanted.gaps:
            around = around._replace(gaps=gaps())
        decision = decide(around)
    return decision
