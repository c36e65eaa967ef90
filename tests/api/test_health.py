"""What CronHub says of itself."""

from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import EndpointConnectionError

from chalicelib.services.tick import run_minute
from chalicelib.store import queue
from chalicelib.store.queue import client
from tests.api.client import Api, Clock
from tests.api.conftest import Calls


def make_queue() -> None:
    # A request has the environment of the stage that it is tested in.
    queue.forget()
    client().create_queue(QueueName="cronhub-dev-notify")


def test_the_plain_check_asks_nothing_of_the_store(api: Api, calls: Calls) -> None:
    calls.clear()

    answer = api.get("/api/health", key=None)

    assert (answer.status, answer.json) == (200, {"status": "ok"})
    assert calls.names == []


def test_the_deep_one_tells_of_store_queue_and_tick(api: Api, clock: Clock) -> None:
    make_queue()
    run_minute(clock.now)
    clock.pass_by(minutes=3)

    answer = api.get("/api/health/deep", key=None)

    assert answer.status == 200
    assert answer.json == {
        "status": "ok",
        "store": {"ok": True},
        "queue": {"ok": True},
        "tick": {"ok": True, "last_at": "2026-03-10T12:00:00Z", "age_seconds": 180.0, "behind_since": None},
        "hearing": {"ok": None, "last_at": None, "deaf_since": None, "detail": None},
    }
    queue.forget()


def test_a_tick_older_than_three_minutes_is_a_503(api: Api, clock: Clock) -> None:
    run_minute(clock.now)
    clock.pass_by(minutes=3, seconds=1)

    answer = api.get("/api/health/deep", key=None)

    assert (answer.status, answer.json["status"], answer.json["tick"]["ok"]) == (503, "failing", False)


def test_so_is_one_that_never_came(api: Api) -> None:
    answer = api.get("/api/health/deep", key=None)

    assert (answer.status, answer.json["tick"]["last_at"]) == (503, None)


def test_without_the_queue_it_is_degraded(api: Api, clock: Clock) -> None:
    queue.forget()
    run_minute(clock.now)

    answer = api.get("/api/health/deep", key=None)

    assert (answer.status, answer.json["status"], answer.json["queue"]) == (200, "degraded", {"ok": False})


def test_a_store_that_is_gone_is_a_503_and_no_500(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="http://store.example.com")

    monkeypatch.setattr(BaseClient, "_make_api_call", refuse)

    answer = api.get("/api/health/deep", key=None)

    assert (answer.status, answer.json["store"]) == (503, {"ok": False})
    assert api.get("/api/health", key=None).status == 200
