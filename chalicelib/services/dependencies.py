"""What a cron waits for, and what waits for it."""

from collections.abc import Mapping
from datetime import datetime

from chalicelib.domain.errors import Conflict, FieldError, Invalid, NotFound
from chalicelib.domain.ids import org_of
from chalicelib.domain.monitor.cron import Cron
from chalicelib.domain.monitor.decision import Decision
from chalicelib.domain.monitor.dependencies import (
    MOST_DEPENDENCIES,
    Blocker,
    Edges,
    blockers,
    cycle,
    depending_on,
)
from chalicelib.services.retries import retry_on_conflict
from chalicelib.store import crons, dependencies
from chalicelib.store.commits import commit_many


def overview(cron: Cron, now: datetime) -> tuple[list[tuple[Cron, Blocker | None]], list[Cron]]:
    """What a cron depends on, each with why it is not completed; and what depends on it, by name.

    Crons that are archived or gone are left out.
    """
    dependants = dependencies.dependants_of(cron.org_id, cron.id)
    known = _there(cron.org_id, {*cron.depends_on, *dependants})
    waited_for = [known[one] for one in cron.depends_on if one in known]
    waiting = [known[one] for one in dependants if one in known]
    waiting.sort(key=lambda one: (one.product, one.service, one.name))
    return [(one, blocker_of(one, now)) for one in waited_for], waiting


def blocker_of(dependency: Cron, now: datetime) -> Blocker | None:
    """None: it is completed."""
    return next(iter(blockers([dependency], now)), None)


def _there(org_id: str, ids: set[str]) -> dict[str, Cron]:
    found = crons.find_crons(org_id, ids)
    return {cron_id: cron for cron_id, cron in found.items() if cron.archived_at is None}


def add(org_id: str, cron_id: str, depends_on_id: str) -> tuple[Cron, bool]:
    """Lets a cron depend on another; returns the other, and whether that is new.

    Raises NotFound; Invalid for itself or an archived one; Conflict for a cycle, or too many.
    """

    def once() -> tuple[Cron, bool]:
        found = crons.find_crons(org_id, {one for one in (cron_id, depends_on_id) if org_of(one) == org_id})
        cron, dependency = found.get(cron_id), found.get(depends_on_id)
        if cron is None or dependency is None:
            raise NotFound("no such cron")
        _require_changeable(cron)
        fault = fault_of(cron, dependency)
        if fault is not None:
            raise Invalid(FieldError("depends_on_id", fault))
        if depends_on_id in cron.depends_on:
            return dependency, False
        changed = depending_on(cron, (*_kept(cron), depends_on_id))
        require_few(changed)
        version = require_no_cycle(
            org_id, {cron_id: changed.depends_on}, {one.id: one.name for one in found.values()}
        )
        commit_many([(cron, Decision(changed))], version)
        return dependency, True

    return retry_on_conflict(once)


def _kept(cron: Cron) -> tuple[str, ...]:
    """What a cron depends on; where that is very much, without what is gone."""
    if len(cron.depends_on) < MOST_DEPENDENCIES:
        return cron.depends_on
    known = crons.find_crons(cron.org_id, cron.depends_on)
    return tuple(one for one in cron.depends_on if one in known)


def remove(org_id: str, cron_id: str, depends_on_id: str) -> None:
    """Raises NotFound where there is no such cron, or it does not depend on the other."""

    def once() -> None:
        cron = crons.find_cron(org_id, cron_id) if org_of(cron_id) == org_id else None
        if cron is None:
            raise NotFound("no such cron")
        _require_changeable(cron)
        if depends_on_id not in cron.depends_on:
            raise NotFound("no such dependency")
        commit_many([(cron, Decision(_without(cron, depends_on_id)))])

    retry_on_conflict(once)


def release_dependants(cron: Cron) -> None:
    """Nothing depends on this cron any more. Raises ConcurrentUpdate."""
    ids = dependencies.dependants_of(cron.org_id, cron.id)
    dependants = crons.find_crons(cron.org_id, ids).values()
    commit_many([(one, Decision(_without(one, cron.id))) for one in dependants if cron.id in one.depends_on])


def _without(cron: Cron, depends_on_id: str) -> Cron:
    return depending_on(cron, tuple(one for one in cron.depends_on if one != depends_on_id))


def _require_changeable(cron: Cron) -> None:
    if cron.archived_at is not None:
        raise Conflict("this cron is archived; register it again first")


def fault_of(cron: Cron, dependency: Cron) -> str | None:
    """Why a cron cannot depend on another."""
    if cron.id == dependency.id:
        return "is the cron itself"
    return None if dependency.archived_at is None else "is archived"


def require_few(cron: Cron) -> None:
    """Raises Conflict."""
    if len(cron.depends_on) > MOST_DEPENDENCIES:
        raise Conflict(f"{cron.name} would depend on more than {MOST_DEPENDENCIES} crons")


def require_no_cycle(org_id: str, new: Edges, names: Mapping[str, str]) -> int:
    """The version of the graph in which `new` closes no cycle. Raises Conflict, with names in it."""
    graph = dependencies.graph_of_org(org_id)
    path = cycle(graph.edges, new)
    if path is None:
        return graph.version
    others = crons.find_crons(org_id, set(path) - names.keys())
    known = {**{one.id: one.name for one in others.values()}, **names}
    raise Conflict("a cron would wait for itself: " + " → ".join(known.get(one, one) for one in path))
