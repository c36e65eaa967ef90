"""The pages of channels: where alerts go."""

from typing import Any

from chalice.app import Response

from chalicelib.api.http.reading import read
from chalicelib.api.pages.channel_forms import BY_ID, SERVICES, ServiceForm, url_of
from chalicelib.api.pages.form import Form
from chalicelib.api.pages.visit import READS, WRITES, Visit, page
from chalicelib.api.pages.words import Words, iso
from chalicelib.api.schemas.channels import ChangeChannel, CreateChannel
from chalicelib.channels.message import Outcome
from chalicelib.domain.accounts.permissions import Action
from chalicelib.domain.alerts.channel import KINDS, Channel, ChannelKind, Severity, masked
from chalicelib.domain.errors import CronHubError, FieldError, Invalid
from chalicelib.services import channels
from chalicelib.services.paging import Page

_FILTERS = ("products", "services", "project_ids", "tags")


@page(READS, "/channels")
def channels_page(visit: Visit) -> Response:
    """The channels of the org"""
    return _list(visit, None)


def _list(visit: Visit, error: CronHubError | None) -> Response:
    words = visit.words
    found, _ = channels.list_channels(visit.org_id, Page(1000))
    asked = visit.form.text("service") or visit.call.query.get("add", "")
    service = BY_ID.get(asked)
    return visit.page(
        "channels/list.html",
        {
            "channels": [_view(words, one) for one in found],
            "services": SERVICES,
            "service": service,
            "values": visit.form.values() or {"name": words._(service.label) if service else ""},
        },
        _of_form(service, error),
    )


def _of_form(service: ServiceForm | None, error: CronHubError | None) -> CronHubError | None:
    """What is wrong with the URL stands beside the field that it is made of."""
    if service is None or not isinstance(error, Invalid):
        return error
    first = service.parts[0].name
    return Invalid(*(one._replace(field=first) if one.field in ("url", "kind") else one for one in error.errors))


def _view(words: Words, channel: Channel) -> dict[str, Any]:
    state, said = _health(words, channel)
    kinds = {ChannelKind.EMAIL: words._("E-mail"), ChannelKind.WEBHOOK: "Webhook", ChannelKind.SNS: "Amazon SNS"}
    return {
        "id": channel.id,
        "name": channel.name,
        "kind": kinds.get(channel.kind, "Apprise"),
        "url": masked(channel.url),
        "state": state,
        "said": said,
        "error": channel.last_error or "",
        "filters": _filters_words(words, channel),
        "delivered_iso": iso(channel.last_delivered_at),
    }


def _health(words: Words, channel: Channel) -> tuple[str, str]:
    if not channel.confirmed:
        return "pending", words._("waits for its owner to confirm")
    if channel.failing_since is not None:
        return "failed", words._("failing for %(span)s", span=words.span(words.now - channel.failing_since))
    if channel.last_delivered_at is None:
        return "new", words._("not used yet")
    return "up", words._("delivered %(ago)s", ago=words.ago(channel.last_delivered_at))


def _filters_words(words: Words, channel: Channel) -> str:
    held = channel.filters
    parts = [*held.products, *held.services, *held.project_ids, *held.tags, *held.kinds, *held.severities]
    return words._("only %(what)s", what=", ".join(parts)) if parts else words._("all alerts")


@page(WRITES, "/channels", action=Action.CHANGE)
def create_channel_page(visit: Visit) -> Response:
    """Creates a channel"""
    service = BY_ID.get(visit.form.text("service"))
    if service is None:
        return visit.to("channels")
    try:
        wanted = read(
            CreateChannel,
            {"name": visit.form.text("name"), "kind": service.kind.value, "url": url_of(service, visit.form)},
        )
        made = channels.create(visit.org_id, wanted.channel(), visit.call.now)
    except CronHubError as error:
        return _list(visit, error)
    if made.secrets:
        return _shown(visit, made, None, secret=made.secrets[0])
    return visit.to(f"channels/{made.id}", "created" if made.confirmed else "confirm")


@page(READS, "/channels/{channel_id}")
def channel_page(visit: Visit, channel_id: str) -> Response:
    """One channel: its health, its filters, a test"""
    return _shown(visit, channels.find(visit.org_id, channel_id), None)


def _shown(
    visit: Visit, channel: Channel, error: CronHubError | None, *, secret: str = "", outcome: Outcome | None = None
) -> Response:
    words = visit.words
    held = channel.filters
    values = {"name": channel.name, **{name: ", ".join(getattr(held, name)) for name in _FILTERS}}
    response = visit.page(
        "channels/channel.html",
        {
            "channel": channel,
            "view": _view(words, channel),
            "values": {**values, **(visit.form.values() if error else {})},
            "kinds": [(kind, kind in held.kinds) for kind in KINDS],
            "severities": [(one.value, one in held.severities) for one in Severity],
            "secret": secret,
            "outcome": outcome,
            "is_webhook": channel.kind is ChannelKind.WEBHOOK,
            "is_email": channel.kind is ChannelKind.EMAIL,
        },
        error,
    )
    if secret:
        response.headers["Cache-Control"] = "no-store"
    return response


@page(WRITES, "/channels/{channel_id}", action=Action.CHANGE)
def change_channel_page(visit: Visit, channel_id: str) -> Response:
    """Changes, tests or deletes a channel"""
    now, form = visit.call.now, visit.form
    try:
        match form.text("do"):
            case "test":
                outcome = channels.test(visit.org_id, channel_id, now)
                return _shown(visit, channels.find(visit.org_id, channel_id), None, outcome=outcome)
            case "delete":
                channels.delete(visit.org_id, channel_id)
                return visit.to("channels", "deleted")
            case "rotate":
                channel, secret = channels.rotate_secret(visit.org_id, channel_id, False)
                return _shown(visit, channel, None, secret=secret or "")
            case "drop":
                channels.rotate_secret(visit.org_id, channel_id, True)
                return visit.to(f"channels/{channel_id}", "saved")
            case "change":
                channels.change(visit.org_id, channel_id, _changes_of(form).changes(), now)
                return visit.to(f"channels/{channel_id}", "saved")
    except CronHubError as error:
        return _shown(visit, channels.find(visit.org_id, channel_id), error)
    return visit.to(f"channels/{channel_id}")


def _changes_of(form: Form) -> ChangeChannel:
    filters: dict[str, Any] = {name: form.words(name) for name in _FILTERS}
    filters |= {"kinds": form.all("kinds"), "severities": form.all("severities")}
    given: dict[str, Any] = {"name": form.text("name"), "filters": filters}
    if form.text("url"):
        given["url"] = form.text("url")
    try:
        return read(ChangeChannel, given)
    except Invalid as error:
        # `filters.tags[0]` is about the field `tags`.
        raise Invalid(
            *(FieldError(one.field.removeprefix("filters."), one.message) for one in error.errors)
        ) from None
