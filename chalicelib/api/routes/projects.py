"""Projects."""

from chalicelib.api.http.answers import Created, NoContent
from chalicelib.api.http.request import Call
from chalicelib.api.http.route import route
from chalicelib.api.schemas.paging import PageQuery
from chalicelib.api.schemas.projects import ChangeProject, CreateProject, ProjectList, ProjectOut
from chalicelib.domain.accounts.permissions import Action
from chalicelib.services import projects


@route("POST", "/api/projects", action=Action.CHANGE, problems=(409,))
def create_project(call: Call, body: CreateProject) -> Created[ProjectOut]:
    """Create a project

    A project is a label with a name. Crons carry its id as `project_id`; lists, maintenance windows and
    channels filter by it.
    """
    return Created(ProjectOut.of(projects.create(call.org_id, body.name, body.description, call.now)))


@route("GET", "/api/projects", action=Action.READ)
def list_projects(call: Call, query: PageQuery) -> ProjectList:
    """List the projects"""
    found, after = projects.list_projects(call.org_id, query.page)
    return ProjectList(tuple(ProjectOut.of(one) for one in found), after)


@route("GET", "/api/projects/{project_id}", action=Action.READ)
def read_project(call: Call, project_id: str) -> ProjectOut:
    """Read a project"""
    return ProjectOut.of(projects.find(call.org_id, project_id))


@route("PATCH", "/api/projects/{project_id}", action=Action.CHANGE, problems=(409,))
def change_project(call: Call, project_id: str, body: ChangeProject) -> ProjectOut:
    """Change a project's name or description"""
    changes = projects.ProjectChanges(body.name, body.description)
    return ProjectOut.of(projects.change(call.org_id, project_id, changes))


@route("DELETE", "/api/projects/{project_id}", action=Action.CHANGE)
def delete_project(call: Call, project_id: str) -> NoContent:
    """Delete a project

    Its crons stay, and keep its id.
    """
    projects.delete(call.org_id, project_id)
    return NoContent()
