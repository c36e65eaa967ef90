"""API keys, under their SHA-256; a good one is remembered for 30 s."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from pynamodb.exceptions import UpdateError
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from chalicelib.domain.accounts.api_key import ApiKey
from chalicelib.domain.accounts.permissions import Role, Scope
from chalicelib.domain.errors import ConcurrentUpdate
from chalicelib.domain.times import from_ms, to_ms
from chalicelib.store.cron_codec import at_ms, ms
from chalicelib.store.errors import is_conflict, store_errors
from chalicelib.store.reading import get_or_none
from chalicelib.store.tables import KeyItem, KeysOfOrg, MemberItem, connection

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
        made_by=key.made_by,
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
        made_by=item.made_by,
        hashed=item.key_hash,
    )


def find_key(hashed: str, now: datetime, *, afresh: bool = False) -> ApiKey | None:
    """The key of this hash. Unless it is read `afresh`, it may be one remembered for 30 s."""
    read_at, key = _remembered.get(hashed, (None, None))
    if not afresh and key is not None and read_at is not None and timedelta() <= now - read_at < REMEMBERED:
        return key
    _remembered.pop(hashed, None)
    item = get_or_none(KeyItem, hashed)
    if item is None:
        return None
    key = _to_key(item)
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


def create_key(key: ApiKey, hashed: str, by: ApiKey) -> None:
    """Writes a key that another one makes. Raises ConcurrentUpdate where its maker has changed or is gone."""
    with store_errors(), TransactWrite(connection=connection()) as transaction:
        hold_maker(transaction, by, made=hashed)
        transaction.save(key_item(key, hashed))


def hold_maker(transaction: TransactWrite, by: ApiKey, *, made: str | None = None) -> None:
    """Lets the transaction through only while the key `by`, and its member, are as they were read.

    The member's version moves on, so that a request that removes the member at the same time has to look again
    at what the member made. made: the hash of a key that is being made.
    """
    transaction.condition_check(KeyItem, by.hashed, condition=_unchanged(by))
    if by.member_id is None:
        return
    actions: list[Action] = [MemberItem.version.add(1)]
    if made is not None:
        actions.append(MemberItem.key_hashes.add({made}))
    transaction.update(MemberItem(by.org_id, by.member_id), actions, MemberItem.role == by.role.value)


def _unchanged(key: ApiKey) -> Any:
    return (KeyItem.key_id == key.id) & (KeyItem.role == key.role.value)


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
        with store_errors():
            item.delete()
        _remembered.pop(item.key_hash, None)
        _forget_of_member(item)
    return bool(items)


def _forget_of_member(item: KeyItem) -> None:
    if not item.member_id:
        return
    # A member who was removed meanwhile keeps no list.
    with suppress(ConcurrentUpdate), store_errors():
        actions = [MemberItem.key_hashes.delete({item.key_hash})]
        MemberItem(item.org_id, item.member_id).update(actions, MemberItem.member_id.exists())
