"""Projects, and their names, each taken once in an org."""

import hashlib
from datetime import datetime
from typing import NamedTuple

from pynamodb.transactions import TransactWrite

from chalicelib.domain.ids import from_ms
from chalicelib.store.connections import connection
from chalicelib.store.cron_codec import ms
from chalicelib.store.errors import told_as_unavailable
from chalicelib.store.tables import ProjectItem

_NAME = "name#"


class Project(NamedTuple):
    org_id: str
    id: str
    name: str
    description: str
    created_at: datetime


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
    """Raises LostRace where the name is taken, or the project is not (any more) as it was."""
    with told_as_unavailable(), TransactWrite(connection=connection()) as transaction:
        if before is None or before.name != project.name:
            transaction.save(_name_item(project), ProjectItem.project_id.does_not_exist())
        if before is None:
            transaction.save(_item(project))
            return
        transaction.save(_item(project), ProjectItem.name == before.name)
        if before.name != project.name:
            transaction.delete(_name_item(before), ProjectItem.taken_by == before.id)


def delete_project(project: Project) -> None:
    """Raises LostRace where it has another name by now, or is gone."""
    with told_as_unavailable(), TransactWrite(connection=connection()) as transaction:
        transaction.delete(_item(project), ProjectItem.name == project.name)
        transaction.delete(_name_item(project))


def projects_of_org(org_id: str) -> list[Project]:
    with told_as_unavailable():
        items = ProjectItem.query(org_id, ProjectItem.project_id < _NAME, consistent_read=True)
        return [_project(item) for item in items]


def find_project(org_id: str, project_id: str) -> Project | None:
    with told_as_unavailable():
        try:
            return _project(ProjectItem.get(org_id, project_id, consistent_read=True))
        except ProjectItem.DoesNotExist:
            return None


def _project(item: ProjectItem) -> Project:
    return Project(
        item.org_id,
        item.project_id,
        item.name or "",
        item.description or "",
        from_ms(int(item.created_at or 0)),
    )
