"""Crons as people handle them: details, lists, changes, pauses, the end."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from chalicelib.domain.errors import Conflict, NotFound
from chalicelib.domain.ids import is_timed_id, org_of
from chalicelib.domain.monitor import on_request
from chalicelib.domain.monitor.cron import Cron, Settings, Status
from chalicelib.domain.monitor.decision import Decision
from chalicelib.domain.monitor.display_status import DisplayStatus, display_status
from chalicelib.domain.monitor.maintenance import MaintenanceWindow, covering, in_maintenance
from chalicelib.domain.runs.run import Run, RunStatus
from chalicelib.services.dependencies import release_dependants
from chalicelib.services.retries import retry_on_conflict
from chalicelib.store import crons, runs
from chalicelib.store.commits import commit, commit_many, delete_cron
from chalicelib.store.cron_names import find_ids


def find(org_id: str, cron_id: str) -> Cron:
    """A cron of this org, archived ones too. Raises NotFound."""
    cron = crons.find_cron(org_id, cron_id) if org_of(cron_id) == org_id else None
    if cron is None:
        raise NotFound("no such cron")
    return cron


def shown_in(cron: Cron, now: datetime, windows: Sequence[MaintenanceWindow]) -> DisplayStatus:
    """What is shown of a cron in an org with these maintenance windows."""
    return display_status(cron, now, in_maintenance=in_maintenance(covering(windows, cron), now))


class Filters(NamedTuple):
    """None: any. `search`: part of a product, service, name or description, in any case."""

    product: str | None = None
    service: str | None = None
    search: str | None = None
    project_id: str | None = None
    status: DisplayStatus | None = None
    tag: str | None = None
    windows: Sequence[MaintenanceWindow] = ()

    def admit(self, cron: Cron, now: datetime) -> bool:
        status = shown_in(cron, now, self.windows)
        return (
            self.product in (None, cron.product)
            and self.service in (None, cron.service)
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


def list_crons(
    org_id: str, filters: Filters, limit: int, after: str | None, now: datetime
) -> tuple[list[Cron], str | None]:
    """The next `limit` crons by id; and behind which id to go on, None at the end."""
    found: list[Cron] = []
    for cron in _admitted(org_id, filters, after, now):
        if len(found) == limit:
            return found, found[-1].id
        found.append(cron)
    return found, None


def _admitted(org_id: str, filters: Filters, after: str | None, now: datetime) -> Iterator[Cron]:
    return (cron for cron in crons.crons_of_org(org_id, after) if filters.admit(cron, now))


class Changes(NamedTuple):
    """What a PATCH changes: names and settings, only those given."""

    names: dict[str, Any]
    settings: dict[str, Any]


def change(org_id: str, cron_id: str, changes: Changes, now: datetime) -> Cron:
    """Raises NotFound; Conflict where the new name is taken."""

    def decide(cron: Cron) -> Decision:
        named = cron._replace(**changes.names)
        if _names(named) != _names(cron):
            _require_free(named)
        return on_request.change(named, with_settings(cron.settings, changes.settings), now)

    return write(org_id, cron_id, decide, now)


def with_settings(settings: Settings, given: dict[str, Any]) -> Settings:
    """Those given replaced; one given as None has its usual value again."""
    usual = Settings()
    values = {name: getattr(usual, name) if value is None else value for name, value in given.items()}
    return settings._replace(**values)


def _names(cron: Cron) -> tuple[str, str, str]:
    return cron.product, cron.service, cron.name


def _require_free(cron: Cron) -> None:
    taken = find_ids(cron.org_id, cron.product, cron.service, [cron.name])
    if taken.get(cron.name, cron.id) != cron.id:
        raise Conflict("there is another cron of this product, service and name")


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
    """Loads, decides and commits until no race is lost. Raises NotFound; Conflict for an archived cron."""

    def once() -> Cron:
        cron = find(org_id, cron_id)
        if cron.archived_at is not None:
            raise Conflict("this cron is archived: register it again first")
        decision = decide(cron)
        if decision.cron == cron:
            return cron
        if _names(decision.cron) != _names(cron):
            return commit_many([(cron, decision)])[cron.id]
        return commit(decision, now)

    return retry_on_conflict(once)


def delete(org_id: str, cron_id: str, now: datetime) -> None:
    """Raises NotFound."""

    def once() -> None:
        cron = find(org_id, cron_id)
        release_dependants(cron)
        delete_cron(cron, on_request.archive(cron, now))

    retry_on_conflict(once)


def list_runs(
    org_id: str,
    cron_id: str,
    limit: int,
    before: str | None,
    status: RunStatus | None,
    start: datetime | None,
    end: datetime | None,
) -> tuple[list[Run], str | None]:
    """A cron's runs, latest first. Raises NotFound."""
    find(org_id, cron_id)
    return runs.list_runs(cron_id, limit, before, status, start, end)


def find_run(org_id: str, cron_id: str, run_id: str) -> Run:
    """Raises NotFound."""
    find(org_id, cron_id)
    run = runs.find_run(cron_id, run_id, whole=True) if is_timed_id(run_id) else None
    if run is None:
        raise NotFound("no such run")
    return run
