"""What crons wait for: add, list, remove."""

from chalicelib.api.http.answers import Created, NoContent
from chalicelib.api.http.request import Call
from chalicelib.api.http.route import route
from chalicelib.api.schemas.dependencies import AddDependency, Dependencies, DependencyOut
from chalicelib.domain.accounts.permissions import Action
from chalicelib.services import dependencies
from chalicelib.services.crons import find


@route("POST", "/api/crons/{cron_id}/dependencies", action=Action.CHANGE, problems=(409,))
def add_dependency(call: Call, cron_id: str, body: AddDependency) -> Created[DependencyOut] | DependencyOut:
    """Add a dependency (cron A must finish before cron B)

    The cron in the path is B, `depends_on_id` is A. 201 when it is new, 200 when it was there already. A cycle is
    refused (409).
    """
    added, is_new = dependencies.add(call.org_id, cron_id, body.depends_on_id)
    answer = DependencyOut.of(added, dependencies.blocker_of(added, call.now), call.now)
    return Created(answer) if is_new else answer


@route("GET", "/api/crons/{cron_id}/dependencies", action=Action.READ)
def list_dependencies(call: Call, cron_id: str) -> Dependencies:
    """List a cron's dependencies and dependants"""
    return Dependencies.of(*dependencies.overview(find(call.org_id, cron_id), call.now), call.now)


@route("DELETE", "/api/crons/{cron_id}/dependencies/{depends_on_id}", action=Action.CHANGE, problems=(409,))
def remove_dependency(call: Call, cron_id: str, depends_on_id: str) -> NoContent:
    """Remove a dependency"""
    dependencies.remove(call.org_id, cron_id, depends_on_id)
    return NoContent()
