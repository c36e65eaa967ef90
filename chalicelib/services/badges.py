"""Badges: made and revoked by an org's admins, seen by anyone who has the token."""

import secrets
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

from chalicelib.domain.errors import ConcurrentUpdate, Conflict, FieldError, Invalid, NotFound, Unavailable
from chalicelib.domain.ids import is_timed_id, org_of, timed_id
from chalicelib.domain.monitor.display_status import DisplayStatus
from chalicelib.domain.public.badge import (
    TOKEN_BYTES,
    Badge,
    BadgeStatus,
    is_badge_token,
    status_of_cron,
    status_of_many,
)
from chalicelib.services.crons import shown
from chalicelib.services.paging import Page, page_of
from chalicelib.store import badges, crons, orgs

MOST_BADGES = 1000
_TRIES = 4


class NewBadge(NamedTuple):
    """Of a cron, or of a tag, or else of the whole org."""

    cron_id: str | None = None
    tag: str | None = None
    #: None: the name of the cron, the tag or the org.
    label: str | None = None


def create(org_id: str, wanted: NewBadge, now: datetime) -> Badge:
    """Raises Invalid; Conflict where the org has 1,000."""
    if wanted.cron_id is not None and wanted.tag is not None:
        raise Invalid(FieldError("tag", "must not be given together with cron_id"))
    label = wanted.label or _name_of(org_id, wanted)
    if len(badges.badges_of_org(org_id)) >= MOST_BADGES:
        raise Conflict(f"an organization has at most {MOST_BADGES} badges; revoke some first")
    badge_id = timed_id(now, secrets.token_bytes(10))
    for _ in range(_TRIES):
        token = secrets.token_urlsafe(TOKEN_BYTES)
        badge = Badge(org_id, badge_id, token, label, now, wanted.cron_id, wanted.tag)
        with suppress(ConcurrentUpdate):
            badges.save_badge(badge)
            return badge
    raise Unavailable("the badge could not be saved; please retry")


def _name_of(org_id: str, wanted: NewBadge) -> str:
    if wanted.cron_id is not None:
        cron = crons.find_cron(org_id, wanted.cron_id) if org_of(wanted.cron_id) == org_id else None
        if cron is None:
            raise Invalid(FieldError("cron_id", "is not a cron of this organization"))
        return cron.name
    if wanted.tag is not None:
        return wanted.tag
    org = orgs.find_org(org_id)
    if org is None:
        raise NotFound("no such organization")
    return org.name


def list_badges(org_id: str, page: Page) -> tuple[list[Badge], str | None]:
    return page_of(badges.badges_of_org(org_id), page)


def delete(org_id: str, badge_id: str) -> None:
    """Its token leads nowhere from now on. Raises NotFound."""
    found = badges.find_badge(org_id, badge_id) if is_timed_id(badge_id) else None
    if found is None:
        raise NotFound("no such badge")
    badges.delete_badge(found)


class ShownBadge(NamedTuple):
    """What anyone may know."""

    label: str
    status: BadgeStatus


def look(token: str, now: datetime) -> ShownBadge:
    """Returns what a badge says now. Raises NotFound: revoked, or what it showed is gone."""
    badge = badges.find_badge_by_token(token) if is_badge_token(token) else None
    if badge is None:
        raise NotFound("no such badge")
    return ShownBadge(badge.label, _status(badge, now))


def _status(badge: Badge, now: datetime) -> BadgeStatus:
    if badge.cron_id is None:
        return status_of_many(_worst(badge))
    cron = crons.find_cron(badge.org_id, badge.cron_id)
    if cron is None:
        raise NotFound("no such badge")
    return status_of_cron(shown(cron, now).status)


def _worst(badge: Badge) -> tuple[DisplayStatus, ...]:
    """Returns the worst standing there is: the first cron found settles it, however many there are."""
    for status in (DisplayStatus.DOWN, DisplayStatus.LATE):
        if crons.has_standing(badge.org_id, status, badge.tag):
            return (status,)
    return ()
