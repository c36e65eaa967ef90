"""Channels: make, list, read, change, remove, try, confirm."""

from chalice.app import Response

from chalicelib.api.http.answers import Created, NoContent
from chalicelib.api.http.request import Call
from chalicelib.api.http.route import route
from chalicelib.api.pages.render import page
from chalicelib.api.schemas.channels import (
    ChangeChannel,
    ChannelList,
    ChannelOut,
    Confirmed,
    ConfirmQuery,
    CreateChannel,
    RotateSecret,
    TestChannel,
    TestOutcome,
)
from chalicelib.api.schemas.paging import PageQuery
from chalicelib.domain.accounts.permissions import Action
from chalicelib.services import channels
from chalicelib.services.throttle import CONFIRMATIONS


@route("POST", "/api/channels", action=Action.CHANGE, problems=(409, 429))
def create_channel(call: Call, body: CreateChannel) -> Created[ChannelOut]:
    """Create a channel

    A webhook's answer holds its secret, shown only here. An e-mail address gets a link to confirm; until then
    nothing else is sent to it.
    """
    channel = channels.create(call.org_id, body.channel(), call.now)
    return Created(ChannelOut.of(channel, channel.secrets[0] if channel.secrets else None))


@route("GET", "/api/channels", action=Action.READ)
def list_channels(call: Call, query: PageQuery) -> ChannelList:
    """List the channels"""
    found, after = channels.list_channels(call.org_id, query.page)
    return ChannelList(tuple(ChannelOut.of(one) for one in found), after)


@route("GET", "/api/channels/{channel_id}", action=Action.READ)
def read_channel(call: Call, channel_id: str) -> ChannelOut:
    """Read a channel"""
    return ChannelOut.of(channels.find(call.org_id, channel_id))


@route("PATCH", "/api/channels/{channel_id}", action=Action.CHANGE, problems=(409, 429))
def change_channel(call: Call, channel_id: str, body: ChangeChannel) -> ChannelOut:
    """Change a channel

    A new URL clears its failures.
    """
    return ChannelOut.of(channels.change(call.org_id, channel_id, body.changes(), call.now))


@route("DELETE", "/api/channels/{channel_id}", action=Action.CHANGE)
def delete_channel(call: Call, channel_id: str) -> NoContent:
    """Delete a channel"""
    channels.delete(call.org_id, channel_id)
    return NoContent()


@route("POST", "/api/channels/{channel_id}/test", action=Action.CHANGE, problems=(409, 429))
def test_channel(call: Call, channel_id: str, body: TestChannel) -> TestOutcome:
    """Send a test message"""
    del body  # it takes no fields, and says so of any that is sent
    return TestOutcome.of(channels.test(call.org_id, channel_id, call.now))


@route("POST", "/api/channels/{channel_id}/rotate-secret", action=Action.CHANGE, problems=(409,))
def rotate_secret(call: Call, channel_id: str, body: RotateSecret) -> ChannelOut:
    """Give a webhook a new secret

    The answer holds it, shown only here. The secret before it stays valid until the next one, or until a call
    with `drop_old`.
    """
    channel, secret = channels.rotate_secret(call.org_id, channel_id, body.drop_old)
    return ChannelOut.of(channel, secret)


def _not_confirmed(call: Call) -> Response:
    return page(call, "sign_in/confirmed.html", {"confirmed": False}, 404)


@route(
    "GET", "/api/channels/confirm", public=True, limit=CONFIRMATIONS, problems=(404,), browser_error=_not_confirmed
)
def confirm_channel(call: Call, query: ConfirmQuery) -> Confirmed | Response:
    """Confirm an e-mail address

    The link that is mailed to it. Browsers get a page.
    """
    channels.confirm(query.token, call.now)
    return page(call, "sign_in/confirmed.html", {"confirmed": True}) if call.from_browser else Confirmed()
