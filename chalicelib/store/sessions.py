"""Sessions of browsers and the one-time links that they make, under their org."""

from datetime import datetime
from typing import Any

from pynamodb.exceptions import DeleteError, UpdateError
from pynamodb.transactions import TransactWrite

from chalicelib.domain.accounts.one_time_link import OneTimeLink
from chalicelib.domain.accounts.session import Session
from chalicelib.domain.times import from_ms, to_ms
from chalicelib.store.errors import is_conflict, is_unmet, store_errors
from chalicelib.store.reading import get_or_none
from chalicelib.store.tables import SessionItem, connection

# No session's id sorts behind it.
_LINK = "once#"


def save_session(session: Session) -> None:
    with store_errors():
        _item(session).save()


def _item(session: Session) -> SessionItem:
    return SessionItem(
        session.org_id,
        session.id,
        token_hash=session.token_hash,
        key_hash=session.key_hash,
        created_at=to_ms(session.created_at),
        last_used_at=to_ms(session.last_used_at),
        browser=session.browser or None,
        expires_at=session.expires_at,
    )


def find_session(org_id: str, session_id: str) -> Session | None:
    item = get_or_none(SessionItem, org_id, session_id)
    return None if item is None else _session(item)


def note_use(session: Session, now: datetime) -> None:
    """Moves on when a session was used last; one that ended meanwhile stays ended."""
    used = session._replace(last_used_at=now)
    actions: list[Any] = [
        SessionItem.last_used_at.set(to_ms(now)),
        SessionItem.expires_at.set(used.expires_at),
    ]
    with store_errors():
        try:
            SessionItem(session.org_id, session.id).update(actions, SessionItem.token_hash == session.token_hash)
        except UpdateError as error:
            if not is_conflict(error):
                raise


def delete_session(org_id: str, session_id: str) -> bool:
    """Ends a session; returns False where there is none of this id."""
    with store_errors():
        try:
            SessionItem(org_id, session_id).delete(SessionItem.session_id.exists())
        except DeleteError as error:
            if not is_unmet(error):
                raise
            return False
    return True


def sessions_of_org(org_id: str) -> list[Session]:
    """Oldest first."""
    with store_errors():
        items = SessionItem.query(org_id, SessionItem.session_id < _LINK, consistent_read=True)
        return [_session(item) for item in items]


def _session(item: SessionItem) -> Session:
    return Session(
        item.org_id,
        item.session_id,
        item.token_hash,
        item.key_hash,
        from_ms(int(item.created_at)),
        from_ms(int(item.last_used_at)),
        item.browser or "",
    )


def save_link(link: OneTimeLink) -> None:
    """Writes a link in the place of its session's earlier one."""
    item = SessionItem(
        link.org_id,
        _LINK + link.session_id,
        token_hash=link.token_hash,
        created_at=to_ms(link.created_at),
        last_used_at=to_ms(link.created_at),
        expires_at=link.expires_at,
    )
    with store_errors():
        item.save()


def find_link(org_id: str, session_id: str) -> OneTimeLink | None:
    item = get_or_none(SessionItem, org_id, _LINK + session_id)
    if item is None:
        return None
    return OneTimeLink(org_id, session_id, item.token_hash, from_ms(int(item.created_at)))


def use_link(link: OneTimeLink, maker: Session, session: Session) -> None:
    """Takes a link away and writes the session that it makes.

    Raises ConcurrentUpdate where the link was used, or its maker's session has ended.
    """
    is_kept = SessionItem.token_hash == maker.token_hash
    with store_errors(), TransactWrite(connection=connection()) as transaction:
        transaction.condition_check(SessionItem, maker.org_id, maker.id, condition=is_kept)
        transaction.delete(
            SessionItem(link.org_id, _LINK + link.session_id), SessionItem.token_hash == link.token_hash
        )
        transaction.save(_item(session))
