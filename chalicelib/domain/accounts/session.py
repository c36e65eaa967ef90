"""A session: a browser that signed in with a key, and stays signed in while that key is good."""

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import NamedTuple

from chalicelib.domain.accounts.api_key import ApiKey
from chalicelib.domain.ids import is_timed_id

#: A session ends when it was not used for this long, …
IDLE = timedelta(days=60)
#: … and after this long in any case.
LONGEST = timedelta(days=365)
_ORG_LENGTH = 12
_ID_LENGTH = 26
_LONGEST_COOKIE = 200


class Session(NamedTuple):
    """What is kept of a session: never its cookie."""

    org_id: str
    id: str
    #: Of the cookie's text.
    token_hash: str
    #: Of the key that it was signed in with: it can do what that key can, as long as there is that key.
    key_hash: str
    created_at: datetime
    #: To the hour.
    last_used_at: datetime
    #: What the browser says it is.
    browser: str = ""

    @property
    def expires_at(self) -> datetime:
        return min(self.last_used_at + IDLE, self.created_at + LONGEST)


class NamedSession(NamedTuple):
    """A session with the key it belongs to."""

    session: Session
    key: ApiKey


def cookie_text(org_id: str, session_id: str, secret: str) -> str:
    """What the browser keeps: it leads to the session's item, and its secret is kept nowhere else."""
    return f"{org_id}{session_id}{secret}"


def place_of(cookie: str) -> tuple[str, str] | None:
    """Returns the org and the session of a cookie; None where it cannot be one."""
    org_id, session_id = cookie[:_ORG_LENGTH], cookie[_ORG_LENGTH : _ORG_LENGTH + _ID_LENGTH]
    is_org = len(org_id) == _ORG_LENGTH and not set(org_id) - set("0123456789abcdef")
    if not is_org or len(cookie) > _LONGEST_COOKIE or not is_timed_id(session_id):
        return None
    return org_id, session_id


def cookie_hash(cookie: str) -> str:
    """It holds 256 random bits, so a plain hash cannot be guessed back."""
    return hashlib.sha256(cookie.encode("utf-8", "replace")).hexdigest()


def is_cookie_of(session: Session, cookie: str) -> bool:
    return hmac.compare_digest(session.token_hash, cookie_hash(cookie))


def form_token(cookie: str) -> str:
    """What every form of a session holds: another site cannot know it."""
    return hmac.new(cookie.encode("utf-8", "replace"), b"form", hashlib.sha256).hexdigest()[:32]


def is_form_token(cookie: str, given: str) -> bool:
    return hmac.compare_digest(form_token(cookie).encode(), given.encode("utf-8", "replace"))
