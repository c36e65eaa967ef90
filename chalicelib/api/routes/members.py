"""Members of an org, and their invitations."""

from chalicelib.api.http.answers import Created, NoContent
from chalicelib.api.http.request import Call
from chalicelib.api.http.route import route
from chalicelib.api.schemas.members import (
    AcceptInvite,
    ChangeMember,
    InviteList,
    InviteMember,
    InviteSeen,
    LookAtInvite,
    MemberList,
    MemberOut,
    NewInvite,
    NewMember,
)
from chalicelib.api.schemas.paging import PageQuery
from chalicelib.domain.accounts.permissions import Action
from chalicelib.services import members
from chalicelib.services.throttle import CLAIMS


@route("POST", "/api/orgs/{slug}/invite", action=Action.ADMIN, problems=(409, 429))
def invite(call: Call, slug: str, body: InviteMember) -> Created[NewInvite]:
    """Invite a member by email

    Only an owner can invite an owner. Inviting an address again replaces its open invitation. The link is valid
    for 7 days.
    """
    done = members.invite(slug, members.Invitation(body.email, body.role), call.key, call.now)
    return Created(NewInvite.made(done))


@route("GET", "/api/orgs/{slug}/invites", action=Action.ADMIN)
def list_invites(call: Call, slug: str, query: PageQuery) -> InviteList:
    """List the invitations"""
    found, after = members.list_invites(slug, call.key, query.page)
    return InviteList.of(found, after, call.now)


@route("DELETE", "/api/orgs/{slug}/invites/{invite_id}", action=Action.ADMIN)
def revoke_invite(call: Call, slug: str, invite_id: str) -> NoContent:
    """Revoke an open invitation"""
    members.revoke_invite(slug, invite_id, call.key)
    return NoContent()


@route("POST", "/api/invites/look", public=True, limit=CLAIMS, problems=(404, 410))
def look(call: Call, body: LookAtInvite) -> InviteSeen:
    """Look at an invitation

    Says which organization, which role and who invited, before anything is accepted.
    """
    return InviteSeen.of(members.look(body.token, call.now))


@route("POST", "/api/invites/accept", public=True, limit=CLAIMS, problems=(403, 404, 410))
def accept(call: Call, body: AcceptInvite) -> Created[NewMember]:
    """Accept an invitation

    Needs no key: the token is the secret. The answer holds a key of the member's own, shown only here.
    """
    done = members.accept(members.Acceptance(body.token, body.email, body.name), call.now)
    return Created(NewMember.joined(done))


@route("GET", "/api/orgs/{slug}/members", action=Action.READ)
def list_members(call: Call, slug: str, query: PageQuery) -> MemberList:
    """List the members"""
    found, after = members.list_members(slug, call.key, query.page)
    return MemberList(tuple(MemberOut.of(one) for one in found), after)


@route("PATCH", "/api/orgs/{slug}/members/{member_id}", action=Action.ADMIN, problems=(409,))
def change_member(call: Call, slug: str, member_id: str, body: ChangeMember) -> MemberOut:
    """Change a member's role or name

    Only owners can change owners. The last owner cannot be demoted.
    """
    changes = members.MemberChanges(body.role, body.name)
    return MemberOut.of(members.change(slug, member_id, changes, call.key))


@route("DELETE", "/api/orgs/{slug}/members/{member_id}", action=Action.READ, problems=(409,))
def remove_member(call: Call, slug: str, member_id: str) -> NoContent:
    """Remove a member

    Needs role admin (owner, to remove an owner), or the member's own key of scope full. The member's keys and
    open invitations are revoked. The last owner cannot be removed.
    """
    members.remove(slug, member_id, call.key)
    return NoContent()
