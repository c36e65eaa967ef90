"""Badges: the status of a cron, a tag or the organization, for a README or a wiki. Off by default."""

from chalice.app import Response

from chalicelib.api.badge_image import badge_image
from chalicelib.api.http.answers import Created, NoContent
from chalicelib.api.http.json import as_json
from chalicelib.api.http.request import Call
from chalicelib.api.http.route import route
from chalicelib.api.schemas.badges import BadgeJson, BadgeList, BadgeOut, CreateBadge, shields_endpoint
from chalicelib.api.schemas.paging import PageQuery
from chalicelib.domain.accounts.permissions import Action
from chalicelib.domain.errors import NotFound
from chalicelib.services import badges
from chalicelib.services.throttle import BADGES

_SVG, _JSON = "image/svg+xml", "application/json"
_HEADERS = {
    # Caches of images, such as GitHub's, would otherwise show an old status for hours.
    "Cache-Control": "no-cache, no-store, must-revalidate, max-age=0",
    # Anyone may read it from anywhere; opened by itself it is a document, in which nothing may run.
    "Access-Control-Allow-Origin": "*",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


@route("POST", "/api/badges", action=Action.ADMIN, problems=(409,))
def create_badge(call: Call, body: CreateBadge) -> Created[BadgeOut]:
    """Create a badge

    Of a cron, of a tag, or of the whole organization. Anyone who has its address sees its label and its status,
    and nothing else: no id, no name of another cron, and no way to signal.
    """
    return Created(BadgeOut.of(badges.create(call.org_id, body.wanted(), call.now)))


@route("GET", "/api/badges", action=Action.READ)
def list_badges(call: Call, query: PageQuery) -> BadgeList:
    """List the badges with their addresses"""
    found, after = badges.list_badges(call.org_id, query.page)
    return BadgeList(tuple(BadgeOut.of(one) for one in found), after)


@route("DELETE", "/api/badges/{badge_id}", action=Action.ADMIN)
def delete_badge(call: Call, badge_id: str) -> NoContent:
    """Revoke a badge

    Its addresses answer 404 from now on.
    """
    badges.delete(call.org_id, badge_id)
    return NoContent()


@route(("GET", "HEAD"), "/badge/{badge_file}", public=True, limit=BADGES, produces=_SVG)
def read_badge(call: Call, badge_file: str) -> Response:
    """Show a badge

    `{token}.svg` is an image, `{token}.json` holds `label` and `status`, `{token}.shields` is for the endpoint
    badge of shields.io. The status is `up`, `late`, `down`, `new`, `blocked`, `maintenance`, `paused` or
    `archived`. A badge of a tag or an organization is `down` while one of its crons is down, else `late` while one
    is late, else `up`.
    """
    token, _, form = badge_file.rpartition(".")
    if form not in ("svg", "json", "shields"):
        raise NotFound("no such badge")
    shown = badges.look(token, call.now)
    if form == "svg":
        return _answer(_SVG, badge_image(shown))
    if form == "json":
        return _answer(_JSON, as_json(BadgeJson(shown.label, shown.status)))
    return _answer(_JSON, as_json(shields_endpoint(shown)))


def _answer(media: str, text: str) -> Response:
    return Response(text, {"Content-Type": media, **_HEADERS}, 200)
