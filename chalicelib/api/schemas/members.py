"""Members of an org, and their invitations."""

from datetime import datetime
from typing import Annotated, Self

from msgspec import UNSET, Meta, UnsetType

from chalicelib.api.schemas.orgs import NewKeyOut
from chalicelib.api.schemas.values import Answer, Email, Name, Request, fields_of
from chalicelib.domain.accounts.member import Invite, InviteState, Member
from chalicelib.domain.accounts.permissions import Role
from chalicelib.services.members import Accepted, Invited


class InviteMember(Request):
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


class ChangeMember(Request):
    role: Role | UnsetType = UNSET
    name: Name | UnsetType = UNSET


class InviteOut(Answer):
    id: str
    email: str
    role: Role
    state: InviteState
    #: The name of the key that made it.
    invited_by: str
    created_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, one: Invite) -> Self:
        return cls(one.id, one.email, one.role, one.state, one.invited_by, one.created_at, one.expires_at)


class ListedInvite(InviteOut, kw_only=True):
    expired: bool


class InviteMail(Answer):
    #: Whether the invitation was mailed.
    sent: bool
    #: Why it was not mailed; null when this deployment sends no mail.
    error: str | None


class NewInvite(InviteOut, kw_only=True):
    #: For you to pass on when the invitation was not mailed. It is shown only here; null when it was mailed.
    link: str | None
    mail: InviteMail

    @classmethod
    def made(cls, done: Invited) -> Self:
        mail = InviteMail(sent=done.link is None, error=done.failure)
        return cls(**fields_of(InviteOut.of(done.invite)), link=done.link, mail=mail)


class InviteList(Answer):
    invites: tuple[ListedInvite, ...]
    next_cursor: str | None

    @classmethod
    def of(cls, found: list[Invite], after: str | None, now: datetime) -> Self:
        listed = (ListedInvite(**fields_of(InviteOut.of(one)), expired=now >= one.expires_at) for one in found)
        return cls(tuple(listed), after)


class MemberOut(Answer):
    id: str
    email: str
    name: str
    role: Role
    created_at: datetime

    @classmethod
    def of(cls, one: Member) -> Self:
        return cls(one.id, one.email, one.name, one.role, one.created_at)


class MemberList(Answer):
    members: tuple[MemberOut, ...]
    next_cursor: str | None


class NewMember(NewKeyOut, kw_only=True):
    """The new member, and a key of their own."""

    member: MemberOut

    @classmethod
    def joined(cls, done: Accepted) -> Self:
        key = NewKeyOut.made(done.key, done.text)
        return cls(**fields_of(key), member=MemberOut.of(done.member))
