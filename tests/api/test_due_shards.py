"""The shards of the due index are a setting, which may be raised and lowered while crons are watched."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest

from chalicelib.services import due_shards
from chalicelib.services.tick import run_minute
from chalicelib.store.tables import CronItem
from chalicelib.store.tick_log import load_watch, note_tick
from tests.api.client import Api, Clock
from tests.api.conftest import Calls


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    yield
    due_shards.forget()


def set_to(monkeypatch: pytest.MonkeyPatch, shards: int) -> None:
    monkeypatch.setenv("CRONHUB_DUE_SHARDS", str(shards))


def used() -> Counter[int]:
    return Counter(int(item.due_shard) for item in CronItem.scan() if item.due_shard is not None)


def crons(api: Api, number: int, schedule: str = "0 * * * *", service: str = "nightly") -> list[str]:
    return api.register(*({"name": f"job {n}", "schedule": schedule} for n in range(number)), service=service)


def test_crons_are_written_to_as_many_as_the_setting_says(
    api: Api, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    crons(api, 40)
    assert set(used()) <= set(range(16))
    set_to(monkeypatch, 64)
    crons(api, 40, service="later")

    assert max(used()) > 16


@pytest.mark.parametrize(("before", "after"), [(16, 64), (64, 16), (5, 7), (7, 5)])
def test_what_was_written_before_is_judged_after(
    api: Api, clock: Clock, monkeypatch: pytest.MonkeyPatch, before: int, after: int
) -> None:
    set_to(monkeypatch, before)
    crons(api, 24)
    run_minute(clock.now)
    set_to(monkeypatch, after)
    crons(api, 12, service="later")
    # The process that looks is a new one.
    due_shards.forget()
    clock.at("13:07:00")
    note_tick(clock.now - timedelta(minutes=1))

    run_minute(clock.now)

    found = api.get("/api/crons", limit=100).json["crons"]
    assert {cron["status"] for cron in found} == {"down"}
    assert len(api.get("/api/incidents", limit=100).json["incidents"]) == 36


def test_old_shards_are_read_until_they_are_empty(
    api: Api, clock: Clock, monkeypatch: pytest.MonkeyPatch, calls: Calls
) -> None:
    set_to(monkeypatch, 24)
    ids = crons(api, 40)
    run_minute(clock.now)
    set_to(monkeypatch, 16)
    for _ in range(4):
        clock.pass_by(minutes=4)
        run_minute(clock.now)
    assert max(used()) > 15
    assert len(due_shards.to_read()) == max(used()) + 1

    # Every write moves a cron to its new shard.
    for cron_id in ids:
        api.call("POST", f"/api/ping/{cron_id}", key=None)
    assert max(used()) < 16
    clock.pass_by(minutes=1)
    run_minute(clock.now)

    assert list(due_shards.to_read()) == list(range(16))
    shards = load_watch().shards
    assert shards is not None
    assert (shards.written, shards.read) == (16, 16)
    calls.clear()
    clock.pass_by(minutes=1)
    run_minute(clock.now)
    asked = [each for name, each in calls if name == "Query" and each.get("IndexName") == "due"]
    assert len(asked) == 16


def test_shards_that_just_became_empty_are_read_on_while_old_functions_may_write_to_them(
    api: Api, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_to(monkeypatch, 24)
    run_minute(clock.now)
    set_to(monkeypatch, 16)
    for _ in range(3):
        clock.pass_by(minutes=3)
        run_minute(clock.now)
    assert len(due_shards.to_read()) == 24

    clock.pass_by(minutes=4)
    run_minute(clock.now)
    assert len(due_shards.to_read()) == 16


def test_many_shards_are_read_side_by_side(api: Api, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    set_to(monkeypatch, 40)
    crons(api, 50)
    clock.at("13:07:00")

    assert api.tick().changed == 50
