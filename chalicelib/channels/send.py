"""One delivery on one channel, whatever its kind.

Each kind's module is imported when it is needed: Apprise alone costs a second.
"""

import logging
from datetime import datetime

from chalicelib.channels.message import Message, Outcome, later, refused, told
from chalicelib.domain.alerts.channel import Channel, ChannelKind

log = logging.getLogger("cronhub.channels")


def deliver(channel: Channel, message: Message, now: datetime) -> Outcome:
    """Tries once. Raises nothing, whatever the receiver does."""
    if not channel.confirmed:
        return refused("the address is not confirmed yet: its owner has a link to do so")
    try:
        outcome = _deliver(channel, message, now)
    except Exception as error:
        # Only what and where: the words may hold the URL.
        log.error("a delivery by %s raised %s", channel.kind.value, _where(error))
        outcome = later(f"it could not be sent ({type(error).__name__})")
    return told(outcome, channel)


def _deliver(channel: Channel, message: Message, now: datetime) -> Outcome:
    match channel.kind:
        case ChannelKind.WEBHOOK:
            from chalicelib.channels import webhook

            return webhook.deliver(channel, message, now)
        case ChannelKind.EMAIL:
            from chalicelib.channels import email

            return email.deliver(channel, message)
        case ChannelKind.APPRISE:
            from chalicelib.channels import apprise

            return apprise.deliver(channel, message, now)
        case ChannelKind.SNS:
            from chalicelib.channels import sns

            return sns.deliver(channel, message)


def why_not(kind: ChannelKind, url: str) -> str | None:
    """What keeps a URL of this kind from being sent to, in words; None: nothing is known to."""
    from chalicelib.outbound.http import BadTarget

    try:
        _check(kind, url)
    except BadTarget as error:
        return str(error)
    except TimeoutError:
        return "was not found to lead anywhere in time"
    return None


def _check(kind: ChannelKind, url: str) -> None:
    match kind:
        case ChannelKind.WEBHOOK:
            from chalicelib.channels import webhook

            webhook.check(url)
        case ChannelKind.EMAIL:
            from chalicelib.channels import email

            email.check(url)
        case ChannelKind.APPRISE:
            from chalicelib.channels import apprise

            apprise.check(url)
        case ChannelKind.SNS:
            from chalicelib.channels import sns

            sns.check(url)


def _where(error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "nowhere"
    return f"{type(error).__name__} at {place}"
