"""Sessions of browsers, under their org."""

from datetime import datetime
from typing import Any

from pynamodb.exceptions import DeleteError, UpdateError

from chalicelib.domain.accounts.session import Session
from chalicelib.domain.times import from_ms, to_ms
from chalicelib.store.errors import is_conflict, is_unmet, store_errors
from chalicelib.store.reading import get_or_none
from chalicelib.store.tables import SessionItem


def save_session(session: Session) -> None:
    item = SessionItem(
        session.org_id,
        session.id,
        token_hash=session.token_hash,
        key_hash=session.key_hash,
        created_at=to_ms(session.created_at),
        last_used_at=to_ms(session.last_used_at),
        browser=session.browser or None,
        expires_at=session.expires_at,
    )
    with store_errors():
        item.save()


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
        return [_session(item) for item in SessionItem.query(org_id, consistent_read=True)]


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
