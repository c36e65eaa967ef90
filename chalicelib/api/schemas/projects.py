"""Projects."""

from datetime import datetime
from typing import Self

from msgspec import UNSET, UnsetType

from chalicelib.api.schemas.values import Answer, Description, Name, Request
from chalicelib.domain.accounts.project import Project


class CreateProject(Request):
    #: The name that people see.
    name: Name
    #: Free text.
    description: Description = ""


class ChangeProject(Request):
    #: The name that people see.
    name: Name | UnsetType = UNSET
    #: Free text.
    description: Description | UnsetType = UNSET


class ProjectOut(Answer):
    #: What crons carry as `project_id`.
    id: str
    #: The name that people see.
    name: str
    #: Free text.
    description: str
    #: When it was created.
    created_at: datetime

    @classmethod
    def of(cls, project: Project) -> Self:
        return cls(project.id, project.name, project.description, project.created_at)


class ProjectList(Answer):
    #: The projects of this page.
    projects: tuple[ProjectOut, ...]
    #: Send it as `cursor` for the next page; null at the end.
    next_cursor: str | None
