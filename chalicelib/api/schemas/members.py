"""Members of an org, and their invitations."""

from datetime import datetime
from typing import Annotated, Self

from msgspec import UNSET, Meta, UnsetType

from chalicelib.api.schemas.orgs import NewKeyOut
from chalicelib.api.schemas.values import Answer, Email, Name, Request, fields_of
from chalicelib.domain.accounts.member import Invite, InviteState, Member
from chalicelib.domain.accounts.permissions import Role
from chalicelib.services.members import Accepted, Invited, Seen


class InviteMember(Request):
    #: Where the invitation is sent.
    email: Email
    #: What the member will be; `member` unless given.
    role: Role = Role.MEMBER


class AcceptInvite(Request):
    #: The token of the invitation's link.
    token: Annotated[str, Meta(max_length=200)]
    #: Checked against the invited address when given.
    email: Email | None = None
    #: The part of the address before the @ unless given.
    name: Name | None = None


class LookAtInvite(Request):
    #: The token of the invitation's link.
    token: Annotated[str, Meta(max_length=200)]


class InviteSeen(Answer):
    #: The organization's name.
    org_name: str
    #: The part of URLs that names the organization.
    org_slug: str
    #: What the member may do.
    role: Role
    #: The address that was invited.
    email: str
    #: The name of the key that made the invitation.
    invited_by: str
    #: When it stops working.
    expires_at: datetime

    @classmethod
    def of(cls, seen: Seen) -> Self:
        invite, org = seen
        return cls(org.name, org.slug, invite.role, invite.email, invite.invited_by, invite.expires_at)


class ChangeMember(Request):
    #: What the member may do.
    role: Role | UnsetType = UNSET
    #: The name that people see.
    name: Name | UnsetType = UNSET


class InviteOut(Answer):
    #: The id, for use in paths.
    id: str
    #: The e-mail address.
    email: str
    #: What the member may do.
    role: Role
    #: Whether it is open, used, revoked or expired.
    state: InviteState
    #: The name of the key that made it.
    invited_by: str
    #: When it was created.
    created_at: datetime
    #: When it stops working.
    expires_at: datetime

    @classmethod
    def of(cls, one: Invite) -> Self:
        return cls(one.id, one.email, one.role, one.state, one.invited_by, one.created_at, one.expires_at)


class ListedInvite(InviteOut, kw_only=True):
    #: Whether it stopped working unused.
    expired: bool


class InviteMail(Answer):
    #: Whether the invitation was mailed.
    sent: bool
    #: Why it was not mailed; null when this deployment sends no mail.
    error: str | None


class NewInvite(InviteOut, kw_only=True):
    #: For you to pass on when the invitation was not mailed. It is shown only here; null when it was mailed.
    link: str | None
    #: Whether a mail was sent.
    mail: InviteMail

    @classmethod
    def made(cls, done: Invited) -> Self:
        mail = InviteMail(sent=done.link is None, error=done.failure)
        return cls(**fields_of(InviteOut.of(done.invite)), link=done.link, mail=mail)


class InviteList(Answer):
    #: The invitations of this page.
    invites: tuple[ListedInvite, ...]
    #: Send it as `cursor` for the next page; null at the end.
    next_cursor: str | None

    @classmethod
    def of(cls, found: list[Invite], after: str | None, now: datetime) -> Self:
        listed = (ListedInvite(**fields_of(InviteOut.of(one)), expired=now >= one.expires_at) for one in found)
        return cls(tuple(listed), after)


class MemberOut(Answer):
    #: The id, for use in paths.
    id: str
    #: The e-mail address.
    email: str
    #: The name that people see.
    name: str
    #: What the member may do.
    role: Role
    #: When it was created.
    created_at: datetime

    @classmethod
    def of(cls, one: Member) -> Self:
        return cls(one.id, one.email, one.name, one.role, one.created_at)


class MemberList(Answer):
    #: The members of this page.
    members: tuple[MemberOut, ...]
    #: Send it as `cursor` for the next page; null at the end.
    next_cursor: str | None


class NewMember(NewKeyOut, kw_only=True):
    """The new member, and a key of their own."""

    #: The new member.
    member: MemberOut

    @classmethod
    def joined(cls, done: Accepted) -> Self:
        key = NewKeyOut.made(done.key, done.text)
        return cls(**fields_of(key), member=MemberOut.of(done.member))
