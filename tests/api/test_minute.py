"""The scheduled function: blackouts between ticks, large backlogs, who watches the watcher."""

import json
from collections.abc import Iterator

import pytest

from chalicelib import settings
from chalicelib.services import evaluate
from chalicelib.services.evaluate import run_tick, work_off
from chalicelib.services.notify import send_due
from chalicelib.services.tick import run_minute
from chalicelib.store import queue
from chalicelib.store.queue import client, handed_over_in
from chalicelib.store.tick_log import load_watch, take_shard
from tests.api.client import Api, Clock
from tests.channels.receivers import Receiver, receiver

pytestmark = pytest.mark.usefixtures("private_allowed")


@pytest.fixture
def hook(api: Api) -> Iterator[Receiver]:
    with receiver() as found:
        answer = api.post("/api/channels", {"name": "ops", "kind": "webhook", "url": found.url})
        assert answer.status == 201, answer.text
        yield found


def told(hook: Receiver) -> list[str]:
    return [json.loads(got.body)["type"] for got in hook.got]


def ticks(clock: Clock, minutes: int) -> None:
    for _ in range(minutes):
        run_minute(clock.now)
        clock.pass_by(minutes=1)


def test_what_was_due_while_no_tick_came_is_unknown_and_one_notice_says_so(
    api: Api, clock: Clock, hook: Receiver
) -> None:
    ids = api.register(*({"name": f"job {n}", "schedule": "10 12 * * *", "grace_seconds": 300} for n in range(3)))
    ticks(clock, 10)
    clock.at("12:40:00")

    ticks(clock, 2)
    api.heartbeat(ids[0])
    ticks(clock, 10)

    assert [api.cron(cron_id)["status"] for cron_id in ids] == ["up", "new", "new"]
    assert [run["status"] for run in api.runs(ids[1])] == ["unknown"]
    assert api.runs(ids[1])[0]["excused"] == "blindness"
    assert api.runs(ids[0])[0]["scheduled_at"] == "2026-03-10T12:10:00Z"
    assert api.get("/api/incidents").json["incidents"] == []
    assert told(hook) == ["notice.blind"]
    assert "from 2026-03-10 12:09:00 to 12:40:00 UTC" in json.loads(hook.got[0].body)["data"]["text"]


def test_ticks_that_came_miss_as_ever_and_tell_of_no_gap(api: Api, clock: Clock, hook: Receiver) -> None:
    api.new_cron("10 12 * * *", grace_seconds=300)
    ticks(clock, 13)
    clock.pass_by(minutes=3)

    ticks(clock, 2)

    assert told(hook) == ["cron.missed"]
    assert load_watch().blackouts == ()


def test_what_was_due_without_ticks_but_with_signals_is_missed_and_told_as_found_late(
    api: Api, clock: Clock, hook: Receiver
) -> None:
    silent, lively = api.register(
        {"name": "silent", "schedule": "10 12 * * *", "grace_seconds": 300},
        {"name": "lively", "schedule": "* * * * *"},
    )
    ticks(clock, 5)
    for _ in range(35):
        clock.pass_by(minutes=1)
        api.heartbeat(lively)
    ticks(clock, 1)

    assert [run["status"] for run in api.runs(silent)] == ["missed"]
    assert "cron.missed" in told(hook)
    assert "notice.blind" not in told(hook)
    said = [json.loads(one.body)["data"] for one in hook.got]
    data = next(one for one in said if one["kind"] == "missed" and one["cron"]["name"] == "silent")
    assert data["detail"].endswith("min 0 s late")
    assert data["incident"]["opened_at"] == "2026-03-10T12:15:00Z"


def test_a_tick_that_fails_is_no_good_tick_and_leaves_the_gap_to_the_next(
    api: Api, clock: Clock, hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    cron_id = api.new_cron("10 12 * * *", grace_seconds=300)
    ticks(clock, 1)
    clock.at("12:40:00")
    with monkeypatch.context() as patched:
        patched.setattr("chalicelib.services.tick.run_tick", _die)
        with pytest.raises(KeyboardInterrupt):
            run_minute(clock.now)
    clock.pass_by(minutes=1)

    ticks(clock, 8)

    assert [run["status"] for run in api.runs(cron_id)] == ["unknown"]
    assert told(hook) == ["notice.blind"]


def test_a_tick_whose_delivery_fails_has_looked_at_the_crons_all_the_same(
    api: Api, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.services.tick.wake_due", _die)

    with pytest.raises(KeyboardInterrupt):
        run_minute(clock.now)

    assert load_watch().ticked_at == clock.now


def _die(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_signal_that_comes_before_the_first_tick_after_a_gap(api: Api, clock: Clock) -> None:
    cron_id = api.new_cron("*/10 * * * *", grace_seconds=60)
    ticks(clock, 1)
    clock.at("12:40:05")

    api.heartbeat(cron_id)

    assert [(run["status"], run["occurrences"]) for run in api.runs(cron_id)] == [("success", 1), ("unknown", 3)]
    assert api.cron(cron_id)["status"] == "up"


@pytest.fixture
def backlog(api: Api, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Five crons that are missed; from three on it is a large backlog."""
    monkeypatch.setattr(evaluate, "HANDED_OVER_FROM", 3)
    ids = api.register(*({"name": f"job {n}", "schedule": "0 13 * * *"} for n in range(5)))
    clock.at("14:30:00")
    return ids


@pytest.fixture
def due_queue(store: None) -> Iterator[str]:
    queue.forget()
    yield str(client().create_queue(QueueName=settings.due_queue_name())["QueueUrl"])
    queue.forget()


def test_a_large_backlog_is_worked_off_by_shards(
    api: Api, clock: Clock, backlog: list[str], due_queue: str
) -> None:
    report = run_tick(clock.now)
    assert (report.handed_over, report.backlog, report.looked_at) == (True, 4, 0)

    shards = []
    while messages := client().receive_message(QueueUrl=due_queue, MaxNumberOfMessages=10).get("Messages"):
        shards += [handed_over_in(message["Body"]).shard for message in messages]
    assert sorted(shards) == list(range(16))
    for shard in shards:
        work_off(shard, clock.now)

    assert [api.cron(cron_id)["status"] for cron_id in backlog] == ["down"] * 5


def bodies_of(due_queue: str) -> list[str]:
    bodies: list[str] = []
    while messages := client().receive_message(QueueUrl=due_queue, MaxNumberOfMessages=10).get("Messages"):
        bodies += [message["Body"] for message in messages]
    return bodies


def opened_and_noticed(api: Api) -> set[tuple[str, str]]:
    incidents = [
        api.get(f"/api/incidents/{one['id']}").json for one in api.get("/api/incidents").json["incidents"]
    ]
    return {(one["opened_at"], alert["at"]) for one in incidents for alert in one["alerts"]}


def test_all_shards_are_judged_as_of_the_moment_of_their_tick(
    api: Api, clock: Clock, backlog: list[str], due_queue: str
) -> None:
    run_tick(clock.now)

    for body in bodies_of(due_queue):
        clock.pass_by(seconds=1.5)
        assert evaluate.receive([body]) == []

    assert opened_and_noticed(api) == {("2026-03-10T14:00:00Z", "2026-03-10T14:30:00Z")}


def test_a_message_that_comes_after_its_minute_has_a_shard_judged_as_of_now(
    api: Api, clock: Clock, backlog: list[str], due_queue: str
) -> None:
    run_tick(clock.now)
    bodies = bodies_of(due_queue)
    clock.pass_by(seconds=61)

    assert evaluate.receive(bodies) == []
    # What an older release put on the queue names no moment.
    assert evaluate.receive(['{"shard": 3}']) == []

    assert {noticed for _, noticed in opened_and_noticed(api)} == {"2026-03-10T14:31:01Z"}


def test_an_old_message_does_not_take_a_shard_that_is_worked_off(
    api: Api, clock: Clock, backlog: list[str], due_queue: str
) -> None:
    run_tick(clock.now)
    clock.pass_by(seconds=50)
    for shard in range(16):
        assert take_shard(shard, clock.now, clock.now + evaluate.TAKEN_FOR)
    clock.pass_by(seconds=5)

    assert evaluate.receive(bodies_of(due_queue)) == []

    assert api.get("/api/incidents").json["incidents"] == []


def test_where_nobody_takes_a_backlog_over_the_tick_works_it_off(
    api: Api, clock: Clock, backlog: list[str]
) -> None:
    report = run_tick(clock.now)

    assert (report.handed_over, report.fell_back, report.changed) == (False, True, 5)
    assert [api.cron(cron_id)["status"] for cron_id in backlog] == ["down"] * 5


def test_a_shard_is_worked_off_by_one_at_a_time(api: Api, clock: Clock, backlog: list[str]) -> None:
    for shard in range(16):
        assert take_shard(shard, clock.now, clock.now + evaluate.TAKEN_FOR)

    assert sum(work_off(shard, clock.now).looked_at for shard in range(16)) == 0
    # The one that took it may have died.
    clock.pass_by(seconds=60)
    assert sum(work_off(shard, clock.now).changed for shard in range(16)) == 5
    assert sum(work_off(shard, clock.now).looked_at for shard in range(16)) == 0


def pings_of_minute(clock: Clock, watcher: Receiver) -> int:
    """How often a tick pinged the watcher; a minute passes after it."""
    before = len(watcher.got)
    run_minute(clock.now)
    clock.pass_by(minutes=1)
    return len(watcher.got) - before


@pytest.fixture
def watcher(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with receiver() as found:
        monkeypatch.setenv("CRONHUB_SELF_PING_URL", found.url)
        yield found


def test_shards_that_nobody_works_off_are_no_good_tick_and_the_tick_steps_in(
    api: Api, clock: Clock, backlog: list[str], due_queue: str, watcher: Receiver
) -> None:
    assert pings_of_minute(clock, watcher) == 1
    assert api.get("/api/incidents").json["incidents"] == [], "evaluate is disabled"

    assert pings_of_minute(clock, watcher) == 0

    answer = api.get("/api/health/deep", key=None)
    assert (answer.status, answer.json["status"]) == (503, "failing")
    assert answer.json["tick"]["ok"] is False
    assert answer.json["tick"]["behind_since"] == "2026-03-10T14:30:00Z"
    assert len(api.get("/api/incidents").json["incidents"]) == 5
    assert load_watch().blackouts == (), "the tick looked all the time"

    assert pings_of_minute(clock, watcher) == 1
    assert api.get("/api/health/deep", key=None).json["tick"]["ok"] is True


def test_a_shard_that_is_still_worked_off_after_its_minute_is_no_good_tick(
    api: Api, clock: Clock, backlog: list[str], due_queue: str, watcher: Receiver
) -> None:
    run_minute(clock.now)
    for shard in range(16):
        clock.pass_by(seconds=3)
        assert take_shard(shard, clock.now, clock.now + 2 * evaluate.TAKEN_FOR)
    clock.pass_by(seconds=12)

    for minute in range(2):
        assert pings_of_minute(clock, watcher) == 0, minute
        behind_since = api.get("/api/health/deep", key=None).json["tick"]["behind_since"]
        assert behind_since == "2026-03-10T14:30:00Z", "since the first"


def test_shards_that_were_worked_off_in_their_minute_are_a_good_tick(
    api: Api, clock: Clock, backlog: list[str], due_queue: str, watcher: Receiver
) -> None:
    run_minute(clock.now)
    for shard in range(16):
        work_off(shard, clock.now)
    # Due, but not since the tick that handed them over.
    clock.at("14:30:30")
    api.register({"name": "later", "schedule": "* * * * *", "grace_seconds": 0}, service="other")
    clock.at("14:31:00")

    assert pings_of_minute(clock, watcher) == 1
    assert api.get("/api/health/deep", key=None).json["tick"]["behind_since"] is None


def test_a_shard_whose_work_was_cut_short_is_not_done(
    api: Api, clock: Clock, backlog: list[str], due_queue: str, watcher: Receiver
) -> None:
    run_minute(clock.now)
    for shard in range(16):
        work_off(shard, clock.now, budget_seconds=0)
    clock.pass_by(minutes=1)

    assert pings_of_minute(clock, watcher) == 0


def test_a_tick_that_leaves_crons_due_is_no_good_tick(
    api: Api, clock: Clock, backlog: list[str], watcher: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("chalicelib.services.tick.BUDGET_SECONDS", 0.0)
        assert pings_of_minute(clock, watcher) == 0
    assert api.get("/api/health/deep", key=None).json["tick"]["behind_since"] == "2026-03-10T14:30:00Z"

    assert pings_of_minute(clock, watcher) == 1


def test_a_good_tick_tells_the_watcher(api: Api, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    with receiver() as watcher:
        monkeypatch.setenv("CRONHUB_SELF_PING_URL", watcher.url)

        run_minute(clock.now)

        assert [got.method for got in watcher.got] == ["GET"]


def test_a_watcher_that_does_not_answer_is_no_reason_to_fail(
    api: Api, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("CRONHUB_SELF_PING_URL", "http://127.0.0.1:9/secret-path")

    run_minute(clock.now)

    assert load_watch().ticked_at == clock.now
    assert "the watcher's ping URL did not answer" in caplog.text
    assert "secret-path" not in caplog.text


def test_without_a_queue_a_ticks_own_alerts_go_out_at_once(api: Api, clock: Clock, hook: Receiver) -> None:
    api.new_cron("10 12 * * *", grace_seconds=300)
    ticks(clock, 16)

    assert told(hook) == ["cron.missed"]
    send_due(clock.now)
    assert told(hook) == ["cron.missed"]
