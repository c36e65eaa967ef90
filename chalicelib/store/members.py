"""Members and invitations."""

import hashlib
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from chalicelib.domain.accounts.api_key import ApiKey
from chalicelib.domain.accounts.member import Invite, InviteState, Member
from chalicelib.domain.accounts.permissions import Role
from chalicelib.domain.times import from_ms
from chalicelib.store.api_keys import forget, hold_maker, key_item, keys_with_hashes
from chalicelib.store.cron_codec import ms
from chalicelib.store.errors import store_errors
from chalicelib.store.reading import get_or_none
from chalicelib.store.tables import InviteItem, KeyItem, MemberItem, OrgItem, connection

_SEAT = "email#"
# A transaction holds 100 items; a member, their seat, their org and who changes them take up to five.
_KEYS_AT_ONCE = 95
_INVITES_KEPT = timedelta(days=30)


def _seat_key(email: str) -> str:
    return _SEAT + hashlib.sha256(email.casefold().encode()).hexdigest()


def _seat(org_id: str, email: str) -> MemberItem:
    return MemberItem(org_id, _seat_key(email))


def members_of_org(org_id: str) -> list[Member]:
    with store_errors():
        items = MemberItem.query(org_id, MemberItem.member_id < _SEAT, consistent_read=True)
        return [_member(item) for item in items]


def find_member(org_id: str, member_id: str) -> Member | None:
    item = get_or_none(MemberItem, org_id, member_id)
    return None if item is None else _member(item)


def has_seat(org_id: str, email: str) -> bool:
    return get_or_none(MemberItem, org_id, _seat_key(email)) is not None


def _member(item: MemberItem) -> Member:
    return Member(
        item.org_id,
        item.member_id,
        item.email or "",
        item.name or "",
        Role(item.role),
        from_ms(int(item.created_at or 0)),
        int(item.version or 0),
        frozenset(item.key_hashes or ()),
    )


def _member_item(member: Member) -> MemberItem:
    return MemberItem(
        member.org_id,
        member.id,
        email=member.email,
        name=member.name,
        role=member.role.value,
        created_at=ms(member.created_at),
        version=member.version or None,
        key_hashes=set(member.key_hashes) or None,
    )


def _as_loaded(member: Member) -> Any:
    """That the member has made nothing, and was not changed, since it was loaded."""
    if member.version:
        return MemberItem.version == member.version
    return MemberItem.member_id.exists() & MemberItem.version.does_not_exist()


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
        transaction.save(_member_item(member._replace(key_hashes=frozenset({key_hash}))))
        transaction.save(key_item(key, key_hash))
        transaction.update(
            InviteItem(invite.org_id, invite.id),
            [InviteItem.state.set(InviteState.USED.value)],
            InviteItem.state == InviteState.PENDING.value,
        )


def change_member(member: Member, version: int, by: ApiKey) -> None:
    """Writes a member and the role of all their keys. Raises ConcurrentUpdate."""

    def set_role(transaction: TransactWrite, hashed: str) -> None:
        transaction.update(KeyItem(hashed), [KeyItem.role.set(member.role.value)], KeyItem.key_id.exists())

    hashes = _hashes_of(member)
    with store_errors():
        last = _write_but_last(hashes, set_role)
        with TransactWrite(connection=connection()) as transaction:
            _hold_other(transaction, by, member)
            transaction.save(_member_item(member._replace(version=member.version + 1)), _as_loaded(member))
            for hashed in last:
                set_role(transaction, hashed)
            _move_on(transaction, member.org_id, version)
    forget(hashes)


def remove_member(member: Member, version: int, by: ApiKey) -> None:
    """Removes a member and revokes all their keys. Raises ConcurrentUpdate."""

    def revoke(transaction: TransactWrite, hashed: str) -> None:
        transaction.delete(KeyItem(hashed))

    hashes = _hashes_of(member)
    with store_errors():
        last = _write_but_last(hashes, revoke)
        with TransactWrite(connection=connection()) as transaction:
            _hold_other(transaction, by, member)
            transaction.delete(MemberItem(member.org_id, member.id), _as_loaded(member))
            transaction.delete(_seat(member.org_id, member.email))
            for hashed in last:
                revoke(transaction, hashed)
            _move_on(transaction, member.org_id, version)
    forget(hashes)


def _hold_other(transaction: TransactWrite, by: ApiKey, member: Member) -> None:
    # A member who changes themselves is held by their own version.
    if by.member_id != member.id:
        hold_maker(transaction, by)


def _write_but_last(hashes: list[str], write: Callable[[TransactWrite, str], None]) -> list[str]:
    """Writes those keys that the transaction of their member has no room for; returns the others."""
    while len(hashes) > _KEYS_AT_ONCE:
        with TransactWrite(connection=connection()) as transaction:
            for hashed in hashes[:_KEYS_AT_ONCE]:
                write(transaction, hashed)
        hashes = hashes[_KEYS_AT_ONCE:]
    return hashes


def _hashes_of(member: Member) -> list[str]:
    """The member's keys: as the member lists them, and as the index has them, which may lag."""
    indexed = {hashed for hashed, key in keys_with_hashes(member.org_id) if key.member_id == member.id}
    return sorted(indexed | member.key_hashes)


def _move_on(transaction: TransactWrite, org_id: str, version: int) -> None:
    held = OrgItem.members_version == version if version else OrgItem.members_version.does_not_exist()
    transaction.update(OrgItem(org_id), [OrgItem.members_version.set(version + 1)], held)


def save_invite(invite: Invite, replaced: Iterable[Invite], by: ApiKey) -> None:
    """Writes an invitation; those it stands for instead are revoked. Raises ConcurrentUpdate."""
    item = InviteItem(
        invite.org_id,
        invite.id,
        email=invite.email,
        role=invite.role.value,
        invited_by=invite.invited_by,
        inviter_id=invite.inviter_id,
        token_hash=invite.token_hash,
        created_at=ms(invite.created_at),
        state=invite.state.value,
        expires_at=invite.expires_at + _INVITES_KEPT,
    )
    with store_errors(), TransactWrite(connection=connection()) as transaction:
        hold_maker(transaction, by)
        transaction.save(item)
        for old in replaced:
            transaction.update(*_revocation(old))


def _revocation(invite: Invite) -> tuple[InviteItem, list[Action], Any]:
    actions: list[Action] = [InviteItem.state.set(InviteState.REVOKED.value)]
    return InviteItem(invite.org_id, invite.id), actions, InviteItem.state == InviteState.PENDING.value


def invites_of_org(org_id: str) -> list[Invite]:
    with store_errors():
        return [_invite(item) for item in InviteItem.query(org_id, consistent_read=True)]


def find_invite(org_id: str, invite_id: str) -> Invite | None:
    item = get_or_none(InviteItem, org_id, invite_id)
    return None if item is None else _invite(item)


def revoke_invite(invite: Invite) -> None:
    """Raises ConcurrentUpdate where it was used or revoked meanwhile."""
    item, actions, condition = _revocation(invite)
    with store_errors():
        item.update(actions, condition)


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
        inviter_id=item.inviter_id,
    )
