"""Crons as people handle them: details, lists, changes, pauses, the end."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from msgspec import UNSET, UnsetType

from chalicelib.domain.alerts.alert import alerts_of
from chalicelib.domain.errors import Conflict, NotFound
from chalicelib.domain.ids import is_timed_id, org_of
from chalicelib.domain.monitor import on_request
from chalicelib.domain.monitor.cron import Cron, Settings, Status
from chalicelib.domain.monitor.decision import Decision
from chalicelib.domain.monitor.display_status import DisplayStatus, display_status
from chalicelib.domain.monitor.maintenance import MaintenanceWindow, covering, in_maintenance
from chalicelib.domain.monitor.misses import next_expected_at
from chalicelib.domain.monitor.slug import slug_of
from chalicelib.domain.runs.run import Run, RunStatus
from chalicelib.services import projects
from chalicelib.services.changes import changed
from chalicelib.services.commit import commit_and_log, wake_for
from chalicelib.services.dependencies import release_dependants
from chalicelib.services.paging import Page
from chalicelib.services.retries import retry_on_conflict
from chalicelib.store import crons, runs
from chalicelib.store.commits import commit_many, delete_cron
from chalicelib.store.cron_names import find_ids
from chalicelib.store.maintenance import maintenance_windows_of_org


def find(org_id: str, cron_id: str) -> Cron:
    """A cron of this org, archived ones too. Raises NotFound."""
    cron = crons.find_cron(org_id, cron_id) if org_of(cron_id) == org_id else None
    if cron is None:
        raise NotFound("no such cron")
    return cron


def shown_in(cron: Cron, now: datetime, windows: Sequence[MaintenanceWindow]) -> DisplayStatus:
    """Returns the status that is shown in an org with these maintenance windows."""
    return display_status(cron, now, in_maintenance=in_maintenance(covering(windows, cron), now))


class Shown(NamedTuple):
    """A cron as people see it at a moment."""

    cron: Cron
    status: DisplayStatus
    next_expected_at: datetime | None


def shown(cron: Cron, now: datetime) -> Shown:
    """Returns a cron as it is shown; reads its org's maintenance windows."""
    return shown_with(cron, now, maintenance_windows_of_org(cron.org_id))


def shown_with(cron: Cron, now: datetime, windows: Sequence[MaintenanceWindow]) -> Shown:
    """Returns a cron as it is shown in an org with these maintenance windows."""
    return Shown(cron, shown_in(cron, now, windows), next_expected_at(cron, now))


def watched_crons(org_id: str, now: datetime) -> list[Shown]:
    """All crons of an org that are not archived."""
    windows = maintenance_windows_of_org(org_id)
    found = (shown_with(cron, now, windows) for cron in crons.crons_of_org(org_id))
    return [one for one in found if one.status is not DisplayStatus.ARCHIVED]


class CronFilters(NamedTuple):
    """None: any."""

    product: str | None = None
    service: str | None = None
    name: str | None = None
    #: Part of a product, service, name or description, in any case.
    search: str | None = None
    project_id: str | None = None
    status: DisplayStatus | None = None
    tag: str | None = None

    def admit(self, one: Shown) -> bool:
        cron, status, _ = one
        return (
            self.product in (None, cron.product)
            and self.service in (None, cron.service)
            and self.name in (None, cron.name)
            and self.project_id in (None, cron.settings.project_id)
            and (self.tag is None or self.tag in cron.settings.tags)
            # Archived ones are out of the way unless asked for.
            and (status is not DisplayStatus.ARCHIVED if self.status is None else status is self.status)
            and (self.search is None or _mentions(cron, self.search))
        )


def _mentions(cron: Cron, text: str) -> bool:
    wanted = text.casefold()
    words = (cron.product, cron.service, cron.name, cron.settings.description)
    return any(wanted in word.casefold() for word in words)


def list_crons(org_id: str, filters: CronFilters, page: Page, now: datetime) -> tuple[list[Shown], str | None]:
    """A page of crons by id; and the next page's cursor, None at the end. Raises Invalid: unknown project."""
    projects.require(org_id, [("project_id", filters.project_id)])
    windows = maintenance_windows_of_org(org_id)
    found: list[Shown] = []
    # Without filters a page's crons are the next ones. With filters they may lie far apart.
    first_page = page.limit + 1 if filters == CronFilters() else None
    for cron in _candidates(org_id, filters, page, first_page):
        one = shown_with(cron, now, windows)
        if not filters.admit(one):
            continue
        if len(found) == page.limit:
            return found, found[-1].cron.id
        found.append(one)
    return found, None


def _candidates(org_id: str, filters: CronFilters, page: Page, first_page: int | None) -> Iterable[Cron]:
    """The org's crons behind the page's cursor, of which some may pass the filters."""
    if filters.product is None or filters.service is None or filters.name is None:
        return crons.crons_of_org(org_id, page.cursor, first_page)
    ids = find_ids(org_id, filters.product, filters.service, [filters.name])
    return crons.find_crons(org_id, (one for one in ids.values() if one > (page.cursor or ""))).values()


class SettingsChanges(NamedTuple):
    """UNSET: the setting stays as it is. None: it has its usual value again."""

    schedule: str | UnsetType | None = UNSET
    timezone: str | UnsetType | None = UNSET
    description: str | UnsetType | None = UNSET
    grace_seconds: int | UnsetType | None = UNSET
    max_runtime_seconds: int | UnsetType | None = UNSET
    anomaly_factor: float | UnsetType | None = UNSET
    failure_tolerance: int | UnsetType | None = UNSET
    recovery_threshold: int | UnsetType | None = UNSET
    tags: tuple[str, ...] | UnsetType | None = UNSET
    sla_target: float | UnsetType | None = UNSET
    reminder_seconds: int | UnsetType | None = UNSET
    project_id: str | UnsetType | None = UNSET
    slug: str | UnsetType | None = UNSET
    resumes_on_signal: bool | UnsetType | None = UNSET
    kept: str | UnsetType | None = UNSET


class Names(NamedTuple):
    """The new names of a cron."""

    product: str | UnsetType = UNSET
    service: str | UnsetType = UNSET
    name: str | UnsetType = UNSET


class Changes(NamedTuple):
    names: Names
    settings: SettingsChanges


def change(org_id: str, cron_id: str, changes: Changes, now: datetime) -> Cron:
    """Raises NotFound; Invalid for an unknown project; Conflict where the new name is taken."""

    def decide(cron: Cron) -> Decision:
        projects.require(org_id, [("project_id", changes.settings.project_id)])
        named = changed(cron, changes.names)
        if _names(named) != _names(cron):
            _require_free(named)
        return on_request.change(named, with_settings(cron.settings, changes.settings), now)

    return write(org_id, cron_id, decide, now)


def with_settings(settings: Settings, changes: SettingsChanges) -> Settings:
    """`settings` after `changes`."""
    usual = Settings()
    cleared = {name: getattr(usual, name) for name, value in changes._asdict().items() if value is None}
    return changed(settings, changes)._replace(**cleared)


def _names(cron: Cron) -> tuple[str, str, str]:
    return cron.product, cron.service, cron.name


def _require_free(cron: Cron) -> None:
    taken = find_ids(cron.org_id, cron.product, cron.service, [cron.name])
    if taken.get(cron.name, cron.id) != cron.id:
        raise Conflict("another cron has this product, service and name")


def pause(org_id: str, cron_id: str, now: datetime) -> Cron:
    def decide(cron: Cron) -> Decision:
        if cron.status is Status.PAUSED:
            return Decision(cron)
        return on_request.pause(cron, now)

    return write(org_id, cron_id, decide, now)


def resume(org_id: str, cron_id: str, now: datetime) -> Cron:
    """Resumes a paused cron; one that is not paused stays as it is."""

    def decide(cron: Cron) -> Decision:
        if cron.status is not Status.PAUSED:
            return Decision(cron)
        return on_request.resume(cron, now)

    return write(org_id, cron_id, decide, now)


def write(org_id: str, cron_id: str, decide: Callable[[Cron], Decision], now: datetime) -> Cron:
    """Loads, decides and commits, again on a conflict. Raises NotFound; Conflict for an archived cron."""

    def once() -> Cron:
        cron = find(org_id, cron_id)
        if cron.archived_at is not None:
            raise Conflict("this cron is archived; register it again first")
        decision = decide(cron)
        if decision.cron == cron:
            return cron
        if (_names(decision.cron), slug_of(decision.cron)) != (_names(cron), slug_of(cron)):
            return commit_many([(cron, decision)])[cron.id]
        wake_for(commit_and_log(cron, decision, now))
        return decision.cron._replace(version=decision.cron.version + 1)

    return retry_on_conflict(once)


def delete(org_id: str, cron_id: str, now: datetime) -> None:
    """Raises NotFound."""

    def once() -> None:
        cron = find(org_id, cron_id)
        release_dependants(cron)
        decision = on_request.delete(cron, now)
        delete_cron(cron, decision)
        wake_for(alerts_of(decision, cron.incident))

    retry_on_conflict(once)


class RunFilters(NamedTuple):
    """None: any. `start` ≤ a run's time < `end`."""

    status: RunStatus | None = None
    start: datetime | None = None
    end: datetime | None = None


def list_runs(org_id: str, cron_id: str, filters: RunFilters, page: Page) -> tuple[list[Run], str | None]:
    """A page of a cron's runs, latest first. Raises NotFound."""
    find(org_id, cron_id)
    return runs.list_runs(cron_id, runs.RunQuery(page.limit, page.cursor, *filters))


def find_run(org_id: str, cron_id: str, run_id: str) -> Run:
    """Raises NotFound."""
    find(org_id, cron_id)
    run = runs.find_run(cron_id, run_id, whole=True) if is_timed_id(run_id) else None
    if run is None:
        raise NotFound("no such run")
    return run
