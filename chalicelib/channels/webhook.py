"""Webhooks: a POST of the event, signed after standardwebhooks.com."""

import base64
import hashlib
import hmac
import json
from datetime import datetime
from http.client import HTTPException

from chalicelib.channels.message import Message, Outcome, delivered, later, refused
from chalicelib.domain.alerts.channel import Channel
from chalicelib.outbound import http
from chalicelib.outbound.http import BadRedirect, BadTarget, HttpAnswer, Unresolved

SECRET_PREFIX = "whsec_"  # noqa: S105 - what they begin with
_GONE = 410


def new_secret(random: bytes) -> str:
    """A signing secret of 24 to 64 random bytes."""
    return SECRET_PREFIX + base64.b64encode(random).decode()


def check(url: str) -> None:
    """Raises BadTarget."""
    http.check_url(url)


def deliver(channel: Channel, message: Message, now: datetime) -> Outcome:
    body = json.dumps(message.event, ensure_ascii=False, separators=(",", ":")).encode()
    try:
        answer = http.post(channel.url, body, _headers(channel, message, body, now))
    except (Unresolved, BadRedirect) as error:
        return later(f"the address {error}")
    except BadTarget as error:
        return refused(f"the address {error}")
    except (OSError, HTTPException) as error:
        return later(_in_words(error))
    return _outcome(answer, now)


def _headers(channel: Channel, message: Message, body: bytes, now: datetime) -> dict[str, str]:
    timestamp = str(int(now.timestamp()))
    signed = f"{message.id}.{timestamp}.".encode() + body
    return {
        "Content-Type": "application/json",
        "User-Agent": "CronHub",
        "X-CronHub-Delivery": message.id,
        "webhook-id": message.id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(_signature(secret, signed) for secret in channel.secrets),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def _outcome(answer: HttpAnswer, now: datetime) -> Outcome:
    said = f"answered {answer.status}: {answer.text}".rstrip(": ")
    if 200 <= answer.status < 300:
        return delivered(said)
    if answer.status == _GONE:
        return refused(said)
    if 300 <= answer.status < 400:
        return later(f"answered {answer.status}, which would lose the message: give the channel where it leads to")
    return later(said, http.wait_seconds(answer.headers, now))


def _in_words(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer in time: {error or 'it took too long'}"
    return f"no answer: {error or type(error).__name__}"
