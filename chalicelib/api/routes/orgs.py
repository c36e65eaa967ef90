"""Orgs and their API keys."""

from typing import Any

from chalice.app import Blueprint

from chalicelib.api.http.paging import asked_page
from chalicelib.api.http.request import Call, body_object
from chalicelib.api.http.route import route
from chalicelib.api.schemas import render
from chalicelib.api.schemas.fields import load
from chalicelib.api.schemas.shapes import NEW_KEY, NEW_ORG, ORG_CHANGES, ORG_DELETION
from chalicelib.domain.accounts.permissions import Action
from chalicelib.domain.errors import FieldError, Invalid
from chalicelib.services import orgs
from chalicelib.services.access import authenticate, require
from chalicelib.services.throttle import CLAIMS, ORGS, network_of, throttle
from chalicelib.store import api_keys

blueprint = Blueprint(__name__)


@route(blueprint, "POST", "/api/orgs", action=None, limit=ORGS)
def create_org(call: Call) -> tuple[int, Any]:
    given = load(NEW_ORG, body_object(call.request))
    return 201, render.org(orgs.create_org(given["name"], given["slug"], call.now))


@route(blueprint, "GET", "/api/orgs/{slug}", action=Action.READ)
def read_org(call: Call, slug: str) -> tuple[int, Any]:
    return 200, render.org(orgs.org_of_key(slug, call.key))


@route(blueprint, "PATCH", "/api/orgs/{slug}", action=Action.ADMIN)
def change_org(call: Call, slug: str) -> tuple[int, Any]:
    given = load(ORG_CHANGES, body_object(call.request))
    return 200, render.org(orgs.change_org(slug, call.key, given))


@route(blueprint, "DELETE", "/api/orgs/{slug}", action=Action.OWN)
def delete_org(call: Call, slug: str) -> tuple[int, Any]:
    """204: all is gone. 202: it goes on by itself; no key works any more."""
    orgs.org_of_key(slug, call.key)
    if load(ORG_DELETION, body_object(call.request))["slug"] != slug:
        raise Invalid(FieldError("slug", "must repeat the slug of the org that is to be deleted"))
    return (204, None) if orgs.delete_org(slug, call.key) else (202, {"status": "deleting"})


@route(blueprint, "POST", "/api/orgs/{slug}/api-keys", action=None)
def create_key(call: Call, slug: str) -> tuple[int, Any]:
    if call.authorization:
        # The right to do this comes first: a stranger learns nothing of what the body should be.
        require(authenticate(call.authorization, call.now, afresh=True), Action.ADMIN)
    else:
        throttle(CLAIMS, network_of(call.address), call.now)
    given = load(NEW_KEY, body_object(call.request))
    key, text = orgs.create_key(slug, given["name"], given["scope"], call.authorization, call.now)
    return 201, {**render.api_key(key), "key": text}


@route(blueprint, "GET", "/api/orgs/{slug}/api-keys", action=Action.ADMIN)
def list_keys(call: Call, slug: str) -> tuple[int, Any]:
    org = orgs.org_of_key(slug, call.key)
    found, after = asked_page(call, api_keys.keys_of_org(org.id))
    return 200, {"api_keys": [render.api_key(key) for key in found], "next_cursor": after}


@route(blueprint, "DELETE", "/api/orgs/{slug}/api-keys/{key_id}", action=Action.ADMIN)
def delete_key(call: Call, slug: str, key_id: str) -> tuple[int, Any]:
    orgs.delete_key(slug, key_id, call.key)
    return 204, None
