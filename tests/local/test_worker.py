from chalicelib.store.queue import client
from infra.local.worker import WAIT_SECONDS


def test_an_empty_queue_answers_before_the_client_gives_up() -> None:
    assert client().meta.config.read_timeout >= 2 * WAIT_SECONDS
