"""Which store this process works on: the embedded one, or moto's (`pytest --store=moto`)."""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.sqs.models import sqs_backends

from chalicelib.services import throttle
from chalicelib.store import api_keys, queue
from chalicelib.store.tables import MODELS, connection
from infra.local.store import Store, install

REGION = "eu-west-1"
# Where there is a file system in memory, no write waits for a disk.
_MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


class _Choice:
    #: None: each test's usual one.
    name: str | None = None
    #: The store in use, while one is.
    embedded: Store | None = None


def choose(name: str | None) -> None:
    _Choice.name = name


@contextmanager
def emulated_aws(usual_store: str) -> Iterator[None]:
    """AWS in this process: all of it is moto's, but the store where it is the embedded one."""
    with mock_aws():
        if (_Choice.name or usual_store) == "moto":
            yield
            return
        with tempfile.TemporaryDirectory(dir=_MEMORY) as folder:
            # Nothing expires: to the tests it is another day than to this machine.
            installed = install(Path(folder) / "state" / "store.db", sweep=False)
            _Choice.embedded = installed.store
            try:
                yield
            finally:
                _Choice.embedded = None
                installed.uninstall()


def empty_tables() -> None:
    if _Choice.embedded is not None:
        _delete("items", "entries", "messages")
        return
    for table in dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].tables.values():
        table.items.clear()


def delete_queues() -> None:
    if _Choice.embedded is not None:
        _delete("messages", "queues")
    sqs_backends[DEFAULT_ACCOUNT_ID][REGION].reset()


def _execute(statement: str, connection: sqlite3.Connection) -> None:
    connection.execute(statement)


def _delete(*tables: str) -> None:
    assert _Choice.embedded is not None
    for statement in [f"DELETE FROM {table}" for table in tables]:
        _Choice.embedded.file.write(partial(_execute, statement))


@contextmanager
def over(**env: str) -> Iterator[None]:
    """Works on the store that these variables name; its clients are made afresh, before and after."""
    with pytest.MonkeyPatch.context() as patched:
        for name, value in env.items():
            patched.setenv(name, value)
        _forget_clients()
        yield
    _forget_clients()


@contextmanager
def embedded_at(file: Path) -> Iterator[None]:
    """Works on an embedded store that other processes use as well."""
    installed = install(file, sweep=False)
    _forget_clients()
    try:
        yield
    finally:
        installed.uninstall()
        _forget_clients()


def _forget_clients() -> None:
    for model in MODELS:
        model._connection = None
    connection.cache_clear()
    queue.client.cache_clear()
    queue.queue_url.cache_clear()
    api_keys.forget_keys()
    throttle.forget()
