"""A function that SQS feeds on AWS, played by a process."""

import logging
import signal
from collections.abc import Callable
from typing import Any

from infra.local import chosen_store, parent_watch
from infra.local.log import say, use_as_logging_format
from infra.local.stop_signal import StopSignal

# Well within what the client waits for an answer: one that comes too late hides its messages for a minute.
WAIT_SECONDS = 2
CLAIM_SECONDS = 60
PAUSE = 1.0

log = logging.getLogger(__name__)


def serve(
    part: str, queue_name: str, handle: Callable[[str], object], otherwise: Callable[[], object] | None = None
) -> None:
    """Passes each message of a queue to `handle` until asked to stop. Where the store's stack has no queues,
    `otherwise` is done every second, if there is anything to do then."""
    parent_watch.start_if_supervised()
    use_as_logging_format(part)
    chosen_store.use()
    stop = StopSignal(signal.SIGTERM)
    queue = _find_queue(queue_name)
    if queue is None and otherwise is not None:
        say(part, "the store's stack has no queue: looking every second")
    while not stop.received:
        try:
            if queue is not None:
                _take(queue, handle)
            elif otherwise is not None:
                otherwise()
        except Exception:
            log.exception("failed; going on")
            stop.wait(PAUSE)
        if queue is None:
            stop.wait(PAUSE)


def _find_queue(name: str) -> str | None:
    from chalicelib.store.queue import client

    try:
        made = client().create_queue(QueueName=name)
    except Exception:
        return None
    return str(made["QueueUrl"])


def _take(queue: str, handle: Callable[[str], object]) -> None:
    from chalicelib.store.queue import client

    answer: dict[str, Any] = client().receive_message(
        QueueUrl=queue,
        MaxNumberOfMessages=10,
        WaitTimeSeconds=WAIT_SECONDS,
        VisibilityTimeout=CLAIM_SECONDS,
    )
    for message in answer.get("Messages", []):
        try:
            handle(message["Body"])
        except ValueError:
            log.warning("a message of nobody's was dropped")
        client().delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
