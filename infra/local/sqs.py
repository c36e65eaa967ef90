"""A function that SQS feeds on AWS, played by a process."""

import logging
import signal
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, TypeVar

from infra.local import chosen_store, parent_watch
from infra.local.log import say, use_as_logging_format
from infra.local.stop_signal import StopSignal

# Well within what the client waits for an answer: one that comes too late hides its messages for a minute.
WAIT_SECONDS = 2
CLAIM_SECONDS = 60
# As the queues on AWS have it.
MOST_TRIES = 5
PAUSE = 1.0
# Of what is at work when it is asked to stop.
ENDS_WITHIN_SECONDS = 5.0

T = TypeVar("T")

log = logging.getLogger(__name__)


# Works on messages, and returns the places of those that failed: as the function on AWS answers them.
Receive = Callable[[list[str]], list[int]]


class Function(NamedTuple):
    """A function as its process plays it."""

    receive: Receive
    #: Batches of messages at a time.
    workers: int = 1
    #: Done every second where the store's stack has no queues.
    otherwise: Callable[[], object] | None = None


def serve(part: str, queue_name: str, function: Function) -> None:
    """Passes the messages of a queue to a function until asked to stop."""
    parent_watch.start_if_supervised()
    use_as_logging_format(part)
    chosen_store.use()
    stop = StopSignal(signal.SIGTERM)
    queue = _find_queue(queue_name)
    if queue is not None:
        feed(queue, function, stop)
        return
    if function.otherwise is not None:
        say(part, "the store's stack has no queue: looking every second")
    while not stop.received:
        if function.otherwise is not None:
            _try(function.otherwise)
        stop.wait(PAUSE)


class Stop(Protocol):
    @property
    def received(self) -> bool: ...

    def wait(self, seconds: float) -> object: ...


def feed(queue: str, function: Function, stop: Stop) -> None:
    """Has each batch of messages worked on in a thread of its own: one that hangs holds up no other."""
    free = threading.Semaphore(function.workers)
    at_work: set[threading.Thread] = set()

    def work(messages: list[Any]) -> None:
        try:
            _try(lambda: _work_on(queue, messages, function.receive))
        finally:
            free.release()

    while not stop.received:
        at_work = {thread for thread in at_work if thread.is_alive()}
        if not free.acquire(timeout=PAUSE):
            continue
        messages = _try(lambda: _take(queue))
        if not messages:
            free.release()
            if messages is None:
                stop.wait(PAUSE)
            continue
        thread = threading.Thread(target=work, args=(messages,), daemon=True)
        at_work.add(thread)
        thread.start()
    until = time.monotonic() + ENDS_WITHIN_SECONDS
    for thread in at_work:
        thread.join(max(0.0, until - time.monotonic()))


def _try(act: Callable[[], T]) -> T | None:
    try:
        return act()
    except Exception:
        log.exception("failed; going on")
        return None


def _find_queue(name: str) -> str | None:
    from chalicelib.store.queue import client

    try:
        made = client().create_queue(QueueName=name)
    except Exception:
        return None
    return str(made["QueueUrl"])


def _take(queue: str) -> list[Any]:
    from chalicelib.store.queue import client

    answer: dict[str, Any] = client().receive_message(
        QueueUrl=queue,
        MaxNumberOfMessages=10,
        WaitTimeSeconds=WAIT_SECONDS,
        VisibilityTimeout=CLAIM_SECONDS,
        AttributeNames=["ApproximateReceiveCount"],
    )
    return list(answer.get("Messages", []))


def _work_on(queue: str, messages: list[Any], receive: Receive) -> None:
    from chalicelib.store.queue import client

    failed = set(receive([message["Body"] for message in messages]))
    done = []
    for place, message in enumerate(messages):
        if place in failed and int(message["Attributes"]["ApproximateReceiveCount"]) < MOST_TRIES:
            continue
        if place in failed:
            log.warning("a message that failed %d times was dropped", MOST_TRIES)
        done.append({"Id": str(place), "ReceiptHandle": message["ReceiptHandle"]})
    if done:
        client().delete_message_batch(QueueUrl=queue, Entries=done)
