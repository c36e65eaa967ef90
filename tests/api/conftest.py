from collections.abc import Iterator

import pytest
from moto import mock_aws

from chalicelib.services import throttle
from chalicelib.store import api_keys
from chalicelib.store.tables import create_tables
from tests.api.client import Api, Clock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Noon of a Tuesday, until a test says otherwise."""
    return Clock.installed(monkeypatch)


@pytest.fixture
def store(clock: Clock) -> Iterator[None]:
    api_keys.forget_keys()
    throttle.forget()
    with mock_aws():
        create_tables()
        yield


@pytest.fixture
def api(store: None, clock: Clock) -> Iterator[Api]:
    """The API, and a key of scope full of an org of its own."""
    with Api.started() as api:
        api.key = api.new_org("mon-org")
        yield api
