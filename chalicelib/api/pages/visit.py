"""A visit: a request of somebody who is signed in, with the right to what the page does.

`page` declares a page. A visitor who is not signed in is sent to sign in, and back afterwards. A form is taken
only from our own pages: the cookie is SameSite=Lax, `Origin` must be ours, and it holds a token of the session.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from chalice.app import Response

from chalicelib import settings, telemetry
from chalicelib.api.http.problem import TYPES
from chalicelib.api.http.problem_types import ProblemType
from chalicelib.api.http.request import Call
from chalicelib.api.http.route import route
from chalicelib.api.pages import render
from chalicelib.api.pages.form import Form, complaints, form_of
from chalicelib.api.pages.words import Words
from chalicelib.domain.accounts.api_key import ApiKey
from chalicelib.domain.accounts.org import Org
from chalicelib.domain.accounts.permissions import Action, may
from chalicelib.domain.accounts.session import LONGEST, NamedSession, form_token, is_form_token
from chalicelib.domain.errors import ConcurrentUpdate, CronHubError, Forbidden, Unavailable
from chalicelib.services import access, orgs, sessions

READS = ("GET", "HEAD")
WRITES = ("POST",)
_COOKIE = "cronhub"
_MOST_NEXT = 500


class Visit(NamedTuple):
    call: Call
    signed_in: NamedSession
    cookie: str
    org: Org
    form: Form

    @property
    def key(self) -> ApiKey:
        return self.signed_in.key

    @property
    def org_id(self) -> str:
        return self.org.id

    def may(self, action: Action) -> bool:
        return may(self.key.role, self.key.scope, action)

    @property
    def words(self) -> Words:
        return Words.of(self.call)

    def page(
        self, template: str, values: Mapping[str, Any] | None = None, error: CronHubError | None = None
    ) -> Response:
        """A page with what all pages of somebody signed in have, and with what went wrong."""
        known = {
            "org": self.org,
            "key": self.key,
            "can": {action.value for action in Action if self.may(action)},
            "form_token": form_token(self.cookie),
            "now": self.call.now,
            "done": self.call.query.get("done", ""),
            **complaints(error, self.words),
        }
        return private(render.page(self.call, template, {**known, **(values or {})}, status_of(error)))

    def to(self, path: str, done: str = "") -> Response:
        """Sends the visitor to another page of ours; `done` names what it says was done."""
        return redirect(
            self.call, path + (("&" if "?" in path else "?") + urlencode({"done": done}) if done else "")
        )


def page(
    methods: tuple[str, ...], path: str, *, action: Action = Action.READ
) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """Declares a page for who is signed in and may do `action`.

    Its handler takes a Visit and the path's parameters.
    """

    def declare(handler: Callable[..., Response]) -> Callable[..., Response]:
        def view(call: Call, **params: str) -> Response:
            return _answer(call, lambda: _visited(call, handler, action, params))

        view.__name__, view.__doc__, view.__module__ = handler.__name__, handler.__doc__, handler.__module__
        route(methods, path, public=True, produces=render.HTML, is_page=True)(view)
        return handler

    return declare


def open_page(methods: tuple[str, ...], path: str) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """Declares a page for everybody. Its handler takes a Call and the path's parameters."""

    def declare(handler: Callable[..., Response]) -> Callable[..., Response]:
        def view(call: Call, **params: str) -> Response:
            return _answer(call, lambda: _opened(call, handler, params))

        view.__name__, view.__doc__, view.__module__ = handler.__name__, handler.__doc__, handler.__module__
        route(methods, path, public=True, produces=render.HTML, is_page=True)(view)
        return handler

    return declare


def _answer(call: Call, respond: Callable[[], Response]) -> Response:
    try:
        return respond()
    except ConcurrentUpdate:
        return trouble_page(call, Unavailable("this was changed by another request at the same time"))
    except CronHubError as error:
        return trouble_page(call, error)


def _visited(call: Call, handler: Callable[..., Response], action: Action, params: dict[str, str]) -> Response:
    visit = visit_of(call)
    if visit is None:
        return _sign_in_first(call)
    if call.request.method in WRITES:
        form = form_of(call.request)
        require_own_form(call)
        if not is_form_token(visit.cookie, form.text("form_token")):
            raise Forbidden("this form is out of date; go back, reload the page and send it again")
        visit = visit._replace(form=form)
    telemetry.note(org_id=visit.org_id)
    access.require(visit.key, action)
    return handler(visit, **params)


def _opened(call: Call, handler: Callable[..., Response], params: dict[str, str]) -> Response:
    if call.request.method in WRITES:
        require_own_form(call)
    return handler(call, **params)


def visit_of(call: Call) -> Visit | None:
    """The visit of who is signed in; None of others."""
    cookie = _cookie_of(call)
    found = sessions.of_cookie(cookie, call.now) if cookie else None
    return None if found is None else Visit(call, found, cookie, orgs.find(found.key), Form())


def require_own_form(call: Call) -> None:
    """Raises Forbidden for a form that another site sent."""
    headers = call.request.headers
    site, origin = str(headers.get("sec-fetch-site", "")), str(headers.get("origin", ""))
    if site in ("same-origin", "none") or (not site and not origin):
        return
    ours = {str(headers.get("host", "")).lower(), urlsplit(settings.base_url()).netloc.lower()}
    if site in ("cross-site", "same-site") or urlsplit(origin).netloc.lower() not in ours:
        raise Forbidden("this form was sent by another site")


def _sign_in_first(call: Call) -> Response:
    if call.request.method in WRITES:
        return redirect(call, "signin")
    path = str(call.request.context.get("path") or call.request.path).strip("/")
    query = urlencode(call.query)
    return redirect(call, "signin?" + urlencode({"next": path + (f"?{query}" if query else "")}))


def safe_next(text: str) -> str:
    """Where to go after signing in: a path of ours, never another site."""
    is_path = len(text) <= _MOST_NEXT and not text.startswith(("/", "\\")) and ":" not in text.partition("?")[0]
    is_clean = is_path and "\\" not in text and text.isprintable() and ".." not in text
    return text if is_clean else ""


def redirect(call: Call, path: str, headers: dict[str, str] | None = None) -> Response:
    """To a path of ours, relative, in the language that was asked for."""
    location = render.place_of(call).link(path)
    return Response(
        "",
        {"Content-Type": "text/plain", "Location": location, "Cache-Control": "no-store", **(headers or {})},
        303,
    )


def private(response: Response) -> Response:
    """What somebody signed in sees is kept by no cache between."""
    response.headers.update({"Cache-Control": "private, no-cache", "Vary": "Accept-Language, Cookie"})
    # Browsers name the origin of a form only to pages that let them.
    response.headers["Referrer-Policy"] = "same-origin"
    return response


def status_of(error: CronHubError | None) -> int:
    """The status of a page that shows the error."""
    return 200 if error is None else TYPES.get(type(error), ProblemType.INTERNAL_ERROR).status


def trouble_page(call: Call, error: CronHubError) -> Response:
    status = status_of(error)
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, Unavailable) else {}
    response = private(render.page(call, "trouble.html", {"status": status, "detail": str(error)}, status))
    response.headers.update(headers)
    return response


def signed_in_headers(call: Call, cookie: str) -> dict[str, str]:
    """Has the browser keep a session's cookie."""
    return {"Set-Cookie": _set_cookie(call, cookie, int(LONGEST.total_seconds()))}


def signed_out_headers(call: Call) -> dict[str, str]:
    return {"Set-Cookie": _set_cookie(call, "", 0)}


def _set_cookie(call: Call, value: str, seconds: int) -> str:
    secure = "; Secure" if _is_https(call) else ""
    return f"{_cookie_name(call)}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"


def _cookie_name(call: Call) -> str:
    # No other host of the same domain can set a cookie with this prefix.
    return f"__Host-{_COOKIE}" if _is_https(call) else _COOKIE


def _is_https(call: Call) -> bool:
    forwarded = str(call.request.headers.get("x-forwarded-proto", ""))
    return forwarded == "https" or settings.base_url().startswith("https://")


def _cookie_of(call: Call) -> str:
    wanted = _cookie_name(call)
    for part in str(call.request.headers.get("cookie", "")).split(";"):
        name, _, value = part.strip().partition("=")
        if name == wanted:
            return value.strip()
    return ""


def browser_of(call: Call) -> str:
    """What a browser says it is, short: `Firefox on Linux`."""
    agent = str(call.request.headers.get("user-agent", ""))
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    return f"{browser} on {system}" if browser and system else browser or agent[:60]


_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
