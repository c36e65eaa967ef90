"""Projects."""

from datetime import datetime
from typing import Self

from msgspec import UNSET, UnsetType

from chalicelib.api.schemas.values import Answer, Description, Name, Request
from chalicelib.domain.accounts.project import Project


class CreateProject(Request):
    name: Name
    description: Description = ""


class ChangeProject(Request):
    name: Name | UnsetType = UNSET
    description: Description | UnsetType = UNSET


class ProjectOut(Answer):
    #: What crons carry as `project_id`.
    id: str
    name: str
    description: str
    created_at: datetime

    @classmethod
    def of(cls, project: Project) -> Self:
        return cls(project.id, project.name, project.description, project.created_at)


class ProjectList(Answer):
    projects: tuple[ProjectOut, ...]
    next_cursor: str | None
