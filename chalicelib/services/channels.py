"""Channels as people handle them: made, tried, confirmed, changed."""

import hmac
import secrets
from datetime import datetime, timedelta
from threading import BoundedSemaphore
from typing import NamedTuple

from msgspec import UNSET, UnsetType

from chalicelib import settings
from chalicelib.channels.message import Message, Outcome
from chalicelib.channels.send import deliver, why_not
from chalicelib.domain.alerts.channel import Channel, ChannelFilters, ChannelKind, Severity, rotated, token_hash
from chalicelib.domain.errors import Conflict, FieldError, Invalid, NotFound, Throttled
from chalicelib.domain.ids import is_timed_id, timed_id
from chalicelib.domain.times import iso_utc
from chalicelib.outbound import mail
from chalicelib.services import projects
from chalicelib.services.changes import changed
from chalicelib.services.paging import Page, page_of
from chalicelib.services.retries import retry_on_conflict
from chalicelib.services.throttle import CONFIRMATIONS_OF_ORG, CONFIRMATIONS_TO_ADDRESS, TESTS, throttle
from chalicelib.store import channels, orgs

MOST_CHANNELS = 50
CONFIRM_WITHIN = timedelta(days=7)
_TRY_AGAIN_SECONDS = 5
# A quarter of the threads that one process has for requests.
_testing = BoundedSemaphore(2)


class NewChannel(NamedTuple):
    name: str
    kind: ChannelKind
    url: str
    filters: ChannelFilters = ChannelFilters()


class ChannelChanges(NamedTuple):
    name: str | UnsetType = UNSET
    url: str | UnsetType = UNSET
    filters: ChannelFilters | UnsetType = UNSET


def create(org_id: str, given: NewChannel, now: datetime) -> Channel:
    """Raises Invalid; Conflict where the org has 50 channels.

    A webhook gets its secret, the owner of an e-mail address a link to agree.
    """
    channel_id = timed_id(now, secrets.token_bytes(10))
    channel = Channel(org_id, channel_id, given.name, given.kind, given.url, now, filters=given.filters)
    _require_target(channel)
    _require_projects(channel)
    if len(channels.channels_of_org(org_id)) >= MOST_CHANNELS:
        raise Conflict(f"an organization has at most {MOST_CHANNELS} channels; delete some first")
    if channel.kind is ChannelKind.WEBHOOK:
        channel = rotated(channel, _new_secret())
    if channel.kind is ChannelKind.EMAIL:
        return _ask_to_confirm(channel, now)
    return channels.save_channel(channel)


def list_channels(org_id: str, page: Page) -> tuple[list[Channel], str | None]:
    """A page of channels, oldest first; and the next page's cursor, None at the end."""
    return page_of(channels.channels_of_org(org_id), page)


def find(org_id: str, channel_id: str) -> Channel:
    """Raises NotFound."""
    channel = channels.find_channel(org_id, channel_id) if is_timed_id(channel_id) else None
    if channel is None:
        raise NotFound("no such channel")
    return channel


def change(org_id: str, channel_id: str, given: ChannelChanges, now: datetime) -> Channel:
    """Changes what is given; with a new URL it starts afresh. Raises NotFound, Invalid.

    Giving the address of an e-mail channel that is not confirmed sends a new link.
    """

    def once() -> Channel:
        before = find(org_id, channel_id)
        channel = changed(before, given)
        if given.filters is not UNSET:
            _require_projects(channel)
        if given.url is not UNSET:
            _require_target(channel)
            moved = channel.url != before.url
            if channel.kind is ChannelKind.EMAIL and (moved or not before.confirmed):
                return _ask_to_confirm(channel, now)
            return channels.save_channel(channel, afresh=moved)
        return channels.save_channel(channel)

    return retry_on_conflict(once)


def delete(org_id: str, channel_id: str) -> None:
    """Raises NotFound."""
    if not (is_timed_id(channel_id) and channels.delete_channel(org_id, channel_id)):
        raise NotFound("no such channel")


def rotate_secret(org_id: str, channel_id: str, drop_old: bool) -> tuple[Channel, str | None]:
    """Makes a new secret for a webhook and returns it; with `drop_old`, ends the old one instead.

    The secret before it stays good beside it until the next one, so that the receiver can change in its
    own time. Raises NotFound, Conflict.
    """

    def once() -> tuple[Channel, str | None]:
        channel = find(org_id, channel_id)
        if channel.kind is not ChannelKind.WEBHOOK:
            raise Conflict("only webhooks have a secret")
        if drop_old:
            return channels.save_channel(channel._replace(secrets=channel.secrets[:1])), None
        secret = _new_secret()
        return channels.save_channel(rotated(channel, secret)), secret

    return retry_on_conflict(once)


def test(org_id: str, channel_id: str, now: datetime) -> Outcome:
    """Sends a test message. Raises NotFound; Conflict where its owner did not agree yet; Throttled."""
    channel = find(org_id, channel_id)
    throttle(TESTS, org_id, now)
    if not channel.confirmed:
        raise Conflict("the address is not confirmed yet; open the link that was mailed to it")
    # Each may take as long as its receiver likes to; the other requests are not to wait for that.
    if not _testing.acquire(blocking=False):
        raise Throttled("other channels are being tested just now", _TRY_AGAIN_SECONDS)
    try:
        outcome = deliver(channel, _test_message(channel, now), now)
    finally:
        _testing.release()
    note(channel, outcome, now)
    return outcome


def note(channel: Channel, outcome: Outcome, now: datetime) -> None:
    """Keeps how a delivery went."""
    if outcome.is_delivered:
        channels.note_delivered(channel.org_id, channel.id, now)
    else:
        channels.note_failed(channel.org_id, channel.id, now, outcome.detail)


def _test_message(channel: Channel, now: datetime) -> Message:
    title = f"[TEST] {channel.name}"
    text = "This is a test of a CronHub channel.\nAlerts will come this way, and look like this."
    event = {
        "type": "channel.test",
        "timestamp": iso_utc(now),
        "data": {"kind": "test", "severity": "info", "title": title, "text": text, "channel_id": channel.id},
    }
    return Message(timed_id(now, secrets.token_bytes(10)), "test", Severity.INFO, title, text, event, now)


def _ask_to_confirm(channel: Channel, now: datetime) -> Channel:
    """Saves a channel as not confirmed, and mails a link to its address. Raises Throttled."""
    throttle(CONFIRMATIONS_OF_ORG, channel.org_id, now)
    throttle(CONFIRMATIONS_TO_ADDRESS, channel.url.lower(), now)
    token = f"{channel.org_id}.{channel.id}.{secrets.token_urlsafe(32)}"
    unconfirmed = channel._replace(
        confirmed=False, confirmation=token_hash(token), confirm_by=now + CONFIRM_WITHIN
    )
    saved = channels.save_channel(unconfirmed, afresh=True)
    # To this address nothing else goes before its owner agrees, so it is let through here alone.
    outcome = deliver(saved._replace(confirmed=True), _confirmation(saved, token, now), now)
    if outcome.is_delivered:
        return saved
    channels.note_failed(saved.org_id, saved.id, now, outcome.detail)
    return saved._replace(failing_since=now, last_error=outcome.detail)


def _confirmation(channel: Channel, token: str, now: datetime) -> Message:
    org = orgs.find_org(channel.org_id)
    # Of the org only its slug: a name could be made to say anything, to anybody.
    text = (
        f"Somebody of the organization {org.slug if org else channel.org_id} wants CronHub to send alerts about "
        f"scheduled jobs to this address.\n\nTo agree, open this link within {CONFIRM_WITHIN.days} days:\n"
        f"{settings.base_url()}/api/channels/confirm?token={token}\n\n"
        "If you know nothing of it, do nothing: no alerts will be sent to you."
    )
    title = "Confirm this address for CronHub's alerts"
    return Message(timed_id(now, secrets.token_bytes(10)), "confirmation", Severity.INFO, title, text, {}, now)


def confirm(token: str, now: datetime) -> None:
    """That the owner of an address agrees. Good again and again: programs open links before people do.

    Raises NotFound.
    """

    def once() -> None:
        channel = _channel_of(token, now)
        if not channel.confirmed:
            channels.save_channel(channel._replace(confirmed=True), afresh=True)

    retry_on_conflict(once)


def _channel_of(token: str, now: datetime) -> Channel:
    org_id, _, rest = token.partition(".")
    channel_id = rest.partition(".")[0]
    known = is_timed_id(channel_id) and len(org_id) == 12
    channel = channels.find_channel(org_id, channel_id) if known else None
    good = (
        channel is not None
        and channel.confirm_by is not None
        and now <= channel.confirm_by
        and hmac.compare_digest(channel.confirmation or "", token_hash(token))
    )
    if channel is None or not good:
        raise NotFound("this link is invalid or has expired; request a new one")
    return channel


def _require_target(channel: Channel) -> None:
    """Raises Invalid."""
    if channel.kind is ChannelKind.EMAIL and not mail.is_set():
        raise Invalid(FieldError("kind", "this deployment sends no mail (CRONHUB_MAIL is not set)"))
    why = why_not(channel.kind, channel.url)
    if why is not None:
        raise Invalid(FieldError("url", why))


def _require_projects(channel: Channel) -> None:
    """Raises Invalid."""
    named = enumerate(channel.filters.project_ids)
    projects.require(channel.org_id, ((f"filters.project_ids[{place}]", one) for place, one in named))


def _new_secret() -> str:
    from chalicelib.channels.webhook import new_secret

    return new_secret(secrets.token_bytes(32))
