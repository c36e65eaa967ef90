"""Badges, found by their org and by their token."""

from pynamodb.transactions import TransactWrite

from chalicelib.domain.public.badge import Badge
from chalicelib.domain.times import from_ms, to_ms
from chalicelib.store.errors import store_errors
from chalicelib.store.reading import get_or_none
from chalicelib.store.tables import BadgeItem, connection

# The one item under a token.
_ONLY = "badge"


def save_badge(badge: Badge) -> None:
    """Writes a new badge. Raises ConcurrentUpdate where its random token is taken (draw again)."""
    with store_errors(), TransactWrite(connection=connection()) as transaction:
        transaction.save(_item(badge, _under_token(badge.token), _ONLY), BadgeItem.badge_id.does_not_exist())
        transaction.save(_item(badge, badge.org_id, badge.id))


def delete_badge(badge: Badge) -> None:
    with store_errors(), TransactWrite(connection=connection()) as transaction:
        transaction.delete(token_item(badge.token))
        transaction.delete(BadgeItem(badge.org_id, badge.id))


def badges_of_org(org_id: str) -> list[Badge]:
    """All badges of an org, in the order they were made."""
    with store_errors():
        return [_badge(item) for item in BadgeItem.query(org_id, consistent_read=True)]


def find_badge(org_id: str, badge_id: str) -> Badge | None:
    item = get_or_none(BadgeItem, org_id, badge_id)
    return None if item is None else _badge(item)


def find_badge_by_token(token: str) -> Badge | None:
    item = get_or_none(BadgeItem, _under_token(token), _ONLY)
    return None if item is None else _badge(item)


def token_item(token: str) -> BadgeItem:
    """What makes a badge public: without it the token leads nowhere."""
    return BadgeItem(_under_token(token), _ONLY)


def _under_token(token: str) -> str:
    return f"token#{token}"


def _item(badge: Badge, hash_key: str, range_key: str) -> BadgeItem:
    return BadgeItem(
        hash_key,
        range_key,
        of_org=badge.org_id,
        id=badge.id,
        token=badge.token,
        label=badge.label,
        created_at=to_ms(badge.created_at),
        cron_id=badge.cron_id,
        tag=badge.tag,
    )


def _badge(item: BadgeItem) -> Badge:
    return Badge(
        item.of_org, item.id, item.token, item.label, from_ms(int(item.created_at)), item.cron_id, item.tag
    )
