"""Orgs and their API keys."""

import secrets
import time
from datetime import datetime
from typing import Any

from chalicelib.domain import ids
from chalicelib.domain.accounts.api_key import KEY_LENGTH, ApiKey, key_hash, key_text
from chalicelib.domain.accounts.org import Org
from chalicelib.domain.accounts.permissions import Action, Role, Scope
from chalicelib.domain.errors import Conflict, NotFound, Unauthenticated
from chalicelib.services import access
from chalicelib.services.retries import retry_on_conflict
from chalicelib.store import api_keys, org_deletion, orgs
from chalicelib.store.errors import ConcurrentUpdate

_TRIES = 4


def create_org(name: str, slug: str, now: datetime) -> Org:
    """Raises Conflict where the slug is taken."""
    for _ in range(_TRIES):
        org = Org(ids.org_id(secrets.token_bytes(6)), slug, name, now)
        try:
            orgs.create_org(org)
        except orgs.SlugTaken:
            raise Conflict(f"the slug {slug} is taken") from None
        except ConcurrentUpdate:
            continue
        return org
    raise Conflict("no free reference was found for the org; try again")


def org_of_key(slug: str, key: ApiKey) -> Org:
    """The key's org, if this is its slug. Raises NotFound: another org's slug is unknown to it."""
    org = orgs.find_org(key.org_id)
    if org is None or org.slug != slug:
        raise NotFound("no such org")
    return org


def change_org(slug: str, by: ApiKey, changes: dict[str, Any]) -> Org:
    """Raises NotFound; Conflict where the slug is taken."""

    def once() -> Org:
        before = org_of_key(slug, by)
        after = before._replace(**changes)
        try:
            orgs.change_org(before, after)
        except orgs.SlugTaken:
            raise Conflict(f"the slug {after.slug} is taken") from None
        return after

    return retry_on_conflict(once)


def delete_org(slug: str, by: ApiKey, budget_seconds: float = 20.0) -> bool:
    """Ends an org: its keys stop at once, then all of it goes, the rest with the coming ticks.

    Gives whether all is gone already. Raises NotFound.
    """
    org = org_of_key(slug, by)
    org_deletion.mark(org.id)
    org_deletion.revoke_keys(org.id)
    api_keys.forget_keys()
    return _remove(org.id, time.monotonic() + budget_seconds)


def go_on_deleting(budget_seconds: float = 10.0) -> None:
    """Goes on with the orgs that were not gone at once."""
    until = time.monotonic() + budget_seconds
    for org_id in org_deletion.marked():
        _remove(org_id, until)


def _remove(org_id: str, until: float) -> bool:
    gone = org_deletion.remove(org_id, lambda: time.monotonic() < until)
    if gone:
        org_deletion.unmark(org_id)
    return gone


def create_key(slug: str, name: str, scope: Scope, authorization: str | None, now: datetime) -> tuple[ApiKey, str]:
    """Makes a key of an org; gives it and its text, which is nowhere kept.

    The first key of a new org needs no key. Raises Unauthenticated, NotFound, Forbidden.
    """
    text = key_text([secrets.randbelow(62) for _ in range(KEY_LENGTH)])
    if not authorization:
        return _claim_first_key(slug, name, scope, text, now), text
    by = access.authenticate(authorization, now)
    org = org_of_key(slug, by)
    access.require(by, Action.ADMIN)
    # What a member makes goes when they go.
    key = _key(org, name, scope, now)._replace(role=by.role, member_id=by.member_id)
    api_keys.create_key(key, key_hash(text))
    return key, text


def _claim_first_key(slug: str, name: str, scope: Scope, text: str, now: datetime) -> ApiKey:
    org = orgs.find_org_by_slug(slug)
    if org is None:
        raise NotFound("no such org")
    key = _key(org, name, scope, now)
    if org.lets_claim(now):
        try:
            orgs.claim_first_key(key, key_hash(text))
        except ConcurrentUpdate:
            pass
        else:
            return key
    raise Unauthenticated("only an org's first key can be had without a key, within an hour of the org's creation")


def _key(org: Org, name: str, scope: Scope, now: datetime) -> ApiKey:
    return ApiKey(ids.timed_id(now, secrets.token_bytes(10)), org.id, name, scope, now)


def delete_key(slug: str, key_id: str, by: ApiKey) -> None:
    """Revokes a key; an owner's only by an owner's. Raises NotFound, Forbidden."""
    org = org_of_key(slug, by)
    found = [key for key in api_keys.keys_of_org(org.id) if key.id == key_id]
    if found and found[0].role is Role.OWNER:
        access.require(by, Action.OWN)
    if not (found and api_keys.delete_key(org.id, key_id)):
        raise NotFound("no such key")
