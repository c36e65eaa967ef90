"""Browsers that are signed in."""

from datetime import datetime
from typing import Self

from chalicelib.api.schemas.values import Answer
from chalicelib.domain.accounts.permissions import Role
from chalicelib.domain.accounts.session import NamedSession


class SessionOut(Answer):
    #: The id, for use in paths.
    id: str
    #: What the browser says it is.
    browser: str
    #: The key that signed in.
    key_id: str
    #: The name of that key.
    key_name: str
    #: The role of that key.
    role: Role
    #: The member that the key belongs to; null for an org's own key.
    member_id: str | None
    #: When it signed in.
    created_at: datetime
    #: Accurate to the hour.
    last_used_at: datetime
    #: When it ends if it is not used before.
    expires_at: datetime

    @classmethod
    def of(cls, one: NamedSession) -> Self:
        session, key = one
        return cls(
            id=session.id,
            browser=session.browser,
            key_id=key.id,
            key_name=key.name,
            role=key.role,
            member_id=key.member_id,
            created_at=session.created_at,
            last_used_at=session.last_used_at,
            expires_at=session.expires_at,
        )


class SessionList(Answer):
    #: The sessions of this page.
    sessions: tuple[SessionOut, ...]
    #: Send it as `cursor` for the next page; null at the end.
    next_cursor: str | None
