"""Who may do what: API keys and their scopes."""

from datetime import datetime

from chalicelib.domain.errors import Forbidden, Unauthenticated
from chalicelib.domain.org import ApiKey, Scope, key_hash, looks_like_key
from chalicelib.store import api_keys

_ALLOWS = {
    Scope.FULL: {Scope.FULL, Scope.INGEST, Scope.READ},
    Scope.INGEST: {Scope.INGEST},
    Scope.READ: {Scope.READ},
}


def authenticate(authorization: str | None, now: datetime) -> ApiKey:
    """The key of an `Authorization: Bearer …` header. Raises Unauthenticated."""
    scheme, _, text = (authorization or "").strip().partition(" ")
    text = text.strip()
    if scheme.lower() != "bearer" or not text:
        raise Unauthenticated("give an API key: Authorization: Bearer ch_…")
    # What cannot be a key is not worth a read of the store.
    key = api_keys.find_key(key_hash(text), now) if looks_like_key(text) else None
    if key is None:
        raise Unauthenticated("this API key is not known, or was revoked")
    return key


def require(key: ApiKey, scope: Scope) -> None:
    """Raises Forbidden unless the key has the scope."""
    if scope not in _ALLOWS[key.scope]:
        raise Forbidden(f"this needs a key of scope {scope.value}; this one is {key.scope.value}")
