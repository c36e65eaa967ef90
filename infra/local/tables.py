"""Makes the tables that the store lacks, and the queues of the embedded one, and ends."""

import socket
import sys
import time
from urllib.parse import urlsplit

from infra.local import chosen_store, older_state, parent_watch
from infra.local.log import say
from infra.local.store.errors import StoreFileError
from infra.local.supervisor import HOPELESS

PATIENCE = 60.0
PAUSE = 0.1


def main(_arguments: list[str]) -> int:
    parent_watch.start_if_supervised()
    endpoint = chosen_store.endpoint()
    if endpoint is not None and not answers(endpoint, PATIENCE):
        say("tables", f"the store at {endpoint} does not answer")
        return 1
    try:
        chosen_store.use()
        make_tables()
        if endpoint is None:
            make_queues()
            older_state.take_over()
    except (StoreFileError, older_state.UnreadableState) as reason:
        say("tables", str(reason))
        return HOPELESS
    return 0


def make_tables() -> None:
    from chalicelib.store.tables import create_tables

    created = create_tables()
    if created:
        say("tables", f"made {', '.join(created)}")


def make_queues() -> None:
    """Before the first signal: an alert that finds no queue waits for the next tick."""
    from chalicelib import settings
    from chalicelib.store.queue import client

    for name in (settings.queue_name(), settings.due_queue_name()):
        client().create_queue(QueueName=name)


def answers(endpoint: str, patience: float) -> bool:
    parts = urlsplit(endpoint)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = (parts.hostname or "localhost", port)
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        try:
            socket.create_connection(address, timeout=5).close()
        except OSError:
            time.sleep(PAUSE)
        else:
            return True
    return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
