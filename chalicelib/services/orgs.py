"""Orgs and their API keys."""

import secrets
from datetime import datetime

from chalicelib.domain import ids
from chalicelib.domain.access import Action, Role, Scope
from chalicelib.domain.errors import Conflict, NotFound, Unauthenticated
from chalicelib.domain.org import KEY_LENGTH, ApiKey, Org, key_hash, key_text
from chalicelib.services import access
from chalicelib.store import api_keys, orgs
from chalicelib.store.faults import LostRace

_TRIES = 4


def create_org(name: str, slug: str, now: datetime) -> Org:
    """Raises Conflict where the slug is taken."""
    for _ in range(_TRIES):
        org = Org(ids.org_id(secrets.token_bytes(6)), slug, name, now)
        try:
            orgs.create_org(org)
        except orgs.SlugTaken:
            raise Conflict(f"the slug {slug} is taken") from None
        except LostRace:
            continue
        return org
    raise Conflict("no free reference was found for the org; try again")


def org_of_key(slug: str, key: ApiKey) -> Org:
    """The key's org, if this is its slug. Raises NotFound: another org's slug is unknown to it."""
    org = orgs.find_org(key.org_id)
    if org is None or org.slug != slug:
        raise NotFound("no such org")
    return org


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
    key = _key(org, name, scope, now, by.role)
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
        except LostRace:
            pass
        else:
            return key
    raise Unauthenticated("only an org's first key can be had without a key, within an hour of the org's creation")


def _key(org: Org, name: str, scope: Scope, now: datetime, role: Role = Role.OWNER) -> ApiKey:
    return ApiKey(ids.timed_id(now, secrets.token_bytes(10)), org.id, name, scope, now, role)


def delete_key(slug: str, key_id: str, by: ApiKey) -> None:
    """Revokes a key. Raises NotFound."""
    org = org_of_key(slug, by)
    if not api_keys.delete_key(org.id, key_id):
        raise NotFound("no such key")
