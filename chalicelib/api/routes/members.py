"""Members of an org, and how they come to be."""

from typing import Any

from chalice.app import Blueprint

from chalicelib.api.http.json import instant
from chalicelib.api.http.paging import asked_page
from chalicelib.api.http.request import Call, body_object
from chalicelib.api.http.route import route
from chalicelib.api.schemas import render
from chalicelib.api.schemas.fields import load
from chalicelib.api.schemas.shapes import ACCEPT, INVITE, MEMBER_CHANGES
from chalicelib.domain.accounts.member import Invite, Member
from chalicelib.domain.accounts.permissions import Action
from chalicelib.services import members
from chalicelib.services.throttle import CLAIMS

blueprint = Blueprint(__name__)


@route(blueprint, "POST", "/api/orgs/{slug}/invite", action=Action.ADMIN)
def invite(call: Call, slug: str) -> tuple[int, Any]:
    given = load(INVITE, body_object(call.request))
    done = members.invite(slug, given["email"], given["role"], call.key, call.now)
    sent = {"sent": done.link is None, "error": done.failure}
    return 201, {**_invite(done.invite), "link": done.link, "mail": sent}


@route(blueprint, "GET", "/api/orgs/{slug}/invites", action=Action.ADMIN)
def list_invites(call: Call, slug: str) -> tuple[int, Any]:
    found, after = asked_page(call, members.list_invites(slug, call.key))
    listed = [{**_invite(one), "expired": call.now >= one.expires_at} for one in found]
    return 200, {"invites": listed, "next_cursor": after}


@route(blueprint, "DELETE", "/api/orgs/{slug}/invites/{invite_id}", action=Action.ADMIN)
def revoke_invite(call: Call, slug: str, invite_id: str) -> tuple[int, Any]:
    members.revoke_invite(slug, invite_id, call.key)
    return 204, None


@route(blueprint, "POST", "/api/invites/accept", action=None, limit=CLAIMS)
def accept(call: Call) -> tuple[int, Any]:
    given = load(ACCEPT, body_object(call.request))
    done = members.accept(given["token"], given.get("email"), given.get("name"), call.now)
    return 201, {"member": _member(done.member), **render.api_key(done.key), "key": done.text}


@route(blueprint, "GET", "/api/orgs/{slug}/members", action=Action.READ)
def list_members(call: Call, slug: str) -> tuple[int, Any]:
    found, after = asked_page(call, members.list_members(slug, call.key))
    return 200, {"members": [_member(one) for one in found], "next_cursor": after}


@route(blueprint, "PATCH", "/api/orgs/{slug}/members/{member_id}", action=Action.ADMIN)
def change_member(call: Call, slug: str, member_id: str) -> tuple[int, Any]:
    given = load(MEMBER_CHANGES, body_object(call.request))
    return 200, _member(members.change(slug, member_id, given, call.key))


@route(blueprint, "DELETE", "/api/orgs/{slug}/members/{member_id}", action=Action.READ)
def remove_member(call: Call, slug: str, member_id: str) -> tuple[int, Any]:
    """Who is not an admin may only leave: the service looks at who it is."""
    members.remove(slug, member_id, call.key)
    return 204, None


def _invite(one: Invite) -> dict[str, Any]:
    return {
        "id": one.id,
        "email": one.email,
        "role": one.role.value,
        "state": one.state.value,
        "invited_by": one.invited_by,
        "created_at": instant(one.created_at),
        "expires_at": instant(one.expires_at),
    }


def _member(one: Member) -> dict[str, Any]:
    return {
        "id": one.id,
        "email": one.email,
        "name": one.name,
        "role": one.role.value,
        "created_at": instant(one.created_at),
    }
