"""Pages for people: what links in mails and alerts lead to.

They hold no data: their scripts ask the API, with a key that stays in the reader's tab.
"""

from functools import cache
from pathlib import Path

from chalice.app import Response

from chalicelib.api.http.request import Call
from chalicelib.api.http.route import route
from chalicelib.domain.errors import NotFound

_FOLDER = Path(__file__).parents[2] / "web"
_HTML = "text/html"
_METHODS = ("GET", "HEAD")
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
_SERVED = ("cronhub.css", "cronhub.js", "list.js", "cron.js", "cron_by_name.js", "accept.js")
_HEADERS = {
    "Cache-Control": "no-cache",
    # A page holds a key: nothing but its own script may run in it, and nowhere else may it send to.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'none'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@route(_METHODS, "/", public=True, produces=_HTML)
def crons_page(_call: Call) -> Response:
    """The page of all crons"""
    return page_file("list.html")


@route(_METHODS, "/crons", public=True, produces=_HTML)
def named_cron_page(_call: Call) -> Response:
    """The page of the cron of a product, service and name: what alerts link to"""
    return page_file("cron_by_name.html")


@route(_METHODS, "/crons/{cron_id}", public=True, produces=_HTML)
def cron_page(_call: Call, cron_id: str) -> Response:
    """The page of one cron"""
    del cron_id  # the script reads it from the address
    return page_file("cron.html")


@route(_METHODS, "/invites/accept", public=True, produces=_HTML)
def accept_page(_call: Call) -> Response:
    """The page that accepts an invitation"""
    return page_file("accept.html")


@route(_METHODS, "/pages/{name}", public=True, produces="text/*")
def page_part(_call: Call, name: str) -> Response:
    """A page's style or script"""
    if name not in _SERVED:
        raise NotFound("no such path")
    return page_file(name)


def page_file(name: str, status: int = 200) -> Response:
    """A file of chalicelib/web as an answer."""
    media = _TYPES[name[name.rindex(".") :]]
    return Response(_text(name), {"Content-Type": f"{media}; charset=utf-8", **_HEADERS}, status)


@cache
def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
