"""Register the crons of a service: make, update, leave as they are, archive."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from chalicelib.domain import ids
from chalicelib.domain.alerts.alert import alerts_of
from chalicelib.domain.errors import FieldError, Invalid
from chalicelib.domain.monitor import on_request
from chalicelib.domain.monitor.cron import Cron, Settings
from chalicelib.domain.monitor.decision import Decision
from chalicelib.domain.monitor.dependencies import depending_on
from chalicelib.services import projects
from chalicelib.services.commit import wake_for
from chalicelib.services.crons import SettingsChanges, with_settings
from chalicelib.services.dependencies import fault_of, require_few, require_no_cycle
from chalicelib.services.retries import retry_on_conflict
from chalicelib.store import crons, orgs
from chalicelib.store.commits import Change, commit_many
from chalicelib.store.cron_names import find_ids, ids_of_service
from chalicelib.store.dependencies import added

_UNKNOWN = "is neither the name of a cron of this service nor the id of a cron of this organization"
_MOST_ERRORS = 100


class RegisterResult(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


class WantedCron(NamedTuple):
    """A cron in a register call: only the settings that the call names."""

    name: str
    settings: SettingsChanges
    #: Names within the service, or ids; None: what it depends on stays as it is.
    depends_on: tuple[str, ...] | None = None


class Registration(NamedTuple):
    """A service's crons as they are to be; prune: others of the service are archived."""

    product: str
    service: str
    wanted: tuple[WantedCron, ...]
    prune: bool = False


class Registered(NamedTuple):
    #: In the order given.
    crons: tuple[tuple[Cron, RegisterResult], ...]
    #: Ids of the service's crons that were not in the list.
    archived: tuple[str, ...]


class _Call(NamedTuple):
    org_id: str
    product: str
    service: str
    wanted: tuple[WantedCron, ...]
    prune: bool
    now: datetime
    #: Of the org: new crons take it over.
    keyless_signals: bool = True


class _Plan(NamedTuple):
    """What is to be made of one wanted cron; before: as it was, None for a new one."""

    before: Cron | None
    decision: Decision
    result: RegisterResult

    @property
    def cron(self) -> Cron:
        return self.decision.cron


def register(org_id: str, given: Registration, now: datetime) -> Registered:
    """Makes a service's crons be as wanted (1,000 at most, names distinct).

    The same call again returns the same ids. Settings that a call does not name stay as they are. A
    call that is cut off midway has done a part, and does the rest when it is made again.
    Raises Invalid for projects and dependencies that are none, Conflict for a cycle or too many of them; nothing
    is changed then.
    """
    call = _Call(org_id, *given, now)
    return retry_on_conflict(lambda: _register(call))


def create(org_id: str, given: Registration, now: datetime) -> Cron:
    """Registers one cron, whose name must be free in its service. Raises Invalid, and as `register` does."""
    [wanted] = given.wanted
    taken = find_ids(org_id, given.product, given.service, [wanted.name]).values()
    if any(cron.archived_at is None for cron in crons.find_crons(org_id, taken).values()):
        raise Invalid(FieldError("name", "is the name of another cron of this service"))
    [(cron, _)] = register(org_id, given, now).crons
    return cron


def _register(call: _Call) -> Registered:
    ids_by_name, known = _find(call)
    if any(one.name not in ids_by_name for one in call.wanted):
        org = orgs.find_org(call.org_id)
        call = call._replace(keyless_signals=org is None or org.keyless_signals)
    plans = [_plan(call, one, known.get(ids_by_name.get(one.name, ""))) for one in call.wanted]
    pruned = _to_archive(call, {plan.cron.id for plan in plans}) if call.prune else []
    known.update((decision.cron.id, decision.cron) for _, decision in pruned)
    known.update((plan.cron.id, plan.cron) for plan in plans)
    ids_by_name.update((plan.cron.name, plan.cron.id) for plan in plans)
    named = {name: known[cron_id] for name, cron_id in ids_by_name.items() if cron_id in known}
    plans = _with_dependencies(call, plans, {**known, **named})
    version = _require_no_cycle(call, plans)
    changes: list[Change] = [
        (plan.before, plan.decision) for plan in plans if plan.result is not RegisterResult.UNCHANGED
    ]
    written = commit_many(changes + pruned, version)
    wake_for(alert for before, decision in pruned if before for alert in alerts_of(decision, before.incident))
    listed = tuple((written.get(plan.cron.id, plan.cron), plan.result) for plan in plans)
    return Registered(listed, tuple(decision.cron.id for _, decision in pruned))


def _find(call: _Call) -> tuple[dict[str, str], dict[str, Cron]]:
    """The ids by name, and the crons by id, of all that a call speaks of: two reads."""
    spoken_of = {name for one in call.wanted for name in one.depends_on or ()}
    given_ids = {name for name in spoken_of if ids.org_of(name) == call.org_id}
    names = {one.name for one in call.wanted} | spoken_of - given_ids
    ids_by_name = find_ids(call.org_id, call.product, call.service, names)
    return ids_by_name, crons.find_crons(call.org_id, given_ids.union(ids_by_name.values()))


def _plan(call: _Call, wanted: WantedCron, before: Cron | None) -> _Plan:
    if before is None:
        cron_id = ids.cron_id(call.org_id, secrets.token_bytes(10))
        settings = with_settings(Settings(), wanted.settings)
        names = on_request.CronNames(call.product, call.service, wanted.name)
        cron = on_request.create(cron_id, names, settings, call.now)
        cron = cron._replace(keyless_signals=call.keyless_signals)
        return _Plan(None, Decision(cron), RegisterResult.CREATED)
    settings = with_settings(before.settings, wanted.settings)
    if before.archived_at is not None:
        revived = on_request.resume(before._replace(settings=settings), call.now)
        return _Plan(before, revived, RegisterResult.UPDATED)
    if settings == before.settings:
        return _Plan(before, Decision(before), RegisterResult.UNCHANGED)
    return _Plan(before, on_request.change(before, settings, call.now), RegisterResult.UPDATED)


def _to_archive(call: _Call, kept: set[str]) -> list[Change]:
    service_ids = ids_of_service(call.org_id, call.product, call.service)
    others = crons.find_crons(call.org_id, (cron_id for cron_id in service_ids if cron_id not in kept))
    return [(cron, on_request.archive(cron, call.now)) for cron in others.values() if cron.archived_at is None]


def _with_dependencies(call: _Call, plans: list[_Plan], known: Mapping[str, Cron]) -> list[_Plan]:
    """The plans, with what the call says that each cron depends on; known: crons by name and by id."""
    done: list[_Plan] = []
    errors = _project_faults(call)
    for place, (wanted, plan) in enumerate(zip(call.wanted, plans, strict=True)):
        found = [known.get(name) for name in wanted.depends_on or ()]
        faults = [_UNKNOWN if one is None else fault_of(plan.cron, one) for one in found]
        errors += (
            FieldError(f"crons[{place}].depends_on[{number}]", fault)
            for number, fault in enumerate(faults)
            if fault is not None
        )
        named = dict.fromkeys(one.id for one in found if one is not None)
        done.append(plan if wanted.depends_on is None else _depending_on(plan, tuple(named)))
    if errors:
        raise Invalid(*errors[:_MOST_ERRORS])
    for plan in done:
        require_few(plan.cron)
    return done


def _project_faults(call: _Call) -> list[FieldError]:
    given = ((f"crons[{place}].project_id", one.settings.project_id) for place, one in enumerate(call.wanted))
    return projects.faults(call.org_id, given)


def _depending_on(plan: _Plan, depends_on: tuple[str, ...]) -> _Plan:
    if set(depends_on) == set(plan.cron.depends_on):
        return plan
    decision = plan.decision._replace(cron=depending_on(plan.cron, depends_on))
    return _Plan(plan.before, decision, RegisterResult.CREATED if plan.before is None else RegisterResult.UPDATED)


def _require_no_cycle(call: _Call, plans: list[_Plan]) -> int | None:
    """The version of the graph that was looked at; None where no edge is added. Raises Conflict."""
    if not any(added(plan.before, plan.cron) for plan in plans):
        return None
    new = {plan.cron.id: plan.cron.depends_on for plan in plans}
    return require_no_cycle(call.org_id, new, {plan.cron.id: plan.cron.name for plan in plans})
