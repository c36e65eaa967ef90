"""The queues: one wakes `notify`, one has a backlog worked off by `evaluate`.

A message on them is a hint: the outbox and the due index are what is true.
"""

import json
import logging
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from chalicelib import settings
from chalicelib.domain.times import from_ms, to_ms

log = logging.getLogger("cronhub.queue")

_KEYS_AT_ONCE = 500
_ENTRIES_AT_ONCE = 10
# Of all messages of a call together, below the 256 KB that older queues take.
_BYTES_AT_ONCE = 250_000
# The longest that SQS keeps a message back.
LONGEST_DELAY_SECONDS = 900
AlertKey = tuple[str, str]


class Wake(NamedTuple):
    """What a message asks for: that these alerts are sent, over one channel, or over all that want them."""

    keys: list[AlertKey]
    org_id: str = ""
    channel_id: str = ""
    #: How long the queue keeps it back.
    delay_seconds: int = 0

    @property
    def is_of_channel(self) -> bool:
        return bool(self.channel_id)


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


def exists() -> bool:
    """Whether there is a queue at all that wakes `notify`: a deployment without one has the tick send."""
    try:
        return bool(queue_url())
    except Exception:
        return False


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
            body = message_of(Wake(found[start : start + _KEYS_AT_ONCE]))
            client().send_message(QueueUrl=queue_url(), MessageBody=body)
        except Exception as error:
            # Whatever it was: the alert is in the outbox, and the caller's answer must not depend on this.
            log.warning("notify was not woken (%s): the next tick sends what is due", type(error).__name__)
            return False
    return True


def wake_channels(wakes: Iterable[Wake]) -> bool:
    """Asks for alerts to be sent over these channels, each by a message of its own. False where not all could be
    asked for: what is not, the next tick finds."""
    try:
        for entries in _batches(wakes):
            answer = client().send_message_batch(QueueUrl=queue_url(), Entries=entries)
            if answer.get("Failed"):
                log.warning("%d channels were not asked for: the next tick finds them", len(answer["Failed"]))
                return False
    except Exception as error:
        log.warning("notify was not woken (%s): the next tick finds what is due", type(error).__name__)
        return False
    return True


def _batches(wakes: Iterable[Wake]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    size = 0
    for wake in wakes:
        for start in range(0, len(wake.keys), _KEYS_AT_ONCE):
            body = message_of(wake._replace(keys=wake.keys[start : start + _KEYS_AT_ONCE]))
            if batch and (len(batch) == _ENTRIES_AT_ONCE or size + len(body) > _BYTES_AT_ONCE):
                yield batch
                batch, size = [], 0
            batch.append({"Id": str(len(batch)), "MessageBody": body, "DelaySeconds": wake.delay_seconds})
            size += len(body)
    if batch:
        yield batch


class HandedOver(NamedTuple):
    """A shard of the due index that is to be worked off."""

    shard: int
    #: The moment of the tick that handed it over; None in a message of an older release.
    at: datetime | None = None


def hand_over(shards: Iterable[int], at: datetime) -> bool:
    """Has the shards of the due index worked off side by side, all as of one moment; False where nobody can be
    asked."""
    entries = [
        {"Id": str(shard), "MessageBody": json.dumps({"shard": shard, "at": to_ms(at)})} for shard in shards
    ]
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


def handed_over_in(message: str) -> HandedOver:
    """Raises ValueError for what is no message of ours."""
    body = json.loads(message)
    shard, at = (body.get("shard"), body.get("at")) if isinstance(body, dict) else (None, None)
    if not isinstance(shard, int) or not isinstance(at, int | None):
        raise ValueError("not a message of ours")
    return HandedOver(shard, None if at is None else from_ms(at))


def message_of(wake: Wake) -> str:
    named = {"org": wake.org_id, "channel": wake.channel_id} if wake.is_of_channel else {}
    return json.dumps({**named, "alerts": wake.keys}, separators=(",", ":"))


def wake_of(message: str) -> Wake:
    """Raises ValueError for what is no message of ours."""
    body = json.loads(message)
    keys = body.get("alerts") if isinstance(body, dict) else None
    if not isinstance(keys, list) or not all(isinstance(key, list) and len(key) == 2 for key in keys):
        raise ValueError("not a message of ours")
    alerts = [(str(cron_id), str(alert_id)) for cron_id, alert_id in keys]
    return Wake(alerts, str(body.get("org", "")), str(body.get("channel", "")))
