"""Projects."""

from typing import Any

from chalice.app import Blueprint

from chalicelib.api.http.json import instant
from chalicelib.api.http.paging import asked_page
from chalicelib.api.http.request import Call, body_object
from chalicelib.api.http.route import route
from chalicelib.api.schemas.fields import load
from chalicelib.api.schemas.shapes import NEW_PROJECT, PROJECT_CHANGES
from chalicelib.domain.accounts.permissions import Action
from chalicelib.domain.accounts.project import Project
from chalicelib.services import projects
from chalicelib.store.projects import projects_of_org

blueprint = Blueprint(__name__)


@route(blueprint, "POST", "/api/projects", action=Action.CHANGE)
def create_project(call: Call) -> tuple[int, Any]:
    given = load(NEW_PROJECT, body_object(call.request))
    return 201, _project(projects.create(call.org_id, given["name"], given["description"], call.now))


@route(blueprint, "GET", "/api/projects", action=Action.READ)
def list_projects(call: Call) -> tuple[int, Any]:
    found, after = asked_page(call, projects_of_org(call.org_id))
    return 200, {"projects": [_project(one) for one in found], "next_cursor": after}


@route(blueprint, "GET", "/api/projects/{project_id}", action=Action.READ)
def read_project(call: Call, project_id: str) -> tuple[int, Any]:
    return 200, _project(projects.find(call.org_id, project_id))


@route(blueprint, "PATCH", "/api/projects/{project_id}", action=Action.CHANGE)
def change_project(call: Call, project_id: str) -> tuple[int, Any]:
    given = load(PROJECT_CHANGES, body_object(call.request))
    return 200, _project(projects.change(call.org_id, project_id, given))


@route(blueprint, "DELETE", "/api/projects/{project_id}", action=Action.CHANGE)
def delete_project(call: Call, project_id: str) -> tuple[int, Any]:
    projects.delete(call.org_id, project_id)
    return 204, None


def _project(one: Project) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "description": one.description,
        "created_at": instant(one.created_at),
    }
