"""What browsers and search engines ask for at fixed addresses."""

from chalice.app import Response

from chalicelib.api.http.request import Call
from chalicelib.api.http.route import route
from chalicelib.api.pages.static import served

_METHODS = ("GET", "HEAD")
# A crawler that follows a ping URL would signal.
_ROBOTS = """\
User-agent: *
Disallow: /api/
Disallow: /ping/
Disallow: /badge/
Disallow: /crons/
Disallow: /invites/
"""
_A_DAY = "public, max-age=86400"


@route(_METHODS, "/robots.txt", public=True, produces="text/plain")
def robots(_call: Call) -> Response:
    """What search engines leave alone: all but status pages and documentation"""
    return Response(_ROBOTS, {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": _A_DAY}, 200)


@route(_METHODS, "/favicon.ico", public=True, produces="image/svg+xml")
def favicon(call: Call) -> Response:
    """The icon, for browsers that ask for it on their own"""
    answer = served(call, "favicon.svg")
    answer.headers["Cache-Control"] = _A_DAY
    return answer
