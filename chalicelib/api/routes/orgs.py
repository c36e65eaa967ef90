"""Orgs and their API keys."""

from msgspec import UnsetType

from chalicelib.api.http.answers import Accepted, Created, NoContent
from chalicelib.api.http.request import Call
from chalicelib.api.http.route import route
from chalicelib.api.schemas.orgs import (
    ChangeOrg,
    CreateKey,
    CreateOrg,
    DeleteOrg,
    KeyList,
    KeyOut,
    NewKeyOut,
    OrgDeleting,
    OrgOut,
)
from chalicelib.api.schemas.paging import PageQuery
from chalicelib.domain.accounts.permissions import Action
from chalicelib.domain.errors import FieldError, Invalid
from chalicelib.services import orgs
from chalicelib.services.throttle import CLAIMS, ORGS


@route("POST", "/api/orgs", public=True, limit=ORGS, problems=(409,))
def create_org(call: Call, body: CreateOrg) -> Created[OrgOut]:
    """Create an organization"""
    return Created(OrgOut.of(orgs.create_org(body.name, body.slug, call.now)))


@route("GET", "/api/orgs/{slug}", action=Action.READ)
def read_org(call: Call, slug: str) -> OrgOut:
    """Read the organization"""
    return OrgOut.of(orgs.org_of_key(slug, call.key))


@route("PATCH", "/api/orgs/{slug}", action=Action.ADMIN, problems=(409,))
def change_org(call: Call, slug: str, body: ChangeOrg) -> OrgOut:
    """Change the organization's name, slug or settings

    Without `keyless_signals`, ping URLs answer 404 as if they were unknown; jobs then signal with a key.
    """
    origins = body.allowed_origins
    distinct = origins if isinstance(origins, UnsetType) else tuple(dict.fromkeys(origins))
    report = body.report if isinstance(body.report, UnsetType) else body.report.plan()
    changes = orgs.OrgChanges(body.name, body.slug, body.first_contact, body.keyless_signals, distinct, report)
    return OrgOut.of(orgs.change_org(slug, call.key, changes, call.now))


@route("DELETE", "/api/orgs/{slug}", action=Action.OWN)
def delete_org(call: Call, slug: str, body: DeleteOrg) -> NoContent | Accepted[OrgDeleting]:
    """Delete the organization and everything in it

    204 when everything is gone, 202 when the rest is deleted in the background. Either way, no key and no ping
    URL works any more. The slug is free again when everything is gone.
    """
    orgs.org_of_key(slug, call.key)
    if body.slug != slug:
        raise Invalid(FieldError("slug", "must repeat the slug of the organization to delete"))
    return NoContent() if orgs.delete_org(slug, call.key) else Accepted(OrgDeleting())


@route("POST", "/api/orgs/{slug}/api-keys", public=True, action=Action.ADMIN, limit=CLAIMS, problems=(409,))
def create_key(call: Call, slug: str, body: CreateKey) -> Created[NewKeyOut]:
    """Create an API key for an organization (required for authenticated endpoints)

    Without a key, this claims the first key of a new organization, once, within a day of its creation. After
    that it needs a key.
    """
    key, text = orgs.create_key(slug, orgs.NewKey(body.name, body.scope), call.given_key, call.now)
    return Created(NewKeyOut.made(key, text))


@route("GET", "/api/orgs/{slug}/api-keys", action=Action.ADMIN)
def list_keys(call: Call, slug: str, query: PageQuery) -> KeyList:
    """List the API keys"""
    found, after = orgs.list_keys(slug, call.key, query.page)
    return KeyList(tuple(KeyOut.of(key) for key in found), after)


@route("DELETE", "/api/orgs/{slug}/api-keys/{key_id}", action=Action.ADMIN)
def delete_key(call: Call, slug: str, key_id: str) -> NoContent:
    """Revoke an API key

    Only an owner's key can revoke an owner's key.
    """
    orgs.delete_key(slug, key_id, call.key)
    return NoContent()
