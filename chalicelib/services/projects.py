"""Projects: names under which crons of many services belong together."""

import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from msgspec import UNSET, UnsetType

from chalicelib.domain import ids
from chalicelib.domain.accounts.project import Project
from chalicelib.domain.errors import ConcurrentUpdate, Conflict, FieldError, Invalid, NotFound
from chalicelib.services.changes import changed
from chalicelib.services.paging import Page, page_of
from chalicelib.services.retries import retry_on_conflict
from chalicelib.store import projects

_MOST = 1000


class ProjectChanges(NamedTuple):
    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET


def create(org_id: str, name: str, description: str, now: datetime) -> Project:
    """Raises Conflict where the name is taken."""
    if len(projects.projects_of_org(org_id)) >= _MOST:
        raise Conflict(f"an organization has at most {_MOST} projects; delete some first")
    made = Project(org_id, ids.timed_id(now, secrets.token_bytes(10)), name, description, now)
    _save(made, None)
    return made


def list_projects(org_id: str, page: Page) -> tuple[list[Project], str | None]:
    return page_of(projects.projects_of_org(org_id), page)


def find(org_id: str, project_id: str) -> Project:
    """Raises NotFound."""
    found = projects.find_project(org_id, project_id) if ids.is_timed_id(project_id) else None
    if found is None:
        raise NotFound("no such project")
    return found


def faults(org_id: str, given: Iterable[tuple[str, str | UnsetType | None]]) -> list[FieldError]:
    """Returns an error for each (field, project id) that names no project of this org; one read, or none."""
    named = [(field, project_id) for field, project_id in given if isinstance(project_id, str)]
    known = projects.known_projects(org_id, {project_id for _, project_id in named if ids.is_timed_id(project_id)})
    return [
        FieldError(field, "is not the id of a project of this organization")
        for field, project_id in named
        if project_id not in known
    ]


def require(org_id: str, given: Iterable[tuple[str, str | UnsetType | None]]) -> None:
    """Raises Invalid for the fields that name no project of this org."""
    errors = faults(org_id, given)
    if errors:
        raise Invalid(*errors)


def change(org_id: str, project_id: str, changes: ProjectChanges) -> Project:
    """Raises NotFound; Conflict where the name is taken."""
    before = find(org_id, project_id)
    after = changed(before, changes)
    _save(after, before)
    return after


def _save(project: Project, before: Project | None) -> None:
    try:
        projects.save_project(project, before)
    except ConcurrentUpdate:
        raise Conflict("another project has this name") from None


def delete(org_id: str, project_id: str) -> None:
    """Its crons stay, and keep its id as a label. Raises NotFound."""
    retry_on_conflict(lambda: projects.delete_project(find(org_id, project_id)))
