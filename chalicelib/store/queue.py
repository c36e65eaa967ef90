"""The queue that wakes `notify`. A message on it is a hint: the outbox is what is true."""

import json
import logging
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from chalicelib import settings

log = logging.getLogger("cronhub.queue")

_KEYS_AT_ONCE = 500
Key = tuple[str, str]


@cache
def client() -> Any:
    import boto3
    from botocore.config import Config

    patience = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 2})
    return boto3.client("sqs", config=patience)


@cache
def queue_url() -> str:
    return settings.queue_url() or str(client().get_queue_url(QueueName=settings.queue_name())["QueueUrl"])


def wake(keys: Iterable[Key]) -> None:
    """Asks for alerts to be sent now. Never raises: what is not asked for, the next tick finds."""
    found = list(keys)
    for start in range(0, len(found), _KEYS_AT_ONCE):
        try:
            body = message_of(found[start : start + _KEYS_AT_ONCE])
            client().send_message(QueueUrl=queue_url(), MessageBody=body)
        except Exception as error:
            # Whatever it was: the alert is in the outbox, and the caller's answer must not depend on this.
            log.warning("notify was not woken (%s): the next tick sends what is due", type(error).__name__)
            return


def message_of(keys: Sequence[Key]) -> str:
    return json.dumps({"alerts": keys}, separators=(",", ":"))


def keys_of(message: str) -> list[Key]:
    """Raises ValueError for what is no message of ours."""
    body = json.loads(message)
    keys = body.get("alerts") if isinstance(body, dict) else None
    if not isinstance(keys, list):
        raise ValueError("not a message of ours")
    return [(str(cron_id), str(alert_id)) for cron_id, alert_id in keys]
