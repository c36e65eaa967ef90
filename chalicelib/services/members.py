"""Members: invited, accepted, changed, removed."""

import secrets
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

from msgspec import UNSET, UnsetType

from chalicelib import settings
from chalicelib.domain import ids
from chalicelib.domain.accounts.api_key import KEY_LENGTH, ApiKey, key_hash, key_text
from chalicelib.domain.accounts.member import (
    Invite,
    InviteState,
    Member,
    is_token_of,
    place_of,
    same_address,
    token_hash,
)
from chalicelib.domain.accounts.member import token_of as text_of
from chalicelib.domain.accounts.org import Org
from chalicelib.domain.accounts.permissions import Action, Role, Scope, may
from chalicelib.domain.errors import ConcurrentUpdate, Conflict, Forbidden, Gone, NotFound
from chalicelib.outbound import mail
from chalicelib.services import access
from chalicelib.services.changes import changed
from chalicelib.services.orgs import org_of_key
from chalicelib.services.paging import Page, page_of
from chalicelib.services.throttle import INVITES_OF_ORG, INVITES_TO_ADDRESS, throttle
from chalicelib.store import members, orgs

_MOST_INVITES = 90


class Invitation(NamedTuple):
    email: str
    role: Role


class MemberChanges(NamedTuple):
    role: Role | UnsetType = UNSET
    name: str | UnsetType = UNSET


class Acceptance(NamedTuple):
    token: str
    #: What the invited person says of themselves, if anything.
    email: str | None = None
    #: What the invited person says of themselves, if anything.
    name: str | None = None


class Invited(NamedTuple):
    invite: Invite
    #: For the inviter to pass on, where no mail could be sent.
    link: str | None
    #: Why none was.
    failure: str | None


def invite(slug: str, wanted: Invitation, by: ApiKey, now: datetime) -> Invited:
    """Raises NotFound, Forbidden, Throttled; Conflict where the address is a member's."""
    org = org_of_key(slug, by)
    if mail.is_set():
        throttle(INVITES_OF_ORG, org.id, now)
        throttle(INVITES_TO_ADDRESS, wanted.email.lower(), now)
    invitation, token = access.as_maker(by, Action.ADMIN, lambda maker: _invite(org, wanted, maker, now))
    link = f"{settings.base_url()}/invites/accept#{token}"
    if not mail.is_set():
        return Invited(invitation, link, None)
    try:
        # Nothing that a stranger typed freely, such as the org's name, goes into a mail.
        letter = _letter(org, wanted.role, link, token)
        mail.send_mail(wanted.email, f"You are invited to {org.slug} on CronHub", letter)
    except mail.MailFailed as failed:
        return Invited(invitation, link, str(failed))
    return Invited(invitation, None, None)


def _invite(org: Org, wanted: Invitation, by: ApiKey, now: datetime) -> tuple[Invite, str]:
    email, role = wanted
    _require_right_over(by, role)
    if members.has_seat(org.id, email):
        raise Conflict("this address already belongs to a member")
    waiting = [one for one in members.invites_of_org(org.id) if one.is_open(now)]
    replaced = [one for one in waiting if same_address(one.email, email)]
    _require_right_over(by, *(one.role for one in replaced))
    if len(waiting) - len(replaced) >= _MOST_INVITES:
        raise Conflict(f"an organization has at most {_MOST_INVITES} open invitations; revoke some first")
    invite_id = ids.timed_id(now, secrets.token_bytes(10))
    token = text_of(org.id, invite_id, secrets.token_urlsafe(32))
    made = Invite(org.id, invite_id, email, role, by.name, token_hash(token), now, inviter_id=by.member_id)
    members.save_invite(made, replaced, by)
    return made, token


def _letter(org: Org, role: Role, link: str, token: str) -> str:
    return (
        f"You are invited to {org.slug} on CronHub, as {role.value}.\n\n"
        f"Accept within 7 days: {link}\n\n"
        "or from a shell:\n\n"
        f"curl -X POST {settings.base_url()}/api/invites/accept "
        f"-H 'Content-Type: application/json' -d '{{\"token\":\"{token}\"}}'\n\n"
        "If you do not know what this is, nothing happens without you.\n"
    )


def _require_right_over(by: ApiKey, *roles: Role) -> None:
    """Owners are made, changed and removed by owners alone."""
    if Role.OWNER in roles:
        access.require(by, Action.OWN)


def list_members(slug: str, by: ApiKey, page: Page) -> tuple[list[Member], str | None]:
    return page_of(members.members_of_org(org_of_key(slug, by).id), page)


def list_invites(slug: str, by: ApiKey, page: Page) -> tuple[list[Invite], str | None]:
    return page_of(members.invites_of_org(org_of_key(slug, by).id), page)


def revoke_invite(slug: str, invite_id: str, by: ApiKey) -> None:
    """Raises NotFound, also for one that is not open any more."""
    org = org_of_key(slug, by)

    def once(maker: ApiKey) -> None:
        found = members.find_invite(org.id, invite_id) if ids.is_timed_id(invite_id) else None
        if found is None or found.state is not InviteState.PENDING:
            raise NotFound("no such open invitation")
        _require_right_over(maker, found.role)
        members.revoke_invite(found)

    access.as_maker(by, Action.ADMIN, once)


class Seen(NamedTuple):
    """An open invitation, as the invited person may see it before accepting."""

    invite: Invite
    org: Org


def look(token: str, now: datetime) -> Seen:
    """Returns an invitation that can be accepted. Raises NotFound; Gone (used, revoked or expired)."""
    found = _open_invite(token, now)
    org = orgs.find_org(found.org_id)
    if org is None:
        raise NotFound("no such invitation")
    return Seen(found, org)


def _open_invite(token: str, now: datetime) -> Invite:
    """Raises NotFound; Gone."""
    place = place_of(token)
    found = members.find_invite(*place) if place else None
    if found is None or not is_token_of(found, token):
        raise NotFound("no such invitation")
    if not found.is_open(now):
        raise Gone("this invitation was used, revoked or has expired")
    return found


class Accepted(NamedTuple):
    member: Member
    key: ApiKey
    #: Of the member's own key; it is shown once.
    text: str


def accept(given: Acceptance, now: datetime) -> Accepted:
    """Raises NotFound, Gone (used, revoked or expired), Forbidden (another's address)."""
    found = _open_invite(given.token, now)
    if given.email is not None and not same_address(given.email, found.email):
        raise Forbidden("this invitation was sent to another address")
    member = Member(
        found.org_id,
        ids.timed_id(now, secrets.token_bytes(10)),
        found.email,
        given.name or found.email.partition("@")[0],
        found.role,
        now,
    )
    text = key_text([secrets.randbelow(62) for _ in range(KEY_LENGTH)])
    key = ApiKey(
        id=ids.timed_id(now, secrets.token_bytes(10)),
        org_id=member.org_id,
        name=member.name[:128],
        scope=Scope.FULL,
        created_at=now,
        role=member.role,
        member_id=member.id,
    )
    try:
        members.add_member(member, found, key, key_hash(text))
    except ConcurrentUpdate:
        raise Gone("this invitation was used, revoked or has expired") from None
    return Accepted(member, key, text)


def change(slug: str, member_id: str, changes: MemberChanges, by: ApiKey) -> Member:
    """Raises NotFound, Forbidden; Conflict where it would leave the org without an owner."""
    org = org_of_key(slug, by)

    def once(maker: ApiKey) -> Member:
        version, found = members.version_of_members(org.id), _find(org, member_id)
        after = changed(found, changes)
        _require_right_over(maker, found.role, after.role)
        _require_another_owner(found, after.role)
        _revoke_invites(found, after.role)
        members.change_member(after, version, maker)
        return after

    return access.as_maker(by, Action.ADMIN, once)


def remove(slug: str, member_id: str, by: ApiKey) -> None:
    """Raises NotFound, Forbidden; Conflict for the last owner. Members may leave, with a key of full scope."""
    org = org_of_key(slug, by)
    leaves = by.member_id == member_id and by.scope is Scope.FULL

    def once(maker: ApiKey) -> None:
        version, found = members.version_of_members(org.id), _find(org, member_id)
        if not leaves:
            _require_right_over(maker, found.role)
        _require_another_owner(found, None)
        _revoke_invites(found, None)
        members.remove_member(found, version, maker)

    access.as_maker(by, Action.READ if leaves else Action.ADMIN, once)


def _revoke_invites(member: Member, role: Role | None) -> None:
    """Ends the open invitations that a member made and, in this role, could not make any more."""
    made = (one for one in members.invites_of_org(member.org_id) if one.inviter_id == member.id)
    for invite in made:
        if invite.state is InviteState.PENDING and not _may_invite(role, invite):
            # One that is used at this moment makes a member, whom an admin can see and remove.
            with suppress(ConcurrentUpdate):
                members.revoke_invite(invite)


def _may_invite(role: Role | None, invite: Invite) -> bool:
    action = Action.OWN if invite.role is Role.OWNER else Action.ADMIN
    return role is not None and may(role, Scope.FULL, action)


def _find(org: Org, member_id: str) -> Member:
    found = members.find_member(org.id, member_id) if ids.is_timed_id(member_id) else None
    if found is None:
        raise NotFound("no such member")
    return found


def _require_another_owner(member: Member, role: Role | None) -> None:
    if member.role is not Role.OWNER or role is Role.OWNER:
        return
    owners = [one for one in members.members_of_org(member.org_id) if one.role is Role.OWNER]
    if len(owners) == 1:
        raise Conflict("the last owner cannot be removed or demoted; make another owner first")
