"""API keys, under their SHA-256; a good one is remembered for 30 s."""

from datetime import datetime, timedelta

from chalicelib.domain.access import Role, Scope
from chalicelib.domain.ids import from_ms
from chalicelib.domain.org import ApiKey
from chalicelib.store.cron_items import ms
from chalicelib.store.faults import told_as_unavailable
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
    )


def find_key(hashed: str, now: datetime) -> ApiKey | None:
    read_at, key = _remembered.get(hashed, (None, None))
    if key is not None and read_at is not None and timedelta() <= now - read_at < REMEMBERED:
        return key
    _remembered.pop(hashed, None)
    with told_as_unavailable():
        try:
            key = _to_key(KeyItem.get(hashed, consistent_read=True))
        except KeyItem.DoesNotExist:
            return None
    if len(_remembered) >= _MOST_REMEMBERED:
        _remembered.clear()
    _remembered[hashed] = (now, key)
    return key


def forget_keys() -> None:
    """Forgets what is remembered, as a new function would start."""
    _remembered.clear()


def create_key(key: ApiKey, hashed: str) -> None:
    with told_as_unavailable():
        key_item(key, hashed).save()


def keys_of_org(org_id: str) -> list[ApiKey]:
    with told_as_unavailable():
        return sorted(
            (_to_key(item) for item in KeyItem.of_org.query(org_id)),
            key=lambda key: (key.created_at, key.id),
        )


def delete_key(org_id: str, key_id: str) -> bool:
    """Revokes a key; False where there is none of this id."""
    with told_as_unavailable():
        items = list(KeyItem.of_org.query(org_id, KeysOfOrg.key_id == key_id))
        for item in items:
            item.delete()
            _remembered.pop(item.key_hash, None)
    return bool(items)
