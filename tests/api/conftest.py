from collections.abc import Iterator
from typing import Any

import pytest
from botocore.client import BaseClient
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends
from moto.sns.models import sns_backends

from chalicelib.services import public_page, throttle, tick
from chalicelib.store import api_keys, queue
from chalicelib.store.tables import create_tables
from tests.api.browser import Browser
from tests.api.client import Api, Clock
from tests.api.sqs import Queue
from tests.channels.receivers import Receiver, receiver
from tests.stores import REGION, delete_queues, empty_tables, emulated_aws

Call = tuple[str, dict[str, Any]]


class Calls(list[Call]):
    @property
    def names(self) -> list[str]:
        return [name for name, _ in self]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Every call of the store from now on; empty it with `clear`."""
    made = Calls()
    real = BaseClient._make_api_call  # type: ignore[attr-defined]

    def count(client: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        if client.meta.service_model.service_name == "dynamodb":
            made.append((operation, parameters))
        return real(client, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", count)
    return made


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Noon of a Tuesday, until a test says otherwise."""
    return Clock.installed(monkeypatch)


@pytest.fixture(scope="module")
def tables(request: pytest.FixtureRequest) -> Iterator[None]:
    # The embedded store answers six times faster than moto, and refuses more.
    with emulated_aws(getattr(request.module, "USUAL_STORE", "embedded")):
        create_tables()
        yield


@pytest.fixture
def store(tables: None, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty one. To empty the tables takes a hundredth of what it takes to make them."""
    # However slow the machine is, no tick of a test runs out of time.
    monkeypatch.setattr(tick, "BUDGET_SECONDS", 3600.0)
    api_keys.forget_keys()
    throttle.forget()
    public_page.forget()
    empty_tables()
    delete_queues()
    for backends in (sns_backends, ses_backends):
        backends[DEFAULT_ACCOUNT_ID][REGION].reset()


@pytest.fixture
def api(store: None, clock: Clock) -> Iterator[Api]:
    """The API, and a key of scope full of an org of its own."""
    with Api.started() as api:
        api.key = api.new_org("mon-org")
        yield api


@pytest.fixture
def browser(api: Api) -> Browser:
    """A browser that is signed in with the key of the API."""
    one = Browser(api)
    assert one.sign_in(api.key).status == 200
    return one


@pytest.fixture
def sqs(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Queue]:
    queue.forget()
    made = Queue(clock)
    monkeypatch.setattr(queue, "client", lambda: made)
    yield made
    queue.queue_url.cache_clear()
    queue._look_up.cache_clear()


@pytest.fixture
def private_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The receivers of the tests are on this machine."""
    monkeypatch.setenv("CRONHUB_ALLOW_PRIVATE_TARGETS", "1")


@pytest.fixture
def hook(private_allowed: None) -> Iterator[Receiver]:
    with receiver() as found:
        yield found
