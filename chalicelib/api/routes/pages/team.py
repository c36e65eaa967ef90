"""The pages of members and invitations, keys and sessions."""

from typing import Any

from chalice.app import Response

from chalicelib.api.http.reading import read
from chalicelib.api.pages.visit import READS, WRITES, Visit, page, redirect, signed_out_headers
from chalicelib.api.pages.words import Words, iso
from chalicelib.api.schemas.members import ChangeMember, InviteMember
from chalicelib.api.schemas.orgs import CreateKey
from chalicelib.domain.accounts.member import InviteState
from chalicelib.domain.accounts.permissions import Action, Role, Scope
from chalicelib.domain.accounts.session import NamedSession
from chalicelib.domain.errors import CronHubError
from chalicelib.services import access, members, one_time_links, orgs, sessions
from chalicelib.services.paging import Page

_ALL = Page(1000)


@page(READS, "/members")
def members_page(visit: Visit) -> Response:
    """The members of the org, and its invitations"""
    return _members(visit, None)


def _members(visit: Visit, error: CronHubError | None, invited: members.Invited | None = None) -> Response:
    words, now = visit.words, visit.call.now
    found, _ = members.list_members(visit.org.slug, visit.key, _ALL)
    invites = members.list_invites(visit.org.slug, visit.key, _ALL)[0] if visit.may(Action.ADMIN) else []
    response = visit.page(
        "team/members.html",
        {
            "members": found,
            "invites": [
                {"invite": one, "expires": words.until(one.expires_at), "iso": iso(one.expires_at)}
                for one in invites
                if one.state is InviteState.PENDING and one.is_open(now)
            ],
            "roles": [role.value for role in Role if role is not Role.OWNER or visit.may(Action.OWN)],
            "values": visit.form.values() if error else {"role": Role.MEMBER.value},
            "invited": invited,
        },
        error,
    )
    if invited is not None:
        response.headers["Cache-Control"] = "no-store"
    return response


@page(WRITES, "/members", action=Action.READ)
def change_members(visit: Visit) -> Response:
    """Invites, changes or removes a member; revokes an invitation"""
    form, slug, now = visit.form, visit.org.slug, visit.call.now
    try:
        match form.text("do"):
            case "invite":
                wanted = read(InviteMember, {"email": form.text("email"), "role": form.text("role")})
                access.require(visit.key, Action.ADMIN)
                done = members.invite(slug, members.Invitation(wanted.email, wanted.role), visit.key, now)
                return _members(visit, None, done)
            case "role":
                changes = read(ChangeMember, {"role": form.text("role")})
                members.change(slug, form.text("id"), members.MemberChanges(changes.role, changes.name), visit.key)
                return visit.to("members", "saved")
            case "remove":
                members.remove(slug, form.text("id"), visit.key)
                return visit.to("members", "removed")
            case "revoke":
                members.revoke_invite(slug, form.text("id"), visit.key)
                return visit.to("members", "revoked")
    except CronHubError as error:
        return _members(visit, error)
    return visit.to("members")


@page(READS, "/keys")
def keys_page(visit: Visit) -> Response:
    """The keys of the org, and the browsers that are signed in"""
    return _keys(visit, None)


def _keys(visit: Visit, error: CronHubError | None, made: str = "", link: str = "") -> Response:
    words = visit.words
    keys = orgs.list_keys(visit.org.slug, visit.key, _ALL)[0] if visit.may(Action.ADMIN) else []
    signed_in, _ = sessions.list_sessions(visit.key, _ALL, visit.call.now)
    response = visit.page(
        "team/keys.html",
        {
            "keys": [
                {
                    "key": one,
                    "used": words.ago(one.last_used_at) if one.last_used_at else words._("never"),
                    "used_iso": iso(one.last_used_at),
                    "created": words.when(one.created_at),
                    "created_iso": iso(one.created_at),
                    "is_own": one.id == visit.key.id,
                }
                for one in keys
            ],
            "sessions": [_session_view(words, visit, one) for one in signed_in],
            "scopes": [scope.value for scope in Scope],
            "values": visit.form.values() if error else {"scope": Scope.FULL.value},
            "made": made,
            "link_made": link,
        },
        error,
    )
    if made or link:
        response.headers["Cache-Control"] = "no-store"
    return response


def _session_view(words: Words, visit: Visit, one: NamedSession) -> dict[str, Any]:
    return {
        "id": one.session.id,
        "browser": one.session.browser or words._("a browser"),
        "key": one.key.name,
        "role": one.key.role.value,
        "since": words.when(one.session.created_at),
        "since_iso": iso(one.session.created_at),
        "used": words.ago(one.session.last_used_at),
        "used_iso": iso(one.session.last_used_at),
        "is_here": one.session.id == visit.signed_in.session.id,
    }


@page(WRITES, "/keys")
def change_keys(visit: Visit) -> Response:
    """Creates or revokes a key, ends a session, or makes a one-time link"""
    form, slug, now = visit.form, visit.org.slug, visit.call.now
    try:
        match form.text("do"):
            case "create":
                wanted = read(CreateKey, {"name": form.text("name"), "scope": form.text("scope")})
                access.require(visit.key, Action.ADMIN)
                _, text = orgs.create_key(slug, orgs.NewKey(wanted.name, wanted.scope), visit.key, now)
                return _keys(visit, None, text)
            case "revoke":
                orgs.delete_key(slug, form.text("id"), visit.key)
                if form.text("id") == visit.key.id:
                    return redirect(visit.call, "?done=signed_out", signed_out_headers(visit.call))
                return visit.to("keys", "revoked")
            case "link":
                return _keys(visit, None, link=one_time_links.make(visit.signed_in.session, now))
            case "end":
                sessions.end(form.text("id"), visit.key, now)
                if form.text("id") == visit.signed_in.session.id:
                    return redirect(visit.call, "?done=signed_out", signed_out_headers(visit.call))
                return visit.to("keys", "ended")
    except CronHubError as error:
        return _keys(visit, error)
    return visit.to("keys")
