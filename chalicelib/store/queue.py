"""The queues: one wakes `notify`, one has a backlog worked off by `evaluate`.

A message on them is a hint: the outbox and the due index are what is true.
"""

import json
import logging
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from chalicelib import settings

log = logging.getLogger("cronhub.queue")

_KEYS_AT_ONCE = 500
_ENTRIES_AT_ONCE = 10
AlertKey = tuple[str, str]


@cache
def client() -> Any:
    import boto3
    from botocore.config import Config

    patience = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 2})
    return boto3.client("sqs", config=patience)


@cache
def queue_url() -> str:
    return settings.queue_url() or _look_up(settings.queue_name())


@cache
def _look_up(name: str) -> str:
    return str(client().get_queue_url(QueueName=name)["QueueUrl"])


def forget() -> None:
    """Forgets what was looked up, as a new function would start."""
    for known in (client, queue_url, _look_up):
        known.cache_clear()


def is_there() -> bool:
    """Whether the queue that wakes `notify` answers."""
    try:
        client().get_queue_attributes(QueueUrl=queue_url(), AttributeNames=["ApproximateNumberOfMessages"])
    except Exception as error:
        log.warning("the queue does not answer (%s)", type(error).__name__)
        return False
    return True


def wake(keys: Iterable[AlertKey]) -> bool:
    """Asks for alerts to be sent now. False where it failed: what is not asked for, the next tick finds."""
    found = list(keys)
    for start in range(0, len(found), _KEYS_AT_ONCE):
        try:
            body = message_of(found[start : start + _KEYS_AT_ONCE])
            client().send_message(QueueUrl=queue_url(), MessageBody=body)
        except Exception as error:
            # Whatever it was: the alert is in the outbox, and the caller's answer must not depend on this.
            log.warning("notify was not woken (%s): the next tick sends what is due", type(error).__name__)
            return False
    return True


def hand_over(shards: Iterable[int]) -> bool:
    """Has the shards of the due index worked off side by side; False where nobody can be asked."""
    entries = [{"Id": str(shard), "MessageBody": json.dumps({"shard": shard})} for shard in shards]
    try:
        for start in range(0, len(entries), _ENTRIES_AT_ONCE):
            url = settings.due_queue_url() or _look_up(settings.due_queue_name())
            answer = client().send_message_batch(QueueUrl=url, Entries=entries[start : start + _ENTRIES_AT_ONCE])
            if answer.get("Failed"):
                return False
    except Exception as error:
        log.warning("nobody takes the backlog over (%s): the tick works it off", type(error).__name__)
        return False
    return True


def shard_of_message(message: str) -> int:
    """Raises ValueError for what is no message of ours."""
    body = json.loads(message)
    shard = body.get("shard") if isinstance(body, dict) else None
    if not isinstance(shard, int):
        raise ValueError("not a message of ours")
    return shard


def message_of(keys: Sequence[AlertKey]) -> str:
    return json.dumps({"alerts": keys}, separators=(",", ":"))


def keys_of(message: str) -> list[AlertKey]:
    """Raises ValueError for what is no message of ours."""
    body = json.loads(message)
    keys = body.get("alerts") if isinstance(body, dict) else None
    if not isinstance(keys, list):
        raise ValueError("not a message of ours")
    return [(str(cron_id), str(alert_id)) for cron_id, alert_id in keys]
