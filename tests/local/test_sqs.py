"""The processes that play functions fed by SQS."""

from chalicelib.store import queue
from infra.local.sqs import WAIT_SECONDS


def test_waiting_for_messages_ends_long_before_the_client_gives_up() -> None:
    patience = queue.client().meta.config.read_timeout
    queue.forget()

    assert patience > 2 * WAIT_SECONDS
