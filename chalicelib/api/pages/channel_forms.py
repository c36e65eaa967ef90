"""A form for each of the services that people ask for most, and what it means as a channel's URL."""

from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from chalicelib.api.pages.form import Form
from chalicelib.domain.alerts.channel import ChannelKind
from chalicelib.domain.errors import FieldError, Invalid


class Part(NamedTuple):
    """A field of a service's form."""

    name: str
    label: str
    placeholder: str = ""
    secret: bool = False
    optional: bool = False


class ServiceForm(NamedTuple):
    id: str
    label: str
    kind: ChannelKind
    parts: tuple[Part, ...]
    #: The channel's URL of what was typed.
    url: Callable[[dict[str, str]], str]
    hint: str = ""


def _path(*parts: str) -> str:
    return "/".join(quote(part, safe="") for part in parts if part)


def _hook(scheme: str, marker: str) -> Callable[[dict[str, str]], str]:
    """A webhook's address, as the service shows it, as an Apprise URL."""

    def url(typed: dict[str, str]) -> str:
        address = urlsplit(typed["hook"])
        rest = address.path.partition(marker)[2].strip("/")
        if address.scheme != "https" or not rest:
            raise Invalid(FieldError("hook", "must be the webhook's address as the service shows it"))
        return f"{scheme}://{rest}"

    return url


def _telegram(typed: dict[str, str]) -> str:
    return f"tgram://{quote(typed['token'], safe=':')}/{_path(typed['chat'])}"


def _pushover(typed: dict[str, str]) -> str:
    return f"pover://{_path(typed['user'])}@{_path(typed['token'])}"


def _ntfy(typed: dict[str, str]) -> str:
    server = typed["server"].removeprefix("https://").strip("/") or "ntfy.sh"
    return f"ntfys://{server}/{_path(typed['topic'])}"


def _teams(typed: dict[str, str]) -> str:
    address = typed["hook"]
    if not address.startswith("https://") or "/workflows/" not in address:
        raise Invalid(FieldError("hook", "must be the webhook's address as the service shows it"))
    return address


def _plain(name: str) -> Callable[[dict[str, str]], str]:
    return lambda typed: typed[name]


def _pagerduty(typed: dict[str, str]) -> str:
    return f"pagerduty://{_path(typed['integration'])}@{_path(typed['token'] or 'cronhub')}"


def _opsgenie(typed: dict[str, str]) -> str:
    return f"opsgenie://{_path(typed['token'])}/"


_HOOK = Part("hook", "Webhook address", "https://…", secret=True)
_TOKEN = Part("token", "API token", secret=True)

#: In the order they are offered in.
SERVICES: tuple[ServiceForm, ...] = (
    ServiceForm(
        "email",
        "E-mail",
        ChannelKind.EMAIL,
        (Part("address", "E-mail address", "ops@example.com"),),
        _plain("address"),
        "The owner of the address gets a link to confirm it.",
    ),
    ServiceForm(
        "slack",
        "Slack",
        ChannelKind.APPRISE,
        (Part("hook", "Webhook address", "https://hooks.slack.com/services/…", secret=True),),
        _hook("slack", "/services/"),
        "Create an incoming webhook in Slack, and paste its address.",
    ),
    ServiceForm(
        "discord",
        "Discord",
        ChannelKind.APPRISE,
        (Part("hook", "Webhook address", "https://discord.com/api/webhooks/…", secret=True),),
        _hook("discord", "/webhooks/"),
        "Channel settings, Integrations, Webhooks.",
    ),
    ServiceForm(
        "telegram",
        "Telegram",
        ChannelKind.APPRISE,
        (Part("token", "Bot token", "123456789:AA…", secret=True), Part("chat", "Chat id", "-1001234567890")),
        _telegram,
        "Create a bot with @BotFather, and add it to the chat.",
    ),
    ServiceForm(
        "pagerduty",
        "PagerDuty",
        ChannelKind.APPRISE,
        (
            Part("integration", "Integration key", secret=True),
            Part("token", "API key", secret=True, optional=True),
        ),
        _pagerduty,
        "A service's integration of type Events API v2.",
    ),
    ServiceForm("opsgenie", "Opsgenie", ChannelKind.APPRISE, (_TOKEN,), _opsgenie),
    ServiceForm(
        "pushover",
        "Pushover",
        ChannelKind.APPRISE,
        (Part("user", "User key", secret=True), _TOKEN),
        _pushover,
    ),
    ServiceForm(
        "ntfy",
        "ntfy",
        ChannelKind.APPRISE,
        (Part("topic", "Topic", "my-crons"), Part("server", "Server", "ntfy.sh", optional=True)),
        _ntfy,
    ),
    ServiceForm(
        "teams",
        "Microsoft Teams",
        ChannelKind.APPRISE,
        (_HOOK,),
        _teams,
        "In Teams, add the workflow that posts to a channel when a webhook request is received.",
    ),
    ServiceForm(
        "webhook",
        "Webhook",
        ChannelKind.WEBHOOK,
        (Part("address", "Address", "https://example.com/hook"),),
        _plain("address"),
        "JSON events, signed after Standard Webhooks. The secret is shown once.",
    ),
    ServiceForm(
        "sns",
        "Amazon SNS",
        ChannelKind.SNS,
        (Part("topic", "ARN of the topic", "arn:aws:sns:eu-west-1:123456789012:alerts"),),
        _plain("topic"),
    ),
    ServiceForm(
        "apprise",
        "Another service",
        ChannelKind.APPRISE,
        (Part("url", "Apprise URL", "scheme://…", secret=True),),
        _plain("url"),
        "An Apprise URL reaches over 100 services.",
    ),
)
BY_ID = {one.id: one for one in SERVICES}


def url_of(service: ServiceForm, form: Form) -> str:
    """Raises Invalid, naming what is missing."""
    typed = {part.name: form.text(part.name) for part in service.parts}
    missing = [part.name for part in service.parts if not typed[part.name] and not part.optional]
    if missing:
        raise Invalid(*(FieldError(name, "is required") for name in missing))
    return service.url(typed)
