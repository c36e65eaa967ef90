"""API keys, under their SHA-256; a good one is remembered for 30 s."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from pynamodb.exceptions import UpdateError

from chalicelib.domain.accounts.api_key import ApiKey
from chalicelib.domain.accounts.permissions import Role, Scope
from chalicelib.domain.times import from_ms, to_ms
from chalicelib.store.cron_codec import at_ms, ms
from chalicelib.store.errors import is_conflict, store_errors
from chalicelib.store.tables import KeyItem, KeysOfOrg

# A revoked key works on for as long as this where it was used just before.
REMEMBERED = timedelta(seconds=30)
_MOST_REMEMBERED = 10_000
_remembered: dict[str, tuple[datetime, ApiKey]] = {}


def key_item(key: ApiKey, hashed: str) -> KeyItem:
    return KeyItem(
        hashed,
        key_id=key.id,
        org_id=key.org_id,
        name=key.name,
        scope=key.scope.value,
        created_at=ms(key.created_at),
        role=key.role.value,
        member_id=key.member_id,
    )


def _to_key(item: KeyItem) -> ApiKey:
    created_at = from_ms(int(item.created_at))
    return ApiKey(
        id=item.key_id,
        org_id=item.org_id,
        name=item.name,
        scope=Scope(item.scope),
        created_at=created_at,
        role=Role(item.role),
        member_id=item.member_id,
        last_used_at=at_ms(item.last_used_at),
    )


def find_key(hashed: str, now: datetime) -> ApiKey | None:
    read_at, key = _remembered.get(hashed, (None, None))
    if key is not None and read_at is not None and timedelta() <= now - read_at < REMEMBERED:
        return key
    _remembered.pop(hashed, None)
    with store_errors():
        try:
            key = _to_key(KeyItem.get(hashed, consistent_read=True))
        except KeyItem.DoesNotExist:
            return None
    _remember(hashed, key, now)
    return key


def note_use(hashed: str, key: ApiKey, now: datetime) -> None:
    with store_errors():
        try:
            KeyItem(hashed).update([KeyItem.last_used_at.set(to_ms(now))], KeyItem.key_id == key.id)
        except UpdateError as error:
            if not is_conflict(error):
                raise
            return  # revoked meanwhile
    _remember(hashed, key._replace(last_used_at=now), now)


def _remember(hashed: str, key: ApiKey, now: datetime) -> None:
    if len(_remembered) >= _MOST_REMEMBERED:
        _remembered.clear()
    _remembered[hashed] = (now, key)


def forget(hashes: Iterable[str]) -> None:
    """Forgets keys that were changed here, which other functions do within 30 s."""
    for hashed in hashes:
        _remembered.pop(hashed, None)


def forget_keys() -> None:
    """Forgets what is remembered, as a new function would start."""
    _remembered.clear()


def create_key(key: ApiKey, hashed: str) -> None:
    with store_errors():
        key_item(key, hashed).save()


def keys_of_org(org_id: str) -> list[ApiKey]:
    return [key for _, key in keys_with_hashes(org_id)]


def keys_with_hashes(org_id: str) -> list[tuple[str, ApiKey]]:
    """An org's keys, each behind its hash; oldest first."""
    with store_errors():
        found = [(item.key_hash, _to_key(item)) for item in KeyItem.of_org.query(org_id)]
    return sorted(found, key=lambda one: (one[1].created_at, one[1].id))


def delete_key(org_id: str, key_id: str) -> bool:
    """Revokes a key; False where there is none of this id."""
    with store_errors():
        items = list(KeyItem.of_org.query(org_id, KeysOfOrg.key_id == key_id))
        for item in items:
            item.delete()
            _remembered.pop(item.key_hash, None)
    return bool(items)
