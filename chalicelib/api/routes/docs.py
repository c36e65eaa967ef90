"""The documentation: reference, guides, and what each problem means."""

from chalice.app import Response

from chalicelib.api.http.packing import packed
from chalicelib.api.http.request import Call
from chalicelib.api.http.route import route
from chalicelib.api.pages.render import HTML

_METHODS = ("GET", "HEAD")


@route(_METHODS, "/docs", public=True, produces=HTML)
def docs_page(call: Call) -> Response:
    """The documentation: quick start and reference"""
    from chalicelib.api.pages.docs import views

    return packed(call, views.index(call))


@route(_METHODS, "/docs/guides/{guide}", public=True, produces=HTML)
def guide_page(call: Call, guide: str) -> Response:
    """A guide of the documentation"""
    from chalicelib.api.pages.docs import views

    return packed(call, views.guide(call, guide))


@route(_METHODS, "/problems/{problem}", public=True, produces=HTML)
def problem_page(call: Call, problem: str) -> Response:
    """What a kind of problem means

    The `type` of every problem is the address of such a page.
    """
    from chalicelib.api.pages.docs import views

    return packed(call, views.problem(call, problem))
