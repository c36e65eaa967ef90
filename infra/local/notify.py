"""The function that sends alerts, fed from its queue as AWS does; without a queue, from the outbox."""

import logging
import signal
import sys
from datetime import UTC, datetime
from typing import Any

from infra.local import leash
from infra.local.log import say, use_as_logging_format
from infra.local.signals import StopSignal

WAIT_SECONDS = 5
CLAIM_SECONDS = 60
PAUSE = 1.0


def main() -> int:
    leash.hold()
    use_as_logging_format("notify")
    stop = StopSignal(signal.SIGTERM)
    queue = find_queue()
    if queue is None:
        say("notify", "the store's stack has no queue: the outbox is looked at every second")
    while not stop.received:
        try:
            from_outbox() if queue is None else from_queue(queue)
        except Exception:
            logging.getLogger(__name__).exception("failed; going on")
            stop.wait(PAUSE)
        if queue is None:
            stop.wait(PAUSE)
    return 0


def find_queue() -> str | None:
    from chalicelib import settings
    from chalicelib.store.queue import client

    try:
        made = client().create_queue(QueueName=settings.queue_name())
    except Exception:
        return None
    return str(made["QueueUrl"])


def from_queue(queue: str) -> None:
    from chalicelib.services.notify import send_alerts
    from chalicelib.store.queue import client, keys_of

    answer: dict[str, Any] = client().receive_message(
        QueueUrl=queue,
        MaxNumberOfMessages=10,
        WaitTimeSeconds=WAIT_SECONDS,
        VisibilityTimeout=CLAIM_SECONDS,
    )
    for message in answer.get("Messages", []):
        try:
            send_alerts(keys_of(message["Body"]))
        except ValueError:
            logging.getLogger(__name__).warning("a message of nobody's was dropped")
        client().delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])


def from_outbox() -> None:
    from chalicelib.services.notify import send_due

    send_due(datetime.now(UTC))


if __name__ == "__main__":
    sys.exit(main())
