"""Orgs and their API keys."""

import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec import UNSET, UnsetType

from chalicelib.domain import ids
from chalicelib.domain.accounts.api_key import KEY_LENGTH, ApiKey, key_hash, key_text
from chalicelib.domain.accounts.org import RESERVED_SLUGS, Org
from chalicelib.domain.accounts.permissions import Action, Role, Scope
from chalicelib.domain.accounts.report_plan import ReportPlan
from chalicelib.domain.errors import ConcurrentUpdate, Conflict, FieldError, Invalid, NotFound, Unauthenticated
from chalicelib.services import access, clock, keyless_signals, reports
from chalicelib.services.changes import changed
from chalicelib.services.paging import Page, page_of
from chalicelib.services.retries import retry_on_conflict
from chalicelib.store import api_keys, org_deletion, orgs
from chalicelib.store.org_moments import OrgMoment

MOST_KEYS = 100
_TRIES = 4
_SIDE_BY_SIDE = 8
#: Longer than any request lives, and than a key is remembered.
_REQUESTS_END_WITHIN = timedelta(minutes=2)


class OrgChanges(NamedTuple):
    name: str | UnsetType = UNSET
    slug: str | UnsetType = UNSET
    first_contact: bool | UnsetType = UNSET
    keyless_signals: bool | UnsetType = UNSET
    allowed_origins: tuple[str, ...] | UnsetType = UNSET
    report: ReportPlan | UnsetType = UNSET


class NewKey(NamedTuple):
    name: str
    scope: Scope


def create_org(name: str, slug: str, now: datetime) -> Org:
    """Raises Invalid for a reserved slug; Conflict where it is taken."""
    _require_free_word(slug)
    for _ in range(_TRIES):
        org = Org(ids.org_id(secrets.token_bytes(6)), slug, name, now)
        with suppress(ConcurrentUpdate):
            _store_org(org, now)
            return org
    raise Conflict("no free id was found for the organization; please retry")


def _store_org(org: Org, now: datetime) -> None:
    try:
        orgs.create_org(org)
    except orgs.SlugTaken:
        holder = orgs.find_org_by_slug(org.slug)
        if holder is None or not holder.is_abandoned(now):
            raise Conflict(f"the slug {org.slug} is taken") from None
        orgs.replace_abandoned_org(holder, org)


def _require_free_word(slug: str) -> None:
    if slug in RESERVED_SLUGS:
        raise Invalid(FieldError("slug", "is a reserved word"))


def find(key: ApiKey) -> Org:
    """The key's org. Raises NotFound."""
    org = orgs.find_org(key.org_id)
    if org is None:
        raise NotFound("no such organization")
    return org


def allowed_origins(key: ApiKey) -> tuple[str, ...]:
    """Returns the sites whose pages may read what the key's org has."""
    org = orgs.find_org(key.org_id)
    return () if org is None else org.allowed_origins


def org_of_key(slug: str, key: ApiKey) -> Org:
    """The key's org, if this is its slug. Raises NotFound: another org's slug is unknown to it."""
    org = orgs.find_org(key.org_id)
    if org is None or org.slug != slug:
        raise NotFound("no such organization")
    return org


def change_org(slug: str, by: ApiKey, changes: OrgChanges, now: datetime) -> Org:
    """Raises NotFound, Invalid for a reserved slug; Conflict where it is taken.

    The org's crons learn of `keyless_signals` here, as far as there is time, the rest with the coming ticks.
    """

    def once(_maker: ApiKey) -> Org:
        before = org_of_key(slug, by)
        after = changed(before, changes)
        if after.keyless_signals != before.keyless_signals:
            after = after._replace(keyless_changed_at=now, keyless_pending=True)
            keyless_signals.note_change(after.id, now)
        if after.report != before.report:
            after = reports.planned(after, now)
        if after.slug != before.slug:
            _require_free_word(after.slug)
        try:
            orgs.change_org(before, after)
        except orgs.SlugTaken:
            raise Conflict(f"the slug {after.slug} is taken") from None
        return after

    after = access.as_maker(by, Action.ADMIN, once)
    if after.keyless_pending and changes.keyless_signals is not UNSET:
        return after._replace(keyless_pending=not keyless_signals.tell_crons(after.id))
    return after


def delete_org(slug: str, by: ApiKey, budget_seconds: float = 20.0) -> bool:
    """Ends an org: its keys stop at once, then its ping URLs, then all of it goes, the rest with the coming ticks.

    Returns whether all is gone already. Raises NotFound.
    """
    org = org_of_key(slug, by)
    org_deletion.mark(OrgMoment(org.id, clock.now()))
    org_deletion.revoke_keys(org.id)
    api_keys.forget_keys()
    return _remove(org.id, time.monotonic() + budget_seconds)


def go_on_deleting(budget_seconds: float = 10.0) -> None:
    """Goes on with the orgs that were not gone at once, and looks once more when the requests of then are over.

    A function that still knew a key may have registered a cron when all others were gone already.
    """
    until, now = time.monotonic() + budget_seconds, clock.now()
    marked = org_deletion.marked()
    for org_id in marked.leaving:
        _remove(org_id, until)
    for deletion in marked.looked_at_again:
        if now - deletion.at >= _REQUESTS_END_WITHIN and _remove(deletion.org_id, until):
            org_deletion.forget(deletion)


def _remove(org_id: str, until: float) -> bool:
    gone = _close_crons(org_id, until) and org_deletion.remove(org_id, lambda: time.monotonic() < until)
    if gone:
        org_deletion.unmark(org_id)
    return gone


def _close_crons(org_id: str, until: float) -> bool:
    """Ends the signals of all crons of an org before the first of them goes: removing their runs may take long.

    A ping reads the cron alone, so each cron must know. Returns whether all do.
    """
    now = clock.now()

    def close(cron_id: str) -> bool:
        if time.monotonic() >= until:
            return False
        retry_on_conflict(lambda: org_deletion.close_cron(org_id, cron_id, now))
        return True

    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        return all(list(pool.map(close, org_deletion.open_crons(org_id))))


def create_key(slug: str, wanted: NewKey, by: ApiKey | None, now: datetime) -> tuple[ApiKey, str]:
    """Makes a key of an org; returns it and its text, which is kept nowhere.

    The first key of a new org needs no key. Raises Unauthenticated, NotFound, Forbidden.
    """
    text = key_text([secrets.randbelow(62) for _ in range(KEY_LENGTH)])
    if by is None:
        return _claim_first_key(slug, wanted, text, now), text
    org = org_of_key(slug, by)

    def once(maker: ApiKey) -> ApiKey:
        if len(api_keys.keys_of_org(org.id)) >= MOST_KEYS:
            raise Conflict(f"an organization has at most {MOST_KEYS} API keys; revoke some first")
        # What a member makes goes when they go.
        key = _key(org, wanted, now)
        key = key._replace(role=maker.role, member_id=maker.member_id, made_by=maker.id)
        api_keys.create_key(key, key_hash(text), maker)
        return key

    return access.as_maker(by, Action.ADMIN, once), text


def _claim_first_key(slug: str, wanted: NewKey, text: str, now: datetime) -> ApiKey:
    org = orgs.find_org_by_slug(slug)
    if org is None:
        raise NotFound("no such organization")
    key = _key(org, wanted, now)
    if org.lets_claim(now):
        try:
            orgs.claim_first_key(key, key_hash(text))
        except ConcurrentUpdate:
            pass
        else:
            return key
    raise Unauthenticated(
        "send an API key; only the first key of an organization needs none, within a day of its creation"
    )


def _key(org: Org, wanted: NewKey, now: datetime) -> ApiKey:
    return ApiKey(ids.timed_id(now, secrets.token_bytes(10)), org.id, wanted.name, wanted.scope, now)


def list_keys(slug: str, by: ApiKey, page: Page) -> tuple[list[ApiKey], str | None]:
    """Raises NotFound."""
    return page_of(api_keys.keys_of_org(org_of_key(slug, by).id), page)


def delete_key(slug: str, key_id: str, by: ApiKey) -> None:
    """Revokes a key; an owner's only by an owner's. Raises NotFound, Forbidden."""
    org = org_of_key(slug, by)

    def once(maker: ApiKey) -> None:
        found = [key for key in api_keys.keys_of_org(org.id) if key.id == key_id]
        if found and found[0].role is Role.OWNER:
            access.require(maker, Action.OWN)
        if not (found and api_keys.delete_key(org.id, key_id)):
            raise NotFound("no such key")

    access.as_maker(by, Action.ADMIN, once)
