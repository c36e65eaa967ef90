"""API keys: of what form they are, and what is kept of one."""

import hashlib
from datetime import datetime
from typing import NamedTuple

from chalicelib.domain.accounts.permissions import Role, Scope

KEY_PREFIX = "ch_"
KEY_LENGTH = 40
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class ApiKey(NamedTuple):
    """What is known of a key: never the key itself.

    role: of its member, or for an org's own key of who made it: no key gives more than its maker had ·
    last_used_at: to the hour.
    """

    id: str
    org_id: str
    name: str
    scope: Scope
    created_at: datetime
    role: Role = Role.OWNER
    member_id: str | None = None
    last_used_at: datetime | None = None


def key_text(letters: list[int]) -> str:
    """A key of the given 40 random numbers below 62."""
    return KEY_PREFIX + "".join(_LETTERS[letter] for letter in letters)


def looks_like_key(text: str) -> bool:
    letters = text.removeprefix(KEY_PREFIX)
    return len(text) == len(KEY_PREFIX) + KEY_LENGTH and set(letters) <= set(_LETTERS)


def key_hash(text: str) -> str:
    """What is kept of a key. It holds 238 random bits, so a plain hash cannot be guessed back."""
    return hashlib.sha256(text.encode()).hexdigest()
