"""Signing in: a key is exchanged for a cookie, which is good as long as the key is."""

import secrets
from contextlib import suppress
from datetime import datetime, timedelta
from typing import NamedTuple

from chalicelib.domain import ids
from chalicelib.domain.accounts.api_key import ApiKey, key_hash, looks_like_key
from chalicelib.domain.accounts.permissions import Action, Scope, may
from chalicelib.domain.accounts.session import (
    NamedSession,
    Session,
    cookie_hash,
    cookie_text,
    is_cookie_of,
    place_of,
)
from chalicelib.domain.errors import FieldError, Invalid, NotFound, Unavailable
from chalicelib.services.paging import Page
from chalicelib.store import api_keys, sessions

_MOST_BROWSER = 200
_NOTED_EVERY = timedelta(hours=1)


class SignedIn(NamedTuple):
    """A session that was just made."""

    session: Session
    #: For the browser to keep; it is kept nowhere else.
    cookie: str


def sign_in(key: str, browser: str, now: datetime) -> SignedIn:
    """Exchanges a key for a session. Raises Invalid where it is no good key, or one that may not read."""
    text = key.strip()
    found = api_keys.find_key(key_hash(text), now, afresh=True) if looks_like_key(text) else None
    if found is None:
        raise Invalid(FieldError("key", "is unknown or was revoked"))
    return start(found, browser, now)


def start(key: ApiKey, browser: str, now: datetime) -> SignedIn:
    """Makes a session of a key that is known to be good. Raises Invalid where the key may not read."""
    signed_in = new_session(key, browser, now)
    sessions.save_session(signed_in.session)
    return signed_in


def new_session(key: ApiKey, browser: str, now: datetime) -> SignedIn:
    """A session that the caller saves. Raises Invalid where the key may not read."""
    if not may(key.role, key.scope, Action.READ):
        raise Invalid(FieldError("key", "may only send signals; sign in with a key of scope full or read"))
    session_id = ids.timed_id(now, secrets.token_bytes(10))
    cookie = cookie_text(key.org_id, session_id, secrets.token_urlsafe(32))
    session = Session(
        org_id=key.org_id,
        id=session_id,
        token_hash=cookie_hash(cookie),
        key_hash=key.hashed,
        created_at=now,
        last_used_at=now,
        browser=browser[:_MOST_BROWSER],
    )
    return SignedIn(session, cookie)


def of_cookie(cookie: str, now: datetime) -> NamedSession | None:
    """Returns the session of a cookie; None where it has ended.

    Both the session and its key are read each time: what was ended, revoked or removed is out at once.
    """
    place = place_of(cookie)
    session = sessions.find_session(*place) if place else None
    if session is None or not is_cookie_of(session, cookie):
        return None
    found = named(session, now)
    if found is not None:
        _note_use(session, found.key, now)
    return found


def named(session: Session, now: datetime) -> NamedSession | None:
    """A session with its key; None where it expired, or its key is no longer good."""
    if now >= session.expires_at:
        return None
    key = api_keys.find_key(session.key_hash, now, afresh=True)
    if key is None or key.org_id != session.org_id or not may(key.role, key.scope, Action.READ):
        return None
    return NamedSession(session, key)


def _note_use(session: Session, key: ApiKey, now: datetime) -> None:
    """Records to the hour when a session, and so its key, was last used; never in a request's way."""
    with suppress(Unavailable):
        if now - session.last_used_at >= _NOTED_EVERY:
            sessions.note_use(session, now)
        if key.last_used_at is None or now - key.last_used_at >= _NOTED_EVERY:
            api_keys.note_use(session.key_hash, key, now)


def list_sessions(by: ApiKey, page: Page, now: datetime) -> tuple[list[NamedSession], str | None]:
    """Returns a page of the sessions that a key may end, oldest first, and the next page's cursor.

    An admin's are all of the org; of others those of the same member, or of the key itself.
    """
    keys = dict(api_keys.keys_with_hashes(by.org_id))
    good = (
        NamedSession(session, keys[session.key_hash])
        for session in sessions.sessions_of_org(by.org_id)
        if session.key_hash in keys and now < session.expires_at
    )
    found = [one for one in good if _may_end(by, one)]
    rest = [one for one in found if page.cursor is None or one.session.id > page.cursor]
    after = rest[page.limit - 1].session.id if len(rest) > page.limit else None
    return rest[: page.limit], after


def end(session_id: str, by: ApiKey, now: datetime) -> None:
    """Ends a session. Raises NotFound, also for one that the key may not end."""
    session = sessions.find_session(by.org_id, session_id) if ids.is_timed_id(session_id) else None
    key = None if session is None else api_keys.find_key(session.key_hash, now, afresh=True)
    known = session is not None and key is not None and _may_end(by, NamedSession(session, key))
    if not known or not sessions.delete_session(by.org_id, session_id):
        raise NotFound("no such session")


def sign_out(session: Session) -> None:
    """Ends a session by itself; one that has ended already stays so."""
    sessions.delete_session(session.org_id, session.id)


def _may_end(by: ApiKey, one: NamedSession) -> bool:
    if may(by.role, by.scope, Action.ADMIN):
        return True
    is_own_member = by.member_id is not None and by.member_id == one.key.member_id and by.scope is Scope.FULL
    return is_own_member or by.id == one.key.id
