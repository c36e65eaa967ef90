"""Who may do what: API keys."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TypeVar

from chalicelib.domain.accounts.api_key import ApiKey, key_hash, looks_like_key
from chalicelib.domain.accounts.permissions import Action, may
from chalicelib.domain.errors import Forbidden, Unauthenticated, Unavailable
from chalicelib.services import clock
from chalicelib.services.retries import retry_on_conflict
from chalicelib.store import api_keys

T = TypeVar("T")

_UNKNOWN = "this API key is unknown or was revoked"
NOTED_EVERY = timedelta(hours=1)
_WORDS = {
    Action.READ: "read",
    Action.INGEST: "register crons or send signals",
    Action.CHANGE: "make changes",
    Action.ADMIN: "manage keys, members or what is public",
    Action.OWN: "do what only owners may do",
}


def authenticate(authorization: str | None, now: datetime, *, afresh: bool = False) -> ApiKey:
    """The key of an `Authorization: Bearer …` header. Raises Unauthenticated.

    afresh: the key is read from the store, not remembered, so that one that was revoked is out.
    """
    scheme, _, text = (authorization or "").strip().partition(" ")
    text = text.strip()
    if scheme.lower() != "bearer" or not text:
        raise Unauthenticated("send an API key: Authorization: Bearer ch_…")
    return known_key(text, now, afresh=afresh)


def known_key(text: str, now: datetime, *, afresh: bool = False) -> ApiKey:
    """The key of this text, wherever it was sent. Raises Unauthenticated."""
    # What cannot be a key is not worth a read of the store.
    hashed = key_hash(text)
    key = api_keys.find_key(hashed, now, afresh=afresh) if looks_like_key(text) else None
    if key is None:
        raise Unauthenticated(_UNKNOWN)
    _note_use(hashed, key, now)
    return key


def _note_use(hashed: str, key: ApiKey, now: datetime) -> None:
    """Records when a key was last used: at its first use, then once per hour; never in a request's way."""
    if key.last_used_at is None or now - key.last_used_at >= NOTED_EVERY:
        with suppress(Unavailable):
            api_keys.note_use(hashed, key, now)


def as_maker(key: ApiKey, action: Action, attempt: Callable[[ApiKey], T]) -> T:
    """Retries `attempt` on conflicts, each time with the key, and its right to do this, as they are now.

    Raises Unauthenticated where the key was revoked meanwhile, Forbidden where it may no longer do it.
    """

    def once() -> T:
        current = api_keys.find_key(key.hashed, clock.now(), afresh=True)
        if current is None:
            raise Unauthenticated(_UNKNOWN)
        require(current, action)
        return attempt(current)

    return retry_on_conflict(once)


def require(key: ApiKey, action: Action) -> None:
    """Raises Forbidden unless the key may do it."""
    if not may(key.role, key.scope, action):
        raise Forbidden(f"this key (role {key.role.value}, scope {key.scope.value}) may not {_WORDS[action]}")
