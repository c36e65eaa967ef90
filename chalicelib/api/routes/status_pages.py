"""Status pages: what an organization shows to anyone about some of its crons. Off by default."""

from chalice.app import Response

from chalicelib.api.http.answers import Created, NoContent
from chalicelib.api.http.request import Call
from chalicelib.api.http.route import route
from chalicelib.api.pages import status
from chalicelib.api.pages.render import HTML
from chalicelib.api.schemas.paging import PageQuery
from chalicelib.api.schemas.status_pages import ChangeStatusPage, CreateStatusPage, StatusPageList, StatusPageOut
from chalicelib.domain.accounts.permissions import Action
from chalicelib.services import public_page, status_pages
from chalicelib.services.throttle import STATUS_PAGES

_METHODS = ("GET", "HEAD")
_ATOM = "application/atom+xml"


@route("POST", "/api/status-pages", action=Action.ADMIN, problems=(409,))
def create_status_page(call: Call, body: CreateStatusPage) -> Created[StatusPageOut]:
    """Create a status page

    It is public at once. Anyone who has its address sees the names and states of these crons, and nothing that
    leads to them: no id, no output, no way to signal.
    """
    page = status_pages.create(call.org_id, body.title, body.changes(), call.now)
    return Created(StatusPageOut.of(page, status_pages.slug_of(call.org_id)))


@route("GET", "/api/status-pages", action=Action.READ)
def list_status_pages(call: Call, query: PageQuery) -> StatusPageList:
    """List the status pages"""
    found, after = status_pages.list_pages(call.org_id, query.page)
    slug = status_pages.slug_of(call.org_id)
    return StatusPageList(tuple(StatusPageOut.of(one, slug) for one in found), after)


@route("GET", "/api/status-pages/{page_id}", action=Action.READ)
def read_status_page(call: Call, page_id: str) -> StatusPageOut:
    """Read how a status page is composed"""
    return StatusPageOut.of(status_pages.find(call.org_id, page_id), status_pages.slug_of(call.org_id))


@route("PATCH", "/api/status-pages/{page_id}", action=Action.ADMIN, problems=(409,))
def change_status_page(call: Call, page_id: str, body: ChangeStatusPage) -> StatusPageOut:
    """Change a status page

    What is not sent stays as it is.
    """
    page = status_pages.change(call.org_id, page_id, body.changes())
    return StatusPageOut.of(page, status_pages.slug_of(call.org_id))


@route("DELETE", "/api/status-pages/{page_id}", action=Action.ADMIN)
def delete_status_page(call: Call, page_id: str) -> NoContent:
    """Delete a status page

    Its address answers 404 from now on.
    """
    status_pages.delete(call.org_id, page_id)
    return NoContent()


@route(_METHODS, "/status/{page_path}", public=True, limit=STATUS_PAGES, produces=HTML)
def status_page(call: Call, page_path: str) -> Response:
    """A status page, in English or French"""
    return status.page(call, public_page.look(page_path, call.now), page_path)


@route(_METHODS, "/status/{page_path}/feed", public=True, limit=STATUS_PAGES, produces=_ATOM)
def status_feed(call: Call, page_path: str) -> Response:
    """The incidents and the maintenance of a status page as an Atom feed"""
    return status.feed(call, public_page.look(page_path, call.now, with_uptime=False), page_path)
