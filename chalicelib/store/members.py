"""Members and invitations."""

import hashlib
from collections.abc import Callable, Iterable
from datetime import timedelta

from pynamodb.transactions import TransactWrite

from chalicelib.domain.accounts.api_key import ApiKey
from chalicelib.domain.accounts.member import Invite, InviteState, Member
from chalicelib.domain.accounts.permissions import Role
from chalicelib.domain.times import from_ms
from chalicelib.store.api_keys import forget, key_item, keys_with_hashes
from chalicelib.store.cron_codec import ms
from chalicelib.store.errors import store_errors
from chalicelib.store.tables import InviteItem, KeyItem, MemberItem, OrgItem, connection

_SEAT = "email#"
# A transaction holds 100 items, and a member is up to three of them.
_KEYS_AT_ONCE = 95
_INVITES_KEPT = timedelta(days=30)


def _seat(org_id: str, email: str) -> MemberItem:
    hashed = hashlib.sha256(email.casefold().encode()).hexdigest()
    return MemberItem(org_id, _SEAT + hashed)


def members_of_org(org_id: str) -> list[Member]:
    with store_errors():
        items = MemberItem.query(org_id, MemberItem.member_id < _SEAT, consistent_read=True)
        return [_member(item) for item in items]


def find_member(org_id: str, member_id: str) -> Member | None:
    with store_errors():
        try:
            return _member(MemberItem.get(org_id, member_id, consistent_read=True))
        except MemberItem.DoesNotExist:
            return None


def has_seat(org_id: str, email: str) -> bool:
    seat = _seat(org_id, email)
    with store_errors():
        try:
            seat.refresh(consistent_read=True)
        except MemberItem.DoesNotExist:
            return False
    return True


def _member(item: MemberItem) -> Member:
    return Member(
        item.org_id,
        item.member_id,
        item.email or "",
        item.name or "",
        Role(item.role),
        from_ms(int(item.created_at or 0)),
    )


def _member_item(member: Member) -> MemberItem:
    return MemberItem(
        member.org_id,
        member.id,
        email=member.email,
        name=member.name,
        role=member.role.value,
        created_at=ms(member.created_at),
    )


def version_of_members(org_id: str) -> int:
    """Moves on with whatever takes an owner away: of two who would take the last two, one loses."""
    with store_errors():
        return int(OrgItem.get(org_id, consistent_read=True).members_version or 0)


def add_member(member: Member, invite: Invite, key: ApiKey, key_hash: str) -> None:
    """Uses an invitation. Raises ConcurrentUpdate where it is not open any more, or the address has a seat."""
    seat = _seat(member.org_id, member.email)
    seat.taken_by = member.id
    with store_errors(), TransactWrite(connection=connection()) as transaction:
        transaction.save(seat, MemberItem.member_id.does_not_exist())
        transaction.save(_member_item(member))
        transaction.save(key_item(key, key_hash))
        transaction.update(
            InviteItem(invite.org_id, invite.id),
            [InviteItem.state.set(InviteState.USED.value)],
            InviteItem.state == InviteState.PENDING.value,
        )


def change_member(member: Member, version: int) -> None:
    """Writes a member and the role of all their keys. Raises ConcurrentUpdate."""

    def set_role(transaction: TransactWrite, hashed: str, key: ApiKey) -> None:
        transaction.update(KeyItem(hashed), [KeyItem.role.set(member.role.value)], KeyItem.key_id == key.id)

    keys = _keys_of(member)
    with store_errors():
        last = _write_but_last(keys, set_role)
        with TransactWrite(connection=connection()) as transaction:
            transaction.save(_member_item(member), MemberItem.member_id.exists())
            for hashed, key in last:
                set_role(transaction, hashed, key)
            _move_on(transaction, member.org_id, version)
    forget(hashed for hashed, _ in keys)


def remove_member(member: Member, version: int) -> None:
    """Removes a member and revokes all their keys. Raises ConcurrentUpdate."""

    def revoke(transaction: TransactWrite, hashed: str, _key: ApiKey) -> None:
        transaction.delete(KeyItem(hashed))

    keys = _keys_of(member)
    with store_errors():
        last = _write_but_last(keys, revoke)
        with TransactWrite(connection=connection()) as transaction:
            transaction.delete(MemberItem(member.org_id, member.id), MemberItem.member_id.exists())
            transaction.delete(_seat(member.org_id, member.email))
            for hashed, key in last:
                revoke(transaction, hashed, key)
            _move_on(transaction, member.org_id, version)
    forget(hashed for hashed, _ in keys)


def _write_but_last(
    keys: list[tuple[str, ApiKey]], write: Callable[[TransactWrite, str, ApiKey], None]
) -> list[tuple[str, ApiKey]]:
    """Writes those keys that the transaction of their member has no room for; gives the others."""
    while len(keys) > _KEYS_AT_ONCE:
        with TransactWrite(connection=connection()) as transaction:
            for hashed, key in keys[:_KEYS_AT_ONCE]:
                write(transaction, hashed, key)
        keys = keys[_KEYS_AT_ONCE:]
    return keys


def _keys_of(member: Member) -> list[tuple[str, ApiKey]]:
    return [(hashed, key) for hashed, key in keys_with_hashes(member.org_id) if key.member_id == member.id]


def _move_on(transaction: TransactWrite, org_id: str, version: int) -> None:
    held = OrgItem.members_version == version if version else OrgItem.members_version.does_not_exist()
    transaction.update(OrgItem(org_id), [OrgItem.members_version.set(version + 1)], held)


def save_invite(invite: Invite, replaced: Iterable[Invite]) -> None:
    """Writes an invitation; those it stands for instead are revoked. Raises ConcurrentUpdate."""
    item = InviteItem(
        invite.org_id,
        invite.id,
        email=invite.email,
        role=invite.role.value,
        invited_by=invite.invited_by,
        token_hash=invite.token_hash,
        created_at=ms(invite.created_at),
        state=invite.state.value,
        expires_at=invite.expires_at + _INVITES_KEPT,
    )
    with store_errors(), TransactWrite(connection=connection()) as transaction:
        transaction.save(item)
        for old in replaced:
            transaction.update(
                InviteItem(old.org_id, old.id),
                [InviteItem.state.set(InviteState.REVOKED.value)],
                InviteItem.state == InviteState.PENDING.value,
            )


def invites_of_org(org_id: str) -> list[Invite]:
    with store_errors():
        return [_invite(item) for item in InviteItem.query(org_id, consistent_read=True)]


def find_invite(org_id: str, invite_id: str) -> Invite | None:
    with store_errors():
        try:
            return _invite(InviteItem.get(org_id, invite_id, consistent_read=True))
        except InviteItem.DoesNotExist:
            return None


def revoke_invite(invite: Invite) -> None:
    """Raises ConcurrentUpdate where it was used or revoked meanwhile."""
    with store_errors():
        InviteItem(invite.org_id, invite.id).update(
            [InviteItem.state.set(InviteState.REVOKED.value)],
            InviteItem.state == InviteState.PENDING.value,
        )


def _invite(item: InviteItem) -> Invite:
    return Invite(
        org_id=item.org_id,
        id=item.invite_id,
        email=item.email,
        role=Role(item.role),
        invited_by=item.invited_by,
        token_hash=item.token_hash,
        created_at=from_ms(int(item.created_at)),
        state=InviteState(item.state),
    )
