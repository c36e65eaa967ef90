"""Which store this process works on, where it is not moto's."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from chalicelib.services import throttle
from chalicelib.store import api_keys, queue
from chalicelib.store.connections import connection
from chalicelib.store.tables import MODELS


@contextmanager
def over(**env: str) -> Iterator[None]:
    """Works on the store that these variables name; its clients are made afresh, before and after."""
    with pytest.MonkeyPatch.context() as patched:
        for name, value in env.items():
            patched.setenv(name, value)
        _forget_clients()
        yield
    _forget_clients()


def _forget_clients() -> None:
    for model in MODELS:
        model._connection = None
    connection.cache_clear()
    queue.client.cache_clear()
    queue.queue_url.cache_clear()
    api_keys.forget_keys()
    throttle.forget()
