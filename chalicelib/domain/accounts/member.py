"""Members of an org, and invitations to be one."""

import hashlib
import hmac
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from chalicelib.domain.accounts.permissions import Role
from chalicelib.domain.ids import is_timed_id

INVITE_VALID = timedelta(days=7)
_PREFIX = "inv_"
_ORG_LENGTH = 12


class Member(NamedTuple):
    org_id: str
    id: str
    email: str
    name: str
    role: Role
    created_at: datetime
    #: Moves on with every key and invitation that the member makes.
    version: int = 0
    #: The hashes of the member's keys, as far as they were made since these are kept.
    key_hashes: frozenset[str] = frozenset()


class InviteState(StrEnum):
    PENDING = "pending"
    USED = "used"
    REVOKED = "revoked"


class Invite(NamedTuple):
    org_id: str
    id: str
    email: str
    role: Role
    #: The name of the key it was made with.
    invited_by: str
    token_hash: str
    created_at: datetime
    state: InviteState = InviteState.PENDING
    #: The member whose key made it; None for an org's own key.
    inviter_id: str | None = None

    @property
    def expires_at(self) -> datetime:
        return self.created_at + INVITE_VALID

    def is_open(self, now: datetime) -> bool:
        return self.state is InviteState.PENDING and now < self.expires_at


def same_address(one: str, other: str) -> bool:
    """Addresses are compared as people take them: in any case."""
    return one.casefold() == other.casefold()


def token_of(org_id: str, invite_id: str, secret: str) -> str:
    """The text of an invitation: it leads to its item, and its secret is kept nowhere."""
    return f"{_PREFIX}{org_id}{invite_id}{secret}"


def place_of(token: str) -> tuple[str, str] | None:
    """The org and invitation a token is of; None where it cannot be one."""
    rest = token.removeprefix(_PREFIX)
    org_id, invite_id = rest[:_ORG_LENGTH], rest[_ORG_LENGTH : _ORG_LENGTH + 26]
    if not token.startswith(_PREFIX) or not is_timed_id(invite_id) or set(org_id) - set("0123456789abcdef"):
        return None
    return org_id, invite_id


def token_hash(token: str) -> str:
    """It holds 256 random bits, so a plain hash cannot be guessed back."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def is_token_of(invite: Invite, token: str) -> bool:
    return hmac.compare_digest(invite.token_hash, token_hash(token))
