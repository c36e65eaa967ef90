"""Projects, and their names, each taken once in an org."""

import hashlib
from collections.abc import Iterable

from pynamodb.transactions import TransactWrite

from chalicelib.domain.accounts.project import Project
from chalicelib.domain.times import from_ms
from chalicelib.store.cron_codec import ms
from chalicelib.store.errors import store_errors
from chalicelib.store.reading import get_or_none
from chalicelib.store.tables import ProjectItem, connection

_NAME = "name#"


def _name_item(project: Project) -> ProjectItem:
    hashed = hashlib.sha256(project.name.encode()).hexdigest()
    return ProjectItem(project.org_id, _NAME + hashed, taken_by=project.id)


def _item(project: Project) -> ProjectItem:
    return ProjectItem(
        project.org_id,
        project.id,
        name=project.name,
        description=project.description,
        created_at=ms(project.created_at),
    )


def save_project(project: Project, before: Project | None) -> None:
    """Raises ConcurrentUpdate where the name is taken, or the project is not (any more) as it was."""
    with store_errors(), TransactWrite(connection=connection()) as transaction:
        if before is None or before.name != project.name:
            transaction.save(_name_item(project), ProjectItem.project_id.does_not_exist())
        if before is None:
            transaction.save(_item(project))
            return
        transaction.save(_item(project), ProjectItem.name == before.name)
        if before.name != project.name:
            transaction.delete(_name_item(before), ProjectItem.taken_by == before.id)


def delete_project(project: Project) -> None:
    """Raises ConcurrentUpdate where it has another name by now, or is gone."""
    with store_errors(), TransactWrite(connection=connection()) as transaction:
        transaction.delete(_item(project), ProjectItem.name == project.name)
        transaction.delete(_name_item(project))


def projects_of_org(org_id: str) -> list[Project]:
    with store_errors():
        items = ProjectItem.query(org_id, ProjectItem.project_id < _NAME, consistent_read=True)
        return [_project(item) for item in items]


def known_projects(org_id: str, ids: Iterable[str]) -> set[str]:
    """Those of these ids that are projects of the org."""
    keys = [(org_id, project_id) for project_id in ids]
    if not keys:
        return set()
    with store_errors():
        return {item.project_id for item in ProjectItem.batch_get(keys, consistent_read=True)}


def find_project(org_id: str, project_id: str) -> Project | None:
    item = get_or_none(ProjectItem, org_id, project_id)
    return None if item is None else _project(item)


def _project(item: ProjectItem) -> Project:
    return Project(
        item.org_id,
        item.project_id,
        item.name or "",
        item.description or "",
        from_ms(int(item.created_at or 0)),
    )
