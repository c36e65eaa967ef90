"""One-time links: a browser that is signed in lets another device in, without its key."""

import secrets
from datetime import datetime
from typing import NamedTuple

from chalicelib import settings
from chalicelib.domain.accounts.one_time_link import OneTimeLink, place_of, token_text
from chalicelib.domain.accounts.org import Org
from chalicelib.domain.accounts.session import NamedSession, Session, cookie_hash
from chalicelib.domain.errors import Gone
from chalicelib.services import orgs
from chalicelib.services.retries import retry_on_conflict
from chalicelib.services.sessions import SignedIn, named, new_session
from chalicelib.store import sessions

# 144 random bits.
_SECRET_BYTES = 18


class Seen(NamedTuple):
    """A link that can still be used, as it is shown before it is used."""

    link: OneTimeLink
    #: The session that made it.
    maker: NamedSession
    org: Org


def make(session: Session, now: datetime) -> str:
    """Returns the address of a new link; an earlier one of the same session ends."""
    token = token_text(session.org_id, session.id, secrets.token_urlsafe(_SECRET_BYTES))
    sessions.save_link(OneTimeLink(session.org_id, session.id, cookie_hash(token), now))
    # Behind the # it is in no server's log, and a preview of the link does not send it.
    return f"{settings.base_url()}/signin/once#{token}"


def look(token: str, now: datetime) -> Seen:
    """Raises Gone: unknown, used, expired, or its maker is signed out. Nobody can tell which."""
    place = place_of(token)
    link = sessions.find_link(*place) if place else None
    if link is None or not link.is_opened_by(token, now):
        raise Gone("this link is invalid, was used or has expired")
    session = sessions.find_session(link.org_id, link.session_id)
    maker = None if session is None else named(session, now)
    if maker is None:
        raise Gone("this link is invalid, was used or has expired")
    return Seen(link, maker, orgs.find(maker.key))


def use(token: str, browser: str, now: datetime) -> SignedIn:
    """Uses a link up, and makes a session with its maker's key. Raises Gone."""

    def once() -> SignedIn:
        seen = look(token, now)
        signed_in = new_session(seen.maker.key, browser, now)
        sessions.use_link(seen.link, seen.maker.session, signed_in.session)
        return signed_in

    return retry_on_conflict(once)
