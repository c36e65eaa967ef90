"""Which store this process works on; moto's, emptied."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends

from chalicelib.services import throttle
from chalicelib.store import api_keys, queue
from chalicelib.store.tables import MODELS, connection

REGION = "eu-west-1"


def empty_tables() -> None:
    for table in dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].tables.values():
        table.items.clear()


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
