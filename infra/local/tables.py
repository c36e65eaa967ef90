"""Wait for the store, make the tables it lacks, and end."""

import os
import socket
import sys
import time
from urllib.parse import urlsplit

from infra.local import parent_watch
from infra.local.log import say

PATIENCE = 60.0
PAUSE = 0.1


def main() -> int:
    parent_watch.start()
    endpoint = os.environ["AWS_ENDPOINT_URL"]
    if not answers(endpoint, PATIENCE):
        say("tables", f"the store at {endpoint} does not answer")
        return 1
    from chalicelib.store.tables import create_tables

    created = create_tables()
    if created:
        say("tables", f"made {', '.join(created)}")
    return 0


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
    sys.exit(main())
