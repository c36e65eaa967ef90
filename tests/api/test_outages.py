"""Crons that go down, or come up, together: one message for each channel."""

import copy
import json
from collections import Counter
from datetime import timedelta
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import moto.dynamodb.models
import pytest
from moto.dynamodb.models.table import Table

from chalicelib.domain import ids
from chalicelib.domain.errors import Unavailable
from chalicelib.domain.monitor import on_request
from chalicelib.domain.monitor.cron import Settings
from chalicelib.services import channel_queue, evaluate, gathering
from chalicelib.services.tick import run_minute
from chalicelib.store import alerts
from chalicelib.store.channels import channels_of_org
from chalicelib.store.cron_codec import to_item
from chalicelib.store.gatherings import find_kept
from chalicelib.store.tables import CronItem
from tests.api.client import Api, Clock
from tests.api.sqs import Queue
from tests.channels.receivers import Receiver, Reply, receiver

pytestmark = pytest.mark.usefixtures("private_allowed")


def add_channel(api: Api, to: Receiver, name: str = "ops") -> None:
    assert api.post("/api/channels", {"name": name, "kind": "webhook", "url": to.url}).status == 201


def org_id(api: Api, slug: str = "mon-org") -> str:
    return str(api.get(f"/api/orgs/{slug}").json["id"])


def fill(org: str, count: int, clock: Clock) -> list[str]:
    """Makes crons of an org that are due at 13:00; returns their ids."""
    made = []
    with CronItem.batch_write() as batch:
        for number in range(count):
            # As random as real ones, which spread them over the shards.
            cron_id = ids.cron_id(org, number.to_bytes(5, "big") + (number * 40503 + 7).to_bytes(5, "big"))
            names = on_request.CronNames("shop", "many", f"job {number:04}")
            cron = on_request.create(cron_id, names, Settings("0 13 * * *"), clock.now)
            batch.save(to_item(cron._replace(version=1)))
            made.append(cron_id)
    return made


def jobs(api: Api, count: int) -> list[str]:
    return api.register(*({"name": f"job {n:02}", "schedule": None} for n in range(count)))


def signal(api: Api, kind: str, *cron_ids: str) -> None:
    for cron_id in cron_ids:
        assert api.post(f"/api/{kind}/{cron_id}", key=None).status == 200


def events(to: Receiver) -> list[Any]:
    return [json.loads(got.body) for got in to.got]


def types(to: Receiver) -> list[str]:
    return [event["type"] for event in events(to)]


def told(to: Receiver) -> Counter[tuple[str, str]]:
    """How often each cron was told of, by its name and what was said."""
    flat = (one for event in events(to) for one in event["data"].get("alerts", [event]))
    return Counter((one["data"]["cron"]["name"], one["data"]["kind"]) for one in flat)


def evaluate_all(sqs: Queue, clock: Clock, seconds_each: float = 0) -> None:
    """What `evaluate` does of a large backlog, one message after the other."""
    while sqs.handed_over:
        assert evaluate.receive([sqs.handed_over.pop(0)]) == []
        clock.pass_by(seconds=seconds_each)


def outage(api: Api, sqs: Queue, clock: Clock, count: int) -> list[str]:
    """Makes crons that miss the same occurrence, and finds it out; returns their ids."""
    made = fill(org_id(api), count, clock)
    clock.at("14:00:00")
    run_minute(clock.now)
    evaluate_all(sqs, clock)
    return made


@pytest.fixture(autouse=True)
def no_rollback(monkeypatch: pytest.MonkeyPatch) -> None:
    """moto copies whole tables for each transaction, to undo what none of these tests has undone."""
    real = copy.deepcopy

    def copied(value: Any) -> Any:
        return value if isinstance(value, Table) else real(value)

    monkeypatch.setattr(moto.dynamodb.models, "copy", SimpleNamespace(deepcopy=copied))


@pytest.fixture
def small_backlog(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate, "HANDED_OVER_FROM", 10)


# moto takes a tenth of a second for each cron that is judged.
@pytest.mark.parametrize("count", [96, pytest.param(1000, marks=pytest.mark.long)])
@pytest.mark.usefixtures("small_backlog")
def test_crons_that_go_down_together_are_one_message_however_many_look_at_them(
    api: Api, sqs: Queue, hook: Receiver, clock: Clock, count: int
) -> None:
    add_channel(api, hook)
    made = fill(org_id(api), count, clock)
    clock.at("14:00:00")
    run_minute(clock.now)
    assert len(sqs.handed_over) == 16

    evaluate_all(sqs, clock, seconds_each=0.4)
    sqs.work()
    assert hook.got == [], "they wait for each other"
    sqs.work_for(seconds=10)

    [event] = events(hook)
    assert (event["type"], event["data"]["count"]) == ("crons.down", count)
    assert set(told(hook).values()) == {1}
    assert len(told(hook)) == count
    assert event["data"]["title"] == f"DOWN: {count} crons in shop/many, longest down: job 0000"
    assert len(hook.got[0].body) < 1_000_000, "what many receivers take at most"
    sqs.work_for(minutes=2)
    assert sqs.messages == []
    incident = api.cron(made[count // 2])["incident"]["id"]
    [delivery] = api.get(f"/api/incidents/{incident}").json["alerts"][0]["deliveries"]
    assert (delivery["state"], delivery["attempts"]) == ("delivered", 1)
    [channel] = channels_of_org(org_id(api))
    assert find_kept(channel.id) == []
    assert (channel.down.until, channel.has_groups) == (None, False)


@pytest.mark.parametrize(("orgs", "count"), [(2, 48), pytest.param(10, 100, marks=pytest.mark.long)])
@pytest.mark.usefixtures("small_backlog")
def test_orgs_whose_crons_go_down_at_the_same_time_have_a_message_each(
    api: Api, sqs: Queue, hook: Receiver, clock: Clock, orgs: int, count: int
) -> None:
    with receiver() as other:
        for number in range(orgs):
            api.key = api.new_org(f"org-{number}")
            add_channel(api, hook)
            add_channel(api, other, "other")
            fill(org_id(api, f"org-{number}"), count, clock)
        clock.at("14:00:00")
        run_minute(clock.now)

        evaluate_all(sqs, clock)
        sqs.work_for(seconds=20)

        for to in (hook, other):
            assert types(to) == ["crons.down"] * orgs
            assert [event["data"]["count"] for event in events(to)] == [count] * orgs
            assert set(told(to).values()) == {orgs}


def test_one_cron_alone_is_told_at_once(api: Api, sqs: Queue, hook: Receiver) -> None:
    add_channel(api, hook)
    [cron_id] = jobs(api, 1)

    signal(api, "fail", cron_id)
    sqs.work()
    signal(api, "ping", cron_id)
    sqs.work()

    assert types(hook) == ["cron.failed", "cron.recovered"]


def test_the_first_four_are_told_at_once_and_the_rest_together(
    api: Api, sqs: Queue, hook: Receiver, clock: Clock
) -> None:
    add_channel(api, hook)
    made = jobs(api, 12)
    for cron_id in made:
        signal(api, "fail", cron_id)
        sqs.work()
        clock.pass_by(seconds=0.5)
    assert types(hook) == ["cron.failed"] * 4

    sqs.work_for(seconds=10)

    assert types(hook) == ["cron.failed"] * 4 + ["crons.down"]
    assert events(hook)[-1]["data"]["count"] == 8
    assert set(told(hook).values()) == {1}


def test_a_slow_trickle_is_few_messages_and_none_waits_over_ten_seconds(
    api: Api, sqs: Queue, clock: Clock
) -> None:
    failed_at: dict[str, float] = {}
    waited: list[float] = []
    began = clock.now

    def passed() -> float:
        return (clock.now - began).total_seconds()

    def note(got: Any) -> Reply:
        event = json.loads(got.body)
        told_of = event["data"].get("alerts", [event])
        waited.extend(passed() - failed_at[one["data"]["cron"]["name"]] for one in told_of)
        return Reply()

    with receiver(decide=note) as to:
        add_channel(api, to)
        for number, cron_id in enumerate(jobs(api, 20)):
            failed_at[f"job {number:02}"] = passed()
            signal(api, "fail", cron_id)
            sqs.work_for(seconds=3)
        sqs.work_for(seconds=10)

        assert types(to) == ["cron.failed"] * 4 + ["crons.down"] * 4
    assert len(waited) == 20
    assert waited[:4] == [0] * 4
    assert max(waited) <= 10


@pytest.mark.usefixtures("small_backlog")
def test_crons_that_come_up_together_are_one_message(api: Api, sqs: Queue, hook: Receiver, clock: Clock) -> None:
    add_channel(api, hook)
    made = outage(api, sqs, clock, 20)
    sqs.work_for(seconds=20)
    assert types(hook) == ["crons.down"]
    assert events(hook)[0]["data"]["count"] == 20

    for cron_id in made:
        signal(api, "ping", cron_id)
        sqs.work()
        clock.pass_by(seconds=5.5)
    assert types(hook) == ["crons.down"], "the recoveries of an outage wait for two minutes"
    sqs.work_for(minutes=3)

    assert types(hook) == ["crons.down", "crons.up"]
    assert events(hook)[1]["data"]["count"] == 20
    assert events(hook)[1]["data"]["title"] == "UP: 20 crons in shop/many, longest down: job 0019"


def test_recoveries_of_separate_incidents_are_few_messages_too(
    api: Api, sqs: Queue, hook: Receiver, clock: Clock
) -> None:
    add_channel(api, hook)
    made = jobs(api, 20)
    for cron_id in made:
        signal(api, "fail", cron_id)
        sqs.work_for(minutes=3)
    before = len(hook.got)
    assert types(hook) == ["cron.failed"] * 20

    for cron_id in made:
        signal(api, "ping", cron_id)
        sqs.work()
    sqs.work_for(seconds=10)

    assert types(hook)[before:] == ["cron.recovered"] * 4 + ["crons.up"]
    assert events(hook)[-1]["data"]["count"] == 16


def test_what_recovers_while_it_waits_is_told_as_recovered_alone(
    api: Api, sqs: Queue, hook: Receiver, clock: Clock
) -> None:
    add_channel(api, hook)
    made = jobs(api, 8)
    signal(api, "fail", *made)
    for cron_id in made[:2]:
        clock.pass_by(seconds=1)
        signal(api, "ping", cron_id)
    sqs.work_for(minutes=3)

    assert told(hook) == Counter({(f"job {n:02}", "recovered" if n < 2 else "failed"): 1 for n in range(8)})
    assert Counter(types(hook)) == {"crons.down": 1, "crons.up": 1}


def die(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.usefixtures("small_backlog")
def test_who_dies_between_sending_and_noting_is_followed_by_the_same_message(
    api: Api, sqs: Queue, hook: Receiver, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_channel(api, hook)
    made = outage(api, sqs, clock, 40)
    sqs.work()
    clock.pass_by(seconds=10)
    with monkeypatch.context() as patched:
        patched.setattr(alerts, "record", die)
        with pytest.raises(KeyboardInterrupt):
            sqs.work()
    assert types(hook) == ["crons.down"]
    # What was taken off the queue died with its sender. Meanwhile more go down, and the next tick asks.
    clock.pass_by(seconds=30)
    more = jobs(api, 7)
    signal(api, "fail", *more)
    sqs.work()
    clock.pass_by(seconds=30)
    run_minute(clock.now)
    sqs.work_for(seconds=30)

    first, second, third = hook.got
    assert first.headers["webhook-id"] == second.headers["webhook-id"] != third.headers["webhook-id"]
    assert [event["data"]["count"] for event in events(hook)] == [40, 40, 7]
    # Who drops what it has had was told of each once.
    assert json.loads(first.body)["data"] == json.loads(second.body)["data"]
    assert len(told(hook)) == len(made) + len(more)
    sqs.work_for(minutes=5)
    run_minute(clock.now)
    sqs.work_for(minutes=1)
    assert len(hook.got) == 3


@pytest.mark.usefixtures("small_backlog")
def test_what_could_not_be_noted_is_sent_again_as_the_same_message(
    api: Api, sqs: Queue, hook: Receiver, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_channel(api, hook)
    outage(api, sqs, clock, 40)
    sqs.work()
    clock.pass_by(seconds=10)

    def fail(*_: object) -> None:
        raise Unavailable("the store does not answer")

    with monkeypatch.context() as patched:
        patched.setattr(alerts, "record", fail)
        sqs.work()
    sqs.work_for(minutes=2)

    assert [event["data"]["count"] for event in events(hook)] == [40, 40]
    assert len({got.headers["webhook-id"] for got in hook.got}) == 1


@pytest.mark.parametrize(
    "call",
    [
        "services.gathering.keep_waiting",
        "services.gathering.open_gathering",
        "services.channel_queue.take",
        "services.channel_queue.find_kept",
        "services.channel_queue.note_groups",
        "services.channel_queue.keep_group",
        "services.channel_queue.forget",
        "services.channel_queue.release",
        "store.alerts.record",
        "store.alerts.settle",
    ],
)
@pytest.mark.parametrize("is_done", [False, True])
def test_whichever_call_of_the_store_fails_once_each_is_told_and_never_as_two_messages(
    api: Api, sqs: Queue, hook: Receiver, monkeypatch: pytest.MonkeyPatch, call: str, is_done: bool
) -> None:
    """is_done: the store did it, and its answer was lost."""
    add_channel(api, hook)
    module, _, name = call.rpartition(".")
    real = getattr(import_module(f"chalicelib.{module}"), name)
    failures: list[str] = []

    def fail_once(*arguments: Any) -> Any:
        if failures:
            return real(*arguments)
        failures.append(call)
        if is_done:
            real(*arguments)
        raise Unavailable("the store does not answer")

    monkeypatch.setattr(f"chalicelib.{call}", fail_once)
    sqs.may_fail = True
    *first, last = jobs(api, 7)
    signal(api, "fail", *first)
    sqs.work_for(minutes=3)
    signal(api, "fail", last)
    sqs.work_for(minutes=1)

    assert failures == [call]
    by_id = {got.headers["webhook-id"]: json.loads(got.body) for got in hook.got}
    each = [one for event in by_id.values() for one in event["data"].get("alerts", [event])]
    names = [one["data"]["cron"]["name"] for one in each]
    assert sorted(names) == [f"job {n:02}" for n in range(7)]
    assert len(hook.got) <= 3
    [channel] = channels_of_org(org_id(api))
    assert find_kept(channel.id) == []


@pytest.mark.usefixtures("small_backlog")
def test_a_message_that_is_refused_is_tried_again_with_the_same_members(
    api: Api, sqs: Queue, clock: Clock
) -> None:
    with receiver(Reply(500), Reply(500), Reply(200)) as hook:
        add_channel(api, hook)
        made = outage(api, sqs, clock, 40)
        sqs.work_for(seconds=20)
        # What comes meanwhile is another message, and what is up again is left out: its recovery says both.
        signal(api, "fail", *jobs(api, 3))
        signal(api, "ping", made[0])
        sqs.work_for(minutes=10)

        by_id = Counter(got.headers["webhook-id"] for got in hook.got if "crons.down" in got.body.decode())
        counts = [event["data"]["count"] for event in events(hook) if event["type"] == "crons.down"]
        assert sorted(counts) == [3, 3, 39, 40] or sorted(counts) == [39, 40], (types(hook), counts)
        assert 2 in by_id.values()
        heard = told(hook)
    assert heard["job 0000", "recovered"] == 1
    assert all(heard[f"job {n:04}", "missed"] >= 1 for n in range(1, 40))


def test_a_message_of_the_queue_that_comes_early_is_not_relied_on_in_vain(
    api: Api, sqs: Queue, hook: Receiver, clock: Clock
) -> None:
    add_channel(api, hook)
    signal(api, "fail", *jobs(api, 6))
    sqs.work()
    [waiting] = sqs.messages
    sqs.messages = [waiting._replace(visible_at=waiting.visible_at - timedelta(seconds=1))]

    sqs.work_for(seconds=10)

    assert types(hook) == ["crons.down"]


def test_where_the_one_that_is_to_send_dies_another_does_a_moment_later(
    api: Api, sqs: Queue, hook: Receiver, clock: Clock
) -> None:
    add_channel(api, hook)
    made = jobs(api, 12)
    for half in (made[:6], made[6:]):
        signal(api, "fail", *half)
        sqs.work()
        clock.pass_by(seconds=1)
    first = min(sqs.messages, key=lambda message: message.visible_at)
    sqs.messages.remove(first)

    sqs.work_for(seconds=13)

    assert [event["data"]["count"] for event in events(hook)] == [12]


def test_where_the_message_that_was_to_come_back_is_lost_the_tick_asks(
    api: Api, sqs: Queue, hook: Receiver, clock: Clock
) -> None:
    add_channel(api, hook)
    signal(api, "fail", *jobs(api, 6))
    sqs.work()
    sqs.messages.clear()
    clock.pass_by(minutes=1)

    run_minute(clock.now)
    sqs.work()

    assert types(hook) == ["crons.down"]
    assert events(hook)[0]["data"]["count"] == 6


def test_only_so_many_are_in_one_message(
    api: Api, sqs: Queue, hook: Receiver, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.domain.alerts.gathering.MOST_IN_A_MESSAGE", 8)
    add_channel(api, hook)
    signal(api, "fail", *jobs(api, 20))

    sqs.work_for(seconds=10)

    assert [event["data"]["count"] for event in events(hook)] == [8, 8, 4]
    assert set(told(hook).values()) == {1}


def test_two_who_send_over_one_channel_do_not_open_two_messages(
    api: Api, sqs: Queue, hook: Receiver, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both read the channel before either has changed it."""
    add_channel(api, hook)
    first, second = jobs(api, 12)[:6], jobs(api, 12)[6:]
    real = gathering.waits_of
    signal(api, "fail", *first)
    others: list[bool] = []

    def interrupted(*arguments: Any, **more: Any) -> Any:
        found = real(*arguments, **more)
        if found and not others:
            others.append(True)
            signal(api, "fail", *second)
            sqs.work()
        return found

    monkeypatch.setattr(channel_queue, "waits_of", interrupted)
    sqs.work_for(seconds=15)

    assert [event["data"]["count"] for event in events(hook)] == [12]
