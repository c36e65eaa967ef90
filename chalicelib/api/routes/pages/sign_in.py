"""The way in: the first visit, signing in and out, invitations."""

from typing import Any

from chalice.app import Response

from chalicelib import settings
from chalicelib.api.http.reading import read
from chalicelib.api.http.request import Call
from chalicelib.api.pages.form import Form, complaints, form_of
from chalicelib.api.pages.render import page as rendered
from chalicelib.api.pages.visit import (
    READS,
    WRITES,
    Visit,
    browser_of,
    open_page,
    page,
    private,
    redirect,
    safe_next,
    signed_in_headers,
    signed_out_headers,
    status_of,
    visit_of,
)
from chalicelib.api.pages.words import Words, iso, text
from chalicelib.api.schemas.members import AcceptInvite
from chalicelib.api.schemas.orgs import CreateOrg
from chalicelib.domain.accounts.api_key import ApiKey
from chalicelib.domain.accounts.permissions import Role, Scope
from chalicelib.domain.accounts.session import NamedSession
from chalicelib.domain.errors import Conflict, CronHubError, Gone, Invalid
from chalicelib.services import members, one_time_links, orgs, sessions
from chalicelib.services.throttle import CLAIMS, ORGS, SIGN_INS, network_of, throttle

_ROLES = {
    Role.OWNER: text("everything, including deleting the organization"),
    Role.ADMIN: text("everything except managing owners"),
    Role.MEMBER: text("sees and changes crons, incidents, maintenance and channels"),
    Role.VIEWER: text("sees everything, changes nothing"),
}


def first_visit(call: Call, form: Form | None = None, error: CronHubError | None = None) -> Response:
    """What CronHub is, and a form to begin."""
    values = {"base_url": settings.base_url(), "values": form.values() if form else {}}
    return _page(call, "sign_in/first_visit.html", values, error)


def _page(call: Call, template: str, values: dict[str, Any], error: CronHubError | None) -> Response:
    """A page for somebody who is not signed in, with what went wrong."""
    common = {"done": call.query.get("done", ""), **complaints(error, Words.of(call))}
    return private(rendered(call, template, {**common, **values}, status_of(error)))


@open_page(WRITES, "/signup")
def sign_up(call: Call) -> Response:
    """Creates an organization, and shows its first key once."""
    throttle(ORGS, network_of(call.address), call.now)
    form = form_of(call.request)
    try:
        wanted = read(CreateOrg, {"name": form.text("name"), "slug": form.text("slug")})
        org = orgs.create_org(wanted.name, wanted.slug, call.now)
    except (Invalid, Conflict) as error:
        return first_visit(call, form, error)
    key, key_text = orgs.create_key(org.slug, orgs.NewKey("first key", Scope.FULL), None, call.now)
    return _welcome(call, key, key_text, Words.of(call)._("%(name)s is ready", name=org.name))


def _welcome(call: Call, key: ApiKey, key_text: str, title: str) -> Response:
    """Signs in with a key that was just made, and shows it once."""
    signed_in = sessions.sign_in(key_text, browser_of(call), call.now)
    headers = signed_in_headers(call, signed_in.cookie)
    named = NamedSession(signed_in.session, key)
    visit = Visit(call, named, signed_in.cookie, orgs.find(key), Form())
    response = visit.page("sign_in/new_key.html", {"text": key_text, "title": title})
    response.headers.update({**headers, "Cache-Control": "no-store"})
    return response


@open_page(READS, "/signin")
def sign_in_page(call: Call) -> Response:
    """The form to sign in."""
    target = safe_next(call.query.get("next", ""))
    if visit_of(call) is not None:
        return redirect(call, target)
    return _sign_in_form(call, {"next": target}, None)


@open_page(WRITES, "/signin")
def sign_in(call: Call) -> Response:
    """Exchanges a key for a session."""
    throttle(SIGN_INS, network_of(call.address), call.now)
    form = form_of(call.request)
    try:
        signed_in = sessions.sign_in(form.text("key"), browser_of(call), call.now)
    except Invalid as error:
        return _sign_in_form(call, form.values(), error)
    return redirect(call, safe_next(form.text("next")), signed_in_headers(call, signed_in.cookie))


def _sign_in_form(call: Call, typed: dict[str, str], error: Invalid | None) -> Response:
    values = {**typed, "next": safe_next(typed.get("next", ""))}
    return _page(call, "sign_in/sign_in.html", {"values": values}, error)


@open_page(READS, "/signin/once")
def one_time_link_page(call: Call) -> Response:
    """Where a one-time link leads. Its token is behind the #, in no server's log; the script sends it."""
    return _one_time_link_form(call, call.query.get("next", ""))


@open_page(WRITES, "/signin/once")
def one_time_link(call: Call) -> Response:
    """Shows whom a one-time link signs in, or signs in with it."""
    throttle(SIGN_INS, network_of(call.address), call.now)
    form = form_of(call.request)
    token, target = _token_of(form), safe_next(form.text("next"))
    try:
        if form.text("do") != "sign_in":
            return _seen_one_time_link(call, one_time_links.look(token, call.now), token, target)
        signed_in = one_time_links.use(token, browser_of(call), call.now)
    except Gone:
        return _one_time_link_form(call, target, is_over=True)
    return redirect(call, target, signed_in_headers(call, signed_in.cookie))


def _token_of(form: Form) -> str:
    """The token; people may paste the whole link."""
    return form.text("token").rpartition("#")[2]


def _one_time_link_form(call: Call, target: str, *, is_over: bool = False) -> Response:
    values = {"seen": None, "values": {"next": safe_next(target)}, "is_over": is_over}
    return private(rendered(call, "sign_in/one_time_link.html", values, 410 if is_over else 200))


def _seen_one_time_link(call: Call, seen: one_time_links.Seen, token: str, target: str) -> Response:
    words = Words.of(call)
    values = {
        "seen": seen,
        "browser": seen.maker.session.browser or words._("a browser"),
        "token": token,
        "expires": words.when(seen.link.expires_at),
        "expires_iso": iso(seen.link.expires_at),
        "values": {"next": target},
    }
    response = private(rendered(call, "sign_in/one_time_link.html", values))
    response.headers["Cache-Control"] = "no-store"
    return response


@page(WRITES, "/signout")
def sign_out(visit: Visit) -> Response:
    """Ends this browser's session."""
    sessions.sign_out(visit.signed_in.session)
    return redirect(visit.call, "?done=signed_out", signed_out_headers(visit.call))


@open_page(READS, "/invites/accept")
def invitation_page(call: Call) -> Response:
    """Where an invitation's link leads. Its token is behind the #, in no server's log; the script sends it."""
    return _invitation_form(call, Form(), None)


@open_page(WRITES, "/invites/accept")
def invitation(call: Call) -> Response:
    """Shows what an invitation is, or accepts it."""
    throttle(CLAIMS, network_of(call.address), call.now)
    form = form_of(call.request)
    try:
        if form.text("do") != "accept":
            return _seen_invitation(call, form, None)
        wanted = read(AcceptInvite, {"token": _token_of(form), "name": form.optional("name")})
        done = members.accept(members.Acceptance(wanted.token, None, wanted.name), call.now)
    except Invalid as error:
        return _seen_invitation(call, form, error)
    except CronHubError as error:
        return _invitation_form(call, form, error)
    return _welcome(call, done.key, done.text, Words.of(call)._("Welcome, %(name)s", name=done.member.name))


def _invitation_form(call: Call, form: Form, error: CronHubError | None) -> Response:
    return _page(call, "sign_in/invitation.html", {"seen": None, "values": form.values()}, error)


def _seen_invitation(call: Call, form: Form, error: Invalid | None) -> Response:
    words, token = Words.of(call), _token_of(form)
    seen = members.look(token, call.now)
    values = {
        "seen": seen,
        "token": token,
        "role_words": words._(_ROLES[seen.invite.role]),
        "expires": words.when(seen.invite.expires_at),
        "expires_iso": iso(seen.invite.expires_at),
        "values": {"name": form.text("name") or seen.invite.email.partition("@")[0]},
    }
    return _page(call, "sign_in/invitation.html", values, error)
