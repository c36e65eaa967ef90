"""What one channel has to send is a unit of its own: its message, its turn, its pauses."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from chalice.test import Client

from app import app
from chalicelib.domain.ids import org_of
from chalicelib.services import notify
from chalicelib.services.tick import run_minute
from chalicelib.store.channels import channels_of_org, take
from tests.api.client import Api, Clock
from tests.api.sqs import Queue
from tests.channels.receivers import Got, Receiver, Reply, receiver

pytestmark = pytest.mark.usefixtures("private_allowed")


def add_channel(api: Api, to: Receiver, name: str = "ops") -> str:
    answer = api.post("/api/channels", {"name": name, "kind": "webhook", "url": to.url})
    assert answer.status == 201, answer.text
    return str(answer.json["id"])


def jobs(api: Api, count: int) -> list[str]:
    return api.register(*({"name": f"job {n:02}", "schedule": None} for n in range(count)))


def fail(api: Api, cron_id: str) -> None:
    assert api.post(f"/api/fail/{cron_id}", key=None).status == 200


def kinds(to: Receiver) -> list[str]:
    return [json.loads(got.body)["type"] for got in to.got]


class Timed:
    """A receiver's answers, with the times at which it was asked."""

    def __init__(self, clock: Clock, answer: Callable[[Got], Reply]) -> None:
        self.clock = clock
        self.answer = answer
        self.began = clock.now
        self.asked: list[float] = []

    def __call__(self, got: Got) -> Reply:
        self.asked.append((self.clock.now - self.began).total_seconds())
        return self.answer(got)


def test_each_channel_has_a_message_of_its_own(api: Api, sqs: Queue, hook: Receiver) -> None:
    with receiver() as other:
        ids = {add_channel(api, hook), add_channel(api, other, "other")}
        fail(api, jobs(api, 1)[0])
        assert notify.receive(sqs.take()) == []

        asked = [json.loads(message.body) for message in sqs.messages]
        assert {one["channel"] for one in asked} == ids
        assert (hook.got, other.got) == ([], [])
        sqs.work()

        assert kinds(hook) == kinds(other) == ["cron.failed"]


def test_the_tick_asks_for_what_is_due_and_sends_nothing(
    api: Api, sqs: Queue, hook: Receiver, clock: Clock
) -> None:
    add_channel(api, hook)
    fail(api, jobs(api, 1)[0])
    # Its message is lost.
    sqs.messages.clear()
    clock.pass_by(minutes=1)

    run_minute(clock.now)

    assert hook.got == []
    sqs.work()
    assert kinds(hook) == ["cron.failed"]
    clock.pass_by(minutes=1)
    run_minute(clock.now)
    assert sqs.messages == []


def test_what_failed_is_tried_again_by_the_queue_after_30_s_and_then_later_and_later(
    api: Api, sqs: Queue, clock: Clock
) -> None:
    timed = Timed(clock, lambda _: Reply(404))
    with receiver(decide=timed) as broken:
        add_channel(api, broken)
        fail(api, jobs(api, 1)[0])
        sqs.work_for(minutes=15)

    assert timed.asked == [0, 30, 150, 750]
    assert len({got.headers["webhook-id"] for got in broken.got}) == 1


def test_what_the_queue_cannot_keep_back_so_long_the_tick_finds(api: Api, sqs: Queue, clock: Clock) -> None:
    timed = Timed(clock, lambda _: Reply(500))
    with receiver(decide=timed) as broken:
        add_channel(api, broken)
        fail(api, jobs(api, 1)[0])
        sqs.work_for(minutes=15)
        for _ in range(75):
            run_minute(clock.now)
            sqs.work_for(minutes=1)

    assert timed.asked[4:] == [750 + 3600 + 30]


def test_a_recovery_that_takes_the_place_of_an_alert_goes_on_with_its_pauses(
    api: Api, sqs: Queue, clock: Clock
) -> None:
    timed = Timed(clock, lambda _: Reply(500))
    with receiver(decide=timed) as broken:
        add_channel(api, broken)
        [cron_id] = jobs(api, 1)
        fail(api, cron_id)
        sqs.work_for(minutes=3)
        api.post(f"/api/ping/{cron_id}", key=None)
        sqs.work_for(minutes=12)

    assert kinds(broken) == ["cron.failed"] * 3 + ["cron.recovered"]
    # The fourth try comes ten minutes after the third, not 30 s after the recovery.
    assert timed.asked[:3] == [0, 30, 150]
    assert 740 <= timed.asked[3] <= 750


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_receiver_that_says_when_is_left_in_peace_until_then(
    api: Api, sqs: Queue, clock: Clock, status: int
) -> None:
    timed = Timed(clock, lambda _: Reply(status if len(timed.asked) == 1 else 200, {"Retry-After": "400"}))
    with receiver(decide=timed) as busy:
        add_channel(api, busy)
        first, second = jobs(api, 2)
        fail(api, first)
        sqs.work_for(seconds=60)
        fail(api, second)
        sqs.work_for(seconds=400)

    assert timed.asked == [0, 400, 400]


def test_a_dead_channel_is_asked_now_and_then_and_gets_all_when_it_is_well(
    api: Api, sqs: Queue, clock: Clock
) -> None:
    timed = Timed(clock, lambda _: Reply(500 if clock.now < well_at else 200))
    with receiver(decide=timed) as broken:
        add_channel(api, broken)
        well_at = clock.now + timedelta(minutes=10)
        ids = jobs(api, 24)
        for cron_id in ids:
            fail(api, cron_id)
            sqs.work_for(seconds=2)
        for cron_id in ids[:3]:
            api.post(f"/api/ping/{cron_id}", key=None)
            fail(api, cron_id)
        sqs.work_for(minutes=10)
        dead = [at for at in timed.asked if at < 600]
        sqs.work_for(minutes=5)

    assert len(dead) <= 5, dead
    well = [json.loads(got.body) for got in broken.got[len(dead) :]]
    told: dict[str, list[str]] = {}
    for event in well:
        for one in event["data"].get("alerts", [event]):
            told.setdefault(one["data"]["cron"]["name"], []).append(one["data"]["kind"])
    assert sorted(told) == [f"job {n:02}" for n in range(24)]
    assert all(found[-1] == "failed" for found in told.values()), told
    assert len({got.headers["webhook-id"] for got in broken.got[len(dead) :]}) == len(well)


def test_an_alert_that_its_receiver_never_takes_does_not_stand_in_the_way_of_others(
    api: Api, sqs: Queue, clock: Clock
) -> None:
    def answer(got: Got) -> Reply:
        is_bad = json.loads(got.body)["data"]["cron"]["name"] == "job 00"
        return Reply(500 if is_bad else 200)

    timed = Timed(clock, answer)
    with receiver(decide=timed) as picky:
        add_channel(api, picky)
        first, *others = jobs(api, 4)
        fail(api, first)
        sqs.work_for(seconds=1)
        for cron_id in others:
            fail(api, cron_id)
            sqs.work_for(seconds=1)
        sqs.work_for(seconds=24)
        names = [json.loads(got.body)["data"]["cron"]["name"] for got in picky.got]
        assert names == ["job 00", "job 01", "job 02", "job 03"]
        sqs.work_for(seconds=3)

    assert timed.asked[4:] == [30]


def test_people_see_that_an_alert_waits_for_a_channel(api: Api, sqs: Queue, clock: Clock) -> None:
    with receiver(Reply(500, body=b"no room")) as broken:
        add_channel(api, broken)
        first, second = jobs(api, 2)
        fail(api, first)
        sqs.work()
        clock.pass_by(seconds=1)
        fail(api, second)
        sqs.work()

        incident = api.get(f"/api/incidents/{api.cron(second)['incident']['id']}").json
    [delivery] = incident["alerts"][0]["deliveries"]
    assert (delivery["state"], delivery["attempts"]) == ("pending", 0)
    assert "no room" in delivery["error"]
    assert delivery["next_at"] == "2026-03-10T12:00:25Z"


def test_one_at_a_time_sends_over_a_channel(api: Api, sqs: Queue, hook: Receiver, clock: Clock) -> None:
    add_channel(api, hook)
    [cron_id] = jobs(api, 1)
    org_id = str(org_of(cron_id))
    [channel] = channels_of_org(org_id)
    assert take(channel, clock.now, clock.now + timedelta(seconds=16)) is not None
    fail(api, cron_id)

    notify.receive(sqs.take())
    assert hook.got == []
    assert [message.visible_at - clock.now for message in sqs.messages] == [timedelta(seconds=1)]
    # Who had it died.
    sqs.work_for(seconds=17)

    assert kinds(hook) == ["cron.failed"]


def test_no_org_takes_all_turns(api: Api, sqs: Queue, hook: Receiver) -> None:
    add_channel(api, hook)
    [cron_id] = jobs(api, 1)
    [channel] = channels_of_org(str(org_of(cron_id)))
    turns = notify._Turns()
    failing = channel._replace(org_id="2" * 12, failures=1)

    with_turns = [turns.taken(channel) for _ in range(7)]
    assert [one.__enter__() for one in with_turns] == [True] * 6 + [False]
    others = [turns.taken(failing._replace(org_id=f"{n:012}")) for n in range(20)]
    # Of channels that fail there are never so many that none is left for those that work.
    assert [one.__enter__() for one in others].count(True) == 16
    with turns.taken(channel._replace(org_id="3" * 12)) as is_taken:
        assert is_taken
    for one in [*with_turns, *others]:
        one.__exit__(None, None, None)
    with turns.taken(channel) as is_taken:
        assert is_taken


def test_what_waited_a_day_behind_others_is_given_up_with_them(api: Api, sqs: Queue, clock: Clock) -> None:
    with receiver(Reply(500)) as broken:
        add_channel(api, broken)
        ids = jobs(api, 3)
        for cron_id in ids:
            fail(api, cron_id)
        for _ in range(26):
            sqs.work_for(minutes=20)
            clock.pass_by(minutes=40)
            run_minute(clock.now)
            sqs.work()

        states = [
            api.get(f"/api/incidents/{api.cron(cron_id)['incident']['id']}").json["alerts"][0]["deliveries"]
            for cron_id in ids
        ]
    assert [[one["state"] for one in deliveries] for deliveries in states] == [["given_up"]] * 3
    assert sqs.messages == []


def test_a_message_of_nobodys_holds_up_no_other(api: Api, sqs: Queue, hook: Receiver) -> None:
    add_channel(api, hook)
    fail(api, jobs(api, 1)[0])
    [good] = sqs.take()

    with Client(app) as functions:
        event = functions.events.generate_sqs_event(["{", good, '{"alerts":[["only one"]]}'])
        ids = [record["messageId"] for record in event["Records"]]
        # The emulated event gives them all one id.
        for place, record in enumerate(event["Records"]):
            record["messageId"] = ids[place] = f"message {place}"
        answer = functions.lambda_.invoke("notify", event).payload

    assert answer == {"batchItemFailures": [{"itemIdentifier": ids[0]}, {"itemIdentifier": ids[2]}]}
    assert kinds(hook) == ["cron.failed"]


def test_a_shard_that_fails_is_answered_as_such(api: Api) -> None:
    with Client(app) as functions:
        event = functions.events.generate_sqs_event(["no shard"])
        answer = functions.lambda_.invoke("evaluate", event).payload

    assert answer == {"batchItemFailures": [{"itemIdentifier": event["Records"][0]["messageId"]}]}
