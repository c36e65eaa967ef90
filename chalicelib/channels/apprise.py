"""Any of the services that Apprise knows, by its URL for it (appriseit.com/services)."""

import logging
from datetime import datetime
from typing import Any

from chalicelib.channels.message import Message, Outcome, delivered, later, refused
from chalicelib.domain.alerts.channel import Channel, Severity
from chalicelib.outbound import http
from chalicelib.outbound.http import BadTarget, Unresolved
from chalicelib.outbound.sandbox import confined
from chalicelib.outbound.time_limit import Deadline, within

MOST_SECONDS = 20.0
# These would reach the machine that CronHub runs on, not a person.
_LOCAL = frozenset({"blink1", "dbus", "gio", "glib", "gnome", "kde", "macosx", "qt", "syslog", "windows"})
# Parameters that name files, or further URLs to fetch them from.
_FILES = frozenset({"attach", "config", "keyfile", "pgpkey", "pgp", "subfile", "template"})
_TYPES = {Severity.CRITICAL: "failure", Severity.WARNING: "warning", Severity.INFO: "info"}


def check(url: str) -> None:
    """Raises BadTarget where Apprise does not take the URL, or where it leads is not public."""
    with confined() as found:
        service = _service(url)
    if found:
        raise BadTarget(found[0])
    within(http.MOST_SECONDS, lambda _: _require_public(service))


def deliver(channel: Channel, message: Message, now: datetime) -> Outcome:
    try:
        return within(MOST_SECONDS, lambda deadline: _deliver(channel, message, now, deadline))
    except TimeoutError as error:
        return later(f"no answer in time: {error}")
    except Unresolved as error:
        return later(f"the URL {error}")
    except BadTarget as error:
        return refused(f"the URL {error}")


def _deliver(channel: Channel, message: Message, now: datetime, deadline: Deadline) -> Outcome:
    from apprise import Apprise

    from chalicelib.outbound.short_answers import short_answers

    with confined(deadline) as found, short_answers() as failures:
        service = _service(channel.url)
        _require_public(service)
        apprise = Apprise(asset=_asset())
        apprise.add(service)
        result = apprise.notify(
            body=message.text,
            title=message.title,
            notify_type=_TYPES[message.severity],
            body_format="text",
        )
        said = "; ".join(entry.message for entry in result.logs())
    if result:
        return delivered()
    if found:
        return refused(f"the URL {found[0]}")
    if deadline.is_over:
        raise TimeoutError(f"it took longer than {MOST_SECONDS:g} s")
    waits = [http.wait_seconds(headers, now) or 0 for headers in failures]
    return later(said or "Apprise could not send it, and does not say why", max(waits, default=0) or None)


def _service(url: str) -> Any:
    """Apprise's object for a URL. Raises BadTarget."""
    from apprise import Apprise
    from apprise.url import URLBase

    # Its lines would go to our log, some with parts of the URL: we take them from its result.
    logging.getLogger("apprise").propagate = False
    schema = url.partition("://")[0].strip().lower()
    if schema in _LOCAL:
        raise BadTarget(f"is of a kind ({schema}://) that does not leave this machine")
    parse: Any = URLBase.parse_url
    try:
        service: Any = Apprise.instantiate(url, asset=_asset())
        asked = {name.lower() for name in (parse(url, verify_host=False) or {}).get("qsd", {})}
    except (ValueError, TypeError, AttributeError, LookupError):
        # Some of its services stumble over what they do not expect.
        service = None
    if service is None:
        raise BadTarget("is not one that Apprise takes: see appriseit.com/services for their forms")
    if asked & _FILES:
        raise BadTarget(f"holds {', '.join(sorted(asked & _FILES))}: no files are sent or read here")
    return service


def _asset() -> Any:
    from apprise import AppriseAsset

    # No async and no time limit of its own: Apprise would start a thread, which is outside the sandbox.
    return AppriseAsset(
        async_mode=False,
        service_timeout=0,
        storage_mode="memory",
        secure_logging=True,
        allow_templates=False,
    )


def _require_public(service: Any) -> None:
    """Raises BadTarget. Services at addresses of their own name no host; of mail, it is where it is
    handed in."""
    named = "{host}" in " ".join(getattr(service, "templates", ()))
    host = getattr(service, "smtp_host", None) or (named and getattr(service, "host", None))
    if host:
        http.addresses_of(str(host), 0)
