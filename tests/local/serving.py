"""A real server over an app, in a thread."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from chalice.app import Chalice

from infra.local.api import Server
from infra.local.api_gateway import Gateway


@contextmanager
def serving(app: Chalice) -> Iterator[int]:
    """The port that it listens on."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(Gateway(app), [listener])
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    yield int(listener.getsockname()[1])
    server.stop()
    thread.join(10)
    assert not thread.is_alive()
