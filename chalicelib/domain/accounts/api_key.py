"""API keys: of what form they are, and what is kept of one."""

import hashlib
from datetime import datetime
from typing import NamedTuple

from chalicelib.domain.accounts.permissions import Role, Scope

KEY_PREFIX = "ch_"
KEY_LENGTH = 40
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class ApiKey(NamedTuple):
    """What is kept of a key: never the key itself."""

    id: str
    org_id: str
    name: str
    scope: Scope
    created_at: datetime
    #: The role of its member; of an org's own key, the role of its maker.
    role: Role = Role.OWNER
    #: The member it belongs to; None for an org's own key.
    member_id: str | None = None
    #: To the hour.
    last_used_at: datetime | None = None
    #: The key that made it; None for an org's first key and for a member's first.
    made_by: str | None = None
    #: What the store finds it by; empty until it is stored.
    hashed: str = ""


def key_text(letters: list[int]) -> str:
    """A key of the given 40 random numbers below 62."""
    return KEY_PREFIX + "".join(_LETTERS[letter] for letter in letters)


def looks_like_key(text: str) -> bool:
    letters = text.removeprefix(KEY_PREFIX)
    return len(text) == len(KEY_PREFIX) + KEY_LENGTH and set(letters) <= set(_LETTERS)


def key_hash(text: str) -> str:
    """What is kept of a key. It holds 238 random bits, so a plain hash cannot be guessed back."""
    return hashlib.sha256(text.encode()).hexdigest()
