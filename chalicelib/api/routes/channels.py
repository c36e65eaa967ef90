"""Channels: make, list, read, change, remove, try, confirm."""

from typing import Any

from chalice.app import Blueprint, Response

from chalicelib.api.http.json import instant
from chalicelib.api.http.request import Call, body_object
from chalicelib.api.http.route import route
from chalicelib.api.routes.crons import require_cursor
from chalicelib.api.routes.pages import page_file
from chalicelib.api.schemas.fields import load
from chalicelib.api.schemas.shapes import CHANNEL_CHANGES, CONFIRMATION, NEW_CHANNEL, NOTHING, PAGE_QUERY, ROTATION
from chalicelib.domain.accounts.permissions import Action
from chalicelib.domain.alerts.channel import Channel, Filters, masked
from chalicelib.domain.errors import Invalid, NotFound
from chalicelib.domain.ids import is_timed_id
from chalicelib.services import channels
from chalicelib.services.throttle import CONFIRMATIONS

blueprint = Blueprint(__name__)


@route(blueprint, "POST", "/api/channels", action=Action.CHANGE)
def create_channel(call: Call) -> tuple[int, Any]:
    given = _as_channel(load(NEW_CHANNEL, body_object(call.request)))
    channel = channels.create(call.org_id, given, call.now)
    # DisplayStatus this once: it is in no later answer.
    secret = {"secret": channel.secrets[0]} if channel.secrets else {}
    return 201, {**render_channel(channel), **secret}


@route(blueprint, "GET", "/api/channels", action=Action.READ)
def list_channels(call: Call) -> tuple[int, Any]:
    query = load(PAGE_QUERY, call.query)
    cursor = query.get("cursor")
    require_cursor(cursor is None or is_timed_id(cursor))
    found, after = channels.list_channels(call.org_id, query["limit"], cursor)
    return 200, {"channels": [render_channel(one) for one in found], "next_cursor": after}


@route(blueprint, "GET", "/api/channels/confirm", action=None, limit=CONFIRMATIONS)
def confirm_channel(call: Call) -> tuple[int, Any] | Response:
    # A link in a mail is opened by people.
    for_people = "text/html" in str(call.request.headers.get("accept", ""))
    try:
        channels.confirm(load(CONFIRMATION, call.query)["token"], call.now)
    except (Invalid, NotFound):
        if for_people:
            return page_file("not_confirmed.html", 404)
        raise
    return page_file("confirmed.html") if for_people else (200, {"confirmed": True})


@route(blueprint, "GET", "/api/channels/{channel_id}", action=Action.READ)
def read_channel(call: Call, channel_id: str) -> tuple[int, Any]:
    return 200, render_channel(channels.find(call.org_id, channel_id))


@route(blueprint, "PATCH", "/api/channels/{channel_id}", action=Action.CHANGE)
def change_channel(call: Call, channel_id: str) -> tuple[int, Any]:
    given = _as_channel(load(CHANNEL_CHANGES, body_object(call.request)))
    return 200, render_channel(channels.change(call.org_id, channel_id, given, call.now))


@route(blueprint, "DELETE", "/api/channels/{channel_id}", action=Action.CHANGE)
def delete_channel(call: Call, channel_id: str) -> tuple[int, Any]:
    channels.delete(call.org_id, channel_id)
    return 204, None


@route(blueprint, "POST", "/api/channels/{channel_id}/test", action=Action.CHANGE)
def test_channel(call: Call, channel_id: str) -> tuple[int, Any]:
    load(NOTHING, body_object(call.request))
    outcome = channels.test(call.org_id, channel_id, call.now)
    return 200, {
        "delivered": outcome.is_delivered,
        "outcome": outcome.state.value,
        "detail": outcome.detail,
    }


@route(blueprint, "POST", "/api/channels/{channel_id}/rotate-secret", action=Action.CHANGE)
def rotate_secret(call: Call, channel_id: str) -> tuple[int, Any]:
    given = load(ROTATION, body_object(call.request))
    channel, secret = channels.rotate_secret(call.org_id, channel_id, given["drop_old"])
    return 200, {**render_channel(channel), **({"secret": secret} if secret else {})}


def _as_channel(given: dict[str, Any]) -> dict[str, Any]:
    """Checked values as a channel has them: no filters, or null, let everything through."""
    if "filters" not in given:
        return given
    filters = given["filters"] or {}
    return given | {"filters": Filters(**{name: tuple(dict.fromkeys(some)) for name, some in filters.items()})}


def render_channel(channel: Channel) -> dict[str, Any]:
    return {
        "id": channel.id,
        "name": channel.name,
        "kind": channel.kind.value,
        "url": masked(channel.url),
        "filters": {name: list(some) for name, some in channel.filters._asdict().items()},
        "live_secrets": len(channel.secrets),
        "confirmed": channel.confirmed,
        "failing": channel.failing_alerted,
        "failing_since": instant(channel.failing_since),
        "last_error": channel.last_error,
        "last_delivered_at": instant(channel.last_delivered_at),
        "created_at": instant(channel.created_at),
    }
