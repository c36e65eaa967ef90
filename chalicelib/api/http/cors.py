"""Which pages of other sites may read the API (Fetch standard, "CORS protocol").

Only routes that read an org's crons, and only origins that the org allows. Never signals, and nothing that manages
access. No answer to a request with a cookie can be read: a page must have a key.
"""

from chalice.app import Response

from chalicelib.api.http.request import Call
from chalicelib.domain.accounts.origin import is_origin
from chalicelib.domain.accounts.permissions import Action
from chalicelib.services import orgs

_MANAGING_ACCESS = ("/api/orgs/", "/api/sessions", "/api/invites")
_KEPT_SECONDS = "600"


def is_readable(methods: tuple[str, ...], path: str, action: Action | None) -> bool:
    """Whether a route only reads an org's crons."""
    return methods == ("GET",) and action is Action.READ and not path.startswith(_MANAGING_ACCESS)


def preflight(call: Call) -> Response:
    """The answer to a browser that asks whether it may send a key along.

    That question names no key, so the org is not known. Any origin that could be allowed may ask; the answer to
    the request itself can be read only by those that the key's org allows.
    """
    headers: dict[str, str | list[str]] = {"Vary": "Origin", "Cache-Control": "no-store"}
    origin = _origin(call)
    if is_origin(origin):
        headers |= {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Methods": "GET",
            "Access-Control-Allow-Headers": "Authorization",
            "Access-Control-Max-Age": _KEPT_SECONDS,
        }
    return Response("", headers, 204)


def let_read(call: Call, response: Response) -> None:
    """Lets the page that asked read the answer, if the key's org allows its origin."""
    origin = _origin(call)
    if not origin:
        return
    response.headers["Vary"] = "Origin"
    if call.given_key is not None and is_origin(origin) and origin in orgs.allowed_origins(call.given_key):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = "Retry-After"


def _origin(call: Call) -> str:
    return str(call.request.headers.get("origin", ""))
