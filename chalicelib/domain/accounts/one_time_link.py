"""A one-time link: it signs another device in, as the session that made it."""

import hmac
from datetime import datetime, timedelta
from typing import NamedTuple

from chalicelib.domain.accounts.session import cookie_hash, cookie_text
from chalicelib.domain.accounts.session import place_of as place_of_cookie

VALID = timedelta(minutes=10)
_PREFIX = "once_"


class OneTimeLink(NamedTuple):
    """What is kept of a link: never its token. A session has one at a time."""

    org_id: str
    #: The session that made it.
    session_id: str
    token_hash: str
    created_at: datetime

    @property
    def expires_at(self) -> datetime:
        return self.created_at + VALID

    def is_opened_by(self, token: str, now: datetime) -> bool:
        return now < self.expires_at and hmac.compare_digest(self.token_hash, cookie_hash(token))


def token_text(org_id: str, session_id: str, secret: str) -> str:
    """The token of a link: it leads to the link's item, and its secret is kept nowhere."""
    return _PREFIX + cookie_text(org_id, session_id, secret)


def place_of(token: str) -> tuple[str, str] | None:
    """Returns the org and the session that a token is of; None where it cannot be one."""
    return place_of_cookie(token.removeprefix(_PREFIX)) if token.startswith(_PREFIX) else None
