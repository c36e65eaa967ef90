"""Style, scripts and icons of the pages."""

from chalice.app import Response

from chalicelib.api.http.request import Call
from chalicelib.api.http.route import route
from chalicelib.api.pages.static import served


@route(("GET", "HEAD"), "/static/{file}", public=True, produces="text/*")
def static_file(call: Call, file: str) -> Response:
    """A page's style, script or icon

    Its name may hold a hash of its content; then browsers keep it for a year.
    """
    return served(call, file)
