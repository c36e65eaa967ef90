"""Ears as well as eyes: each tick sends a canary through the public address, as a job sends a ping."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime

import pytest

from chalicelib.services import hearing
from chalicelib.services.evaluate import work_off
from chalicelib.services.tick import run_minute
from chalicelib.store.tick_log import load_watch
from tests.api.client import Api, Clock
from tests.channels.receivers import Got, Receiver, Reply, receiver


class Door:
    """The public address: it leads to the API, while it is open."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.status: int | None = None

    def decide(self, got: Got) -> Reply:
        if self.status is not None:
            return Reply(self.status)
        answer = self.api.call(got.method, got.path, key=None)
        return Reply(answer.status, body=answer.text.encode())

    def close(self, status: int = 503) -> None:
        self.status = status

    def open(self) -> None:
        self.status = None


@pytest.fixture
def door(api: Api, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    door = Door(api)
    monkeypatch.setattr(hearing, "PAUSES", (0, 0.01))
    with receiver(decide=door.decide) as server:
        monkeypatch.setenv("CRONHUB_BASE_URL", f"http://127.0.0.1:{server.port}")
        yield door


@pytest.fixture
def hook(api: Api, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setenv("CRONHUB_ALLOW_PRIVATE_TARGETS", "1")
    with receiver() as found:
        answer = api.post("/api/channels", {"name": "ops", "kind": "webhook", "url": found.url})
        assert answer.status == 201, answer.text
        yield found


def told(hook: Receiver) -> list[str]:
    return [json.loads(got.body)["type"] for got in hook.got]


def ticks_until(clock: Clock, until: str) -> None:
    while f"{clock.now:%H:%M}" < until:
        run_minute(clock.now)
        clock.pass_by(minutes=1)


def health(api: Api) -> tuple[int, str, bool | None]:
    answer = api.get("/api/health/deep", key=None)
    return answer.status, answer.json["status"], answer.json["hearing"]["ok"]


def due_at_ten_past(api: Api) -> str:
    return api.new_cron("10 12 * * *", grace_seconds=60)


def test_the_first_canary_arrives_as_a_ping_does(api: Api, clock: Clock, door: Door) -> None:
    run_minute(clock.now)

    assert load_watch().hearing.heard_at == clock.now
    assert api.get("/api/health/deep", key=None).json["hearing"] == {
        "ok": True,
        "last_at": "2026-03-10T12:00:00Z",
        "deaf_since": None,
        "detail": None,
    }


def test_a_deadline_that_fell_while_no_canary_arrived_is_unknown_and_one_notice_says_so(
    api: Api, clock: Clock, door: Door, hook: Receiver
) -> None:
    ids = api.register(*({"name": f"job {n}", "schedule": "10 12 * * *", "grace_seconds": 60} for n in range(3)))
    clock.at("12:09:00")
    ticks_until(clock, "12:10")
    door.close()
    ticks_until(clock, "12:13")
    assert health(api)[:2] == (503, "failing")
    assert api.get("/api/health/deep", key=None).json["hearing"]["deaf_since"] == "2026-03-10T12:09:00Z"
    door.open()
    ticks_until(clock, "12:16")

    assert [[run["status"] for run in api.runs(one)] for one in ids] == [["unknown"]] * 3
    assert api.get("/api/incidents").json["incidents"] == []
    assert told(hook) == ["notice.blind"]
    assert "No signal could reach CronHub from 2026-03-10 12:09:00" in json.loads(hook.got[0].body)["data"]["text"]
    assert health(api)[2] is True


def test_a_deadline_in_its_first_minute_is_not_missed_either(api: Api, clock: Clock, door: Door) -> None:
    cron_id = due_at_ten_past(api)
    clock.at("12:10:00")
    ticks_until(clock, "12:11")
    door.close()
    # Its deadline is 12:11:00: at that tick, one canary alone is missing.
    ticks_until(clock, "12:12")
    assert api.runs(cron_id) == []
    ticks_until(clock, "12:13")
    door.open()
    ticks_until(clock, "12:16")

    assert [run["status"] for run in api.runs(cron_id)] == ["unknown"]


def test_the_judgement_comes_in_the_same_minute_where_the_next_try_arrives(
    api: Api, clock: Clock, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    cron_id = due_at_ten_past(api)
    clock.at("12:10:00")
    ticks_until(clock, "12:11")
    door.close()
    monkeypatch.setattr(hearing, "VERDICT_SECONDS", 0.01)
    monkeypatch.setattr(hearing, "PAUSES", (0, 0.3))
    real, tries = door.decide, []

    def second_time(got: Got) -> Reply:
        tries.append(got)
        if len(tries) == 2:
            door.open()
        return real(got)

    # The same place: it has proved to lead here.
    with receiver(decide=second_time) as server:
        monkeypatch.setattr("chalicelib.services.hearing._is_answered", _through(server, hearing._is_answered))
        run_minute(clock.now)

    assert len(tries) == 2
    assert [run["status"] for run in api.runs(cron_id)] == ["missed"]
    assert load_watch().hearing.deaf == ()


def _through(server: Receiver, real: Callable[[str], bool]) -> Callable[[str], bool]:
    return lambda url: real(f"http://127.0.0.1:{server.port}/api/ping/{url.rpartition('/')[2]}")


def test_a_deadline_after_it_is_missed_as_ever(api: Api, clock: Clock, door: Door, hook: Receiver) -> None:
    cron_id = api.new_cron("30 12 * * *", grace_seconds=60)
    clock.at("12:25:00")
    ticks_until(clock, "12:26")
    door.close()
    ticks_until(clock, "12:29")
    door.open()
    ticks_until(clock, "12:33")

    assert [run["status"] for run in api.runs(cron_id)] == ["missed"]
    assert told(hook) == ["cron.missed"]


def test_large_backlogs_wait_for_the_canary_too(api: Api, clock: Clock, door: Door) -> None:
    cron_id = due_at_ten_past(api)
    clock.at("12:10:00")
    ticks_until(clock, "12:11")
    door.close()
    run_minute(clock.now)
    clock.pass_by(seconds=5)
    for shard in range(16):
        work_off(shard, clock.now)
    assert api.runs(cron_id) == []


def test_a_signal_that_arrives_proves_that_cronhub_could_hear(
    api: Api, clock: Clock, door: Door, hook: Receiver
) -> None:
    silent, lively = api.register(
        {"name": "silent", "schedule": "30 12 * * *", "grace_seconds": 60},
        {"name": "lively", "schedule": "* * * * *", "grace_seconds": 600},
    )
    clock.at("12:26:00")
    ticks_until(clock, "12:27")
    door.close()
    for minute in range(28, 34):
        api.heartbeat(lively)
        ticks_until(clock, f"12:{minute}")

    assert [run["status"] for run in api.runs(silent)] == ["missed"]
    assert "cron.missed" in told(hook)


def test_a_wrong_address_holds_nothing_up_and_health_says_so(
    api: Api, clock: Clock, hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRONHUB_BASE_URL", "http://127.0.0.1:9/nowhere")
    cron_id = due_at_ten_past(api)
    clock.at("12:09:00")

    ticks_until(clock, "12:13")

    assert [run["status"] for run in api.runs(cron_id)] == ["missed"]
    assert told(hook) == ["cron.missed"]
    answer = api.get("/api/health/deep", key=None)
    assert (answer.status, answer.json["status"], answer.json["hearing"]["ok"]) == (200, "degraded", False)
    assert answer.json["hearing"]["detail"] == (
        "no test signal ever arrived through http://127.0.0.1:9/nowhere: is CRONHUB_BASE_URL right?"
    )


def test_an_address_that_leads_to_something_else_is_wrong_too(
    api: Api, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiver(Reply(200, body=b'{"ok":true}')) as other:
        monkeypatch.setenv("CRONHUB_BASE_URL", f"http://127.0.0.1:{other.port}")
        ticks_until(clock, "12:03")

    assert len(other.got) == 3
    assert health(api) == (200, "degraded", False)


def test_one_that_never_answers_delays_no_judgement(
    api: Api, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    cron_id = due_at_ten_past(api)
    clock.at("12:11:00")
    judged: list[datetime] = []

    def hang(_: Got) -> Reply:
        time.sleep(1)
        judged.extend(clock.now for _ in api.runs(cron_id))
        return Reply(503)

    monkeypatch.setattr(hearing, "VERDICT_SECONDS", 2)
    with receiver(decide=hang) as server:
        monkeypatch.setenv("CRONHUB_BASE_URL", f"http://127.0.0.1:{server.port}")
        run_minute(clock.now)

    assert judged, "before the canary was answered"


def test_without_a_public_address_none_is_sent(api: Api, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CRONHUB_BASE_URL", raising=False)
    cron_id = due_at_ten_past(api)
    clock.at("12:10:00")
    ticks_until(clock, "12:13")

    assert load_watch().hearing.sent_at is None
    assert health(api)[2] is None
    assert [run["status"] for run in api.runs(cron_id)] == ["missed"]


def test_only_the_last_canary_counts(api: Api, clock: Clock, door: Door) -> None:
    door.close()
    run_minute(clock.now)

    assert api.get("/api/ping/00000000-0000-8000-8000-000000000000", key=None).status == 404
    assert load_watch().hearing.heard_at is None


def test_a_deaf_cronhub_pings_no_watcher(
    api: Api, clock: Clock, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiver() as watcher:
        monkeypatch.setenv("CRONHUB_SELF_PING_URL", watcher.url)
        ticks_until(clock, "12:02")
        assert len(watcher.got) == 2
        door.close()
        ticks_until(clock, "12:06")

        # That of 12:02 is not known to be lost before the next one is.
        assert len(watcher.got) == 3
