"""Alerts on their way: from the decision through the outbox to a real receiver."""

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from standardwebhooks import Webhook

from chalicelib.services.notify import send_due
from tests.api.client import Api, Clock
from tests.channels.receivers import Receiver, Reply, receiver

pytestmark = pytest.mark.usefixtures("private_allowed")


def add_channel(api: Api, to: Receiver, **more: Any) -> Any:
    answer = api.post("/api/channels", {"name": "ops", "kind": "webhook", "url": to.url, **more})
    assert answer.status == 201, answer.text
    return answer.json


def told(to: Receiver) -> list[str]:
    return [json.loads(got.body)["type"] for got in to.got]


def fail(api: Api, cron_id: str, message: str = "disk full") -> None:
    assert api.call("POST", f"/api/fail/{cron_id}", raw=message, content_type="text/plain", key=None).status == 200


def test_a_failure_arrives_signed_and_says_what_happened(api: Api, clock: Clock, hook: Receiver) -> None:
    channel = add_channel(api, hook)
    cron_id = api.new_cron(tags=["db"])

    fail(api, cron_id)
    send_due(clock.now)

    event = json.loads(hook.got[0].body)
    assert event["type"] == "cron.failed"
    assert event["data"]["cron"]["name"] == "backup"
    assert event["data"]["last_output"] == "disk full"
    assert event["data"]["incident"]["id"] == api.cron(cron_id)["incident"]["id"]
    webhook = Webhook(channel["secret"])
    headers = {**hook.got[0].headers, "webhook-timestamp": hook.got[0].headers["webhook-timestamp"]}
    sign = webhook.sign(headers["webhook-id"], clock.now, hook.got[0].body.decode())
    assert headers["webhook-signature"] == sign


def test_a_message_names_the_cron_and_holds_nothing_that_signals(api: Api, clock: Clock, hook: Receiver) -> None:
    add_channel(api, hook)
    names = {"product": "shop & co", "service": "nightly/eu", "name": "sauvegarde é"}
    cron = {"name": names["name"], "schedule": None}
    [cron_id] = api.register(cron, product=names["product"], service=names["service"])

    fail(api, cron_id)
    send_due(clock.now)

    sent = hook.got[0].body.decode()
    assert cron_id not in sent
    data = json.loads(sent)["data"]
    assert {name: data["cron"][name] for name in names} == names
    assert data["cron"]["url"] in data["text"]
    link = urlsplit(data["cron"]["url"])
    assert dict(parse_qsl(link.query)) == names
    # Who is not signed in is asked to, and then sees it.
    asked = api.get(f"{link.path}?{link.query}", key=None)
    assert asked.status == 303
    assert asked.headers["Location"].startswith("./signin?next=crons")
    # What the page, or a program with a key, finds by it.
    assert [one["id"] for one in api.get("/api/crons", **names).json["crons"]] == [cron_id]


def test_each_alert_is_sent_once(api: Api, clock: Clock, hook: Receiver) -> None:
    add_channel(api, hook)
    cron_id = api.new_cron()

    fail(api, cron_id)
    for _ in range(3):
        send_due(clock.now)
        clock.pass_by(minutes=5)
    api.post(f"/api/ping/{cron_id}", key=None)
    send_due(clock.now)

    assert told(hook) == ["cron.failed", "cron.recovered"]


def test_a_receiver_that_was_down_gets_all_in_order(api: Api, clock: Clock) -> None:
    with receiver(Reply(500), Reply(500), Reply(200)) as hook:
        add_channel(api, hook)
        cron_id = api.new_cron(schedule=None, max_runtime_seconds=60)
        fail(api, cron_id)
        send_due(clock.now)
        clock.pass_by(seconds=30)
        send_due(clock.now)
        other = api.register({"name": "other", "schedule": None})[0]
        clock.pass_by(seconds=130)
        fail(api, other)
        send_due(clock.now)

        assert told(hook) == ["cron.failed"] * 4
        ids = [got.headers["x-cronhub-delivery"] for got in hook.got]
        assert ids[0] == ids[1] == ids[2] != ids[3]


def test_one_channels_trouble_is_not_anothers(api: Api, clock: Clock, hook: Receiver) -> None:
    with receiver(Reply(500)) as broken:
        add_channel(api, broken)
        add_channel(api, hook, name="good")
        fail(api, api.new_cron())

        send_due(clock.now)

        assert (len(broken.got), len(hook.got)) == (1, 1)
        send_due(clock.now)
        assert (len(broken.got), len(hook.got)) == (1, 1)


def test_a_recovery_that_overtakes_its_opening_is_one_message(api: Api, clock: Clock) -> None:
    with receiver(Reply(500), Reply(200)) as hook:
        add_channel(api, hook)
        cron_id = api.new_cron()
        fail(api, cron_id)
        send_due(clock.now)
        clock.pass_by(minutes=1)
        api.post(f"/api/ping/{cron_id}", key=None)
        clock.pass_by(minutes=1)

        send_due(clock.now)

        assert told(hook) == ["cron.failed", "cron.recovered"]
        assert json.loads(hook.got[1].body)["data"]["downtime_seconds"] == 60


def test_what_the_receiver_never_takes_is_not_tried_again(api: Api, clock: Clock) -> None:
    with receiver(Reply(410, body=b"moved away")) as hook:
        add_channel(api, hook)
        fail(api, api.new_cron())

        for _ in range(3):
            send_due(clock.now)
            clock.pass_by(hours=2)

        assert len(hook.got) == 1
        channel = api.get("/api/channels").json["channels"][0]
        assert channel["failing_since"] is not None
        assert "moved away" in channel["last_error"]


def test_crons_that_recover_from_one_outage_are_told_together(api: Api, clock: Clock, hook: Receiver) -> None:
    add_channel(api, hook)
    ids = api.register(*({"name": f"job {n}", "schedule": "0 13 * * *", "grace_seconds": 60} for n in range(7)))
    clock.at("13:02:00")
    api.tick()
    send_due(clock.now)
    assert told(hook) == ["crons.down"]

    for cron_id in ids:
        clock.pass_by(seconds=9)
        api.post(f"/api/ping/{cron_id}", key=None)
        send_due(clock.now)
    assert told(hook) == ["crons.down"], "the first recovery waits for the others"
    clock.pass_by(minutes=2)
    send_due(clock.now)

    assert told(hook) == ["crons.down", "crons.up"]
    said = json.loads(hook.got[-1].body)["data"]
    assert (said["title"], said["count"]) == ("UP: 7 crons in shop/nightly, longest down: job 6", 7)
    assert (said["worst"]["cron"]["name"], said["alerts"][0]["data"]["downtime_seconds"]) == ("job 6", 123)


def test_a_recovery_of_a_single_cron_waits_for_nothing(api: Api, clock: Clock, hook: Receiver) -> None:
    add_channel(api, hook)
    cron_id = api.new_cron("0 13 * * *")
    fail(api, cron_id)
    send_due(clock.now)
    clock.pass_by(seconds=9)
    api.post(f"/api/ping/{cron_id}", key=None)
    send_due(clock.now)

    assert told(hook) == ["cron.failed", "cron.recovered"]


def test_crons_that_go_down_together_are_told_of_together(api: Api, clock: Clock, hook: Receiver) -> None:
    add_channel(api, hook)
    api.register(*({"name": f"job {n}", "schedule": "0 13 * * *"} for n in range(7)))
    clock.at("14:30:00")

    api.tick()
    send_due(clock.now)

    assert told(hook) == ["crons.down"]
    event = json.loads(hook.got[0].body)
    assert {one["data"]["cron"]["name"] for one in event["data"]["alerts"]} == {f"job {n}" for n in range(7)}


def test_filters_and_quiet_kinds(api: Api, clock: Clock, hook: Receiver) -> None:
    add_channel(api, hook, filters={"services": ["elsewhere"]})
    with receiver() as late:
        add_channel(api, late, filters={"kinds": ["late"]})
        api.new_cron("0 13 * * *", grace_seconds=3600)
        clock.at("13:20:00")
        api.tick()
        clock.at("14:00:00")
        api.tick()
        send_due(clock.now)

        assert told(late) == ["cron.late"]
    assert hook.got == []


def test_maintenance_holds_and_then_tells_what_is_still_wrong(api: Api, clock: Clock, hook: Receiver) -> None:
    add_channel(api, hook)
    down, recovers = api.register({"name": "down", "schedule": None}, {"name": "recovers", "schedule": None})
    window = {"name": "w", "starts_at": "2026-03-10T11:00:00Z", "ends_at": "2026-03-10T13:00:00Z"}
    api.post("/api/maintenance", window)

    fail(api, down)
    fail(api, recovers)
    clock.pass_by(minutes=30)
    api.post(f"/api/ping/{recovers}", key=None)
    api.tick()
    send_due(clock.now)
    held = list(hook.got)
    assert api.cron(down)["status"] == "in_maintenance"
    clock.at("13:00:00")
    api.tick()
    send_due(clock.now)

    assert held == []
    assert [json.loads(got.body)["data"]["cron"]["name"] for got in hook.got] == ["down"]
    assert api.cron(down)["status"] == "down"


def test_a_miss_says_once_when_it_was_expected_in_the_crons_own_zone(
    api: Api, clock: Clock, hook: Receiver
) -> None:
    add_channel(api, hook)
    api.new_cron("0 14 * * *", grace_seconds=60, timezone="Europe/Paris")
    clock.at("13:01:00")
    api.tick()
    send_due(clock.now)

    (got,) = hook.got
    said = json.loads(got.body)["data"]["text"].splitlines()
    assert [line for line in said if "xpected" in line] == ["Expected at 2026-03-10 14:00:00 Europe/Paris."]


def test_what_maintenance_held_is_told_at_its_end_with_its_own_content(
    api: Api, clock: Clock, hook: Receiver
) -> None:
    add_channel(api, hook)
    api.new_cron("0 13 * * *", grace_seconds=60)
    window = {"name": "w", "starts_at": "2026-03-10T13:00:30Z", "ends_at": "2026-03-10T14:00:00Z"}
    api.post("/api/maintenance", window)

    for time in ("13:02:00", "14:00:00"):
        clock.at(time)
        api.tick()
    send_due(clock.now)

    (got,) = hook.got
    data = json.loads(got.body)["data"]
    assert data["kind"] == "missed"
    assert data["incident"]["opened_at"] == "2026-03-10T13:01:00Z"
    assert "Expected at 2026-03-10 13:00:00 UTC." in data["text"]
    assert data["expected_at"] == "2026-03-10T13:00:00Z"


def test_what_was_due_in_maintenance_is_never_told(api: Api, clock: Clock, hook: Receiver) -> None:
    add_channel(api, hook)
    api.new_cron("0 13 * * *", grace_seconds=60)
    window = {"name": "w", "starts_at": "2026-03-10T12:30:00Z", "ends_at": "2026-03-10T14:00:00Z"}
    api.post("/api/maintenance", window)

    for time in ("13:02:00", "14:00:00", "14:05:00"):
        clock.at(time)
        api.tick()
    send_due(clock.now)

    assert hook.got == []


def test_a_channel_is_not_told_of_what_was_before_it(api: Api, clock: Clock, hook: Receiver) -> None:
    fail(api, api.new_cron())
    clock.pass_by(seconds=1)
    add_channel(api, hook)

    send_due(clock.now)

    assert hook.got == []


def test_a_sender_that_died_is_followed_by_another(
    api: Api, clock: Clock, hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_channel(api, hook)
    fail(api, api.new_cron())
    with monkeypatch.context() as patched:
        patched.setattr("chalicelib.services.channel_queue.deliver", _die)
        with pytest.raises(KeyboardInterrupt):
            send_due(clock.now)

    send_due(clock.now)
    at_once = len(hook.got)
    clock.pass_by(seconds=60)
    send_due(clock.now)

    assert at_once == 0  # the claim of the one that died still stands
    assert told(hook) == ["cron.failed"]


def _die(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_message_says_what_else_of_the_service_is_down(api: Api, clock: Clock, hook: Receiver) -> None:
    first, second = api.register({"name": "import", "schedule": None}, {"name": "export", "schedule": None})
    [elsewhere] = api.register({"name": "mail", "schedule": None}, service="other")
    fail(api, first)
    fail(api, elsewhere)
    clock.pass_by(seconds=1)
    add_channel(api, hook)

    fail(api, second)
    send_due(clock.now)

    data = json.loads(hook.got[0].body)["data"]
    assert data["also_down"] == ["import"]
    assert "Also down in this service: import." in data["text"]


def test_a_channel_that_fails_for_a_day_is_told_of_once_over_the_others(
    api: Api, clock: Clock, hook: Receiver
) -> None:
    with receiver(Reply(500, body=b"out of order")) as broken:
        add_channel(api, broken, name="pager")
        add_channel(api, hook, filters={"services": ["elsewhere"]})
        crons = api.register({"name": "import", "schedule": None}, {"name": "export", "schedule": None})
        for cron_id in crons:
            fail(api, cron_id)
        for _ in range(26):
            send_due(clock.now)
            clock.pass_by(hours=1)

        assert told(hook) == ["notice.channel_failing"]
        event = json.loads(hook.got[0].body)
        assert event["data"]["cron"] is None
        assert "out of order" in event["data"]["text"]
        failing = {one["name"]: one["failing"] for one in api.get("/api/channels").json["channels"]}
        assert failing == {"pager": True, "ops": False}
        assert told(broken).count("notice.channel_failing") == 0


def test_a_channel_that_works_again_is_no_longer_failing(api: Api, clock: Clock, hook: Receiver) -> None:
    tries_of_a_day = 25
    with receiver(*[Reply(500)] * tries_of_a_day, Reply(200)) as broken:
        add_channel(api, broken, name="pager")
        fail(api, api.new_cron(schedule=None))
        for _ in range(27):
            send_due(clock.now)
            clock.pass_by(hours=1)
        assert api.get("/api/channels").json["channels"][0]["failing"]
        assert len(broken.got) == tries_of_a_day
        fail(api, api.register({"name": "other", "schedule": None})[0])

        send_due(clock.now)

        channel = api.get("/api/channels").json["channels"][0]
        assert (channel["failing"], channel["failing_since"], channel["last_error"]) == (False, None, None)


def test_an_incident_shows_each_delivery(api: Api, clock: Clock, hook: Receiver) -> None:
    with receiver(Reply(500, body=b"no")) as broken:
        bad, good = add_channel(api, broken), add_channel(api, hook, name="good")
        cron_id = api.new_cron()
        fail(api, cron_id)
        send_due(clock.now)

        incident = api.get(f"/api/incidents/{api.cron(cron_id)['incident']['id']}").json

    [alert] = incident["alerts"]
    assert (alert["kind"], alert["detail"]) == ("failed", "failed")
    by_channel = {one["channel_id"]: one for one in alert["deliveries"]}
    assert by_channel[good["id"]]["state"] == "delivered"
    assert (by_channel[bad["id"]]["state"], by_channel[bad["id"]]["attempts"]) == ("pending", 1)
    assert by_channel[bad["id"]]["next_at"] == "2026-03-10T12:00:30Z"
    assert "no" in by_channel[bad["id"]]["error"]


def test_reminders_go_out_until_somebody_has_it_in_hand(api: Api, clock: Clock, hook: Receiver) -> None:
    add_channel(api, hook)
    cron_id = api.new_cron(schedule=None, reminder_seconds=3600)
    fail(api, cron_id)
    for _ in range(3):
        api.tick()
        send_due(clock.now)
        clock.pass_by(hours=1)
    incident_id = api.cron(cron_id)["incident"]["id"]
    assert api.post(f"/api/incidents/{incident_id}/acknowledge", {"by": "Ada", "note": "on it"}).status == 200
    for _ in range(3):
        api.tick()
        send_due(clock.now)
        clock.pass_by(hours=1)

    assert told(hook) == ["cron.failed", "cron.reminder", "cron.reminder"]
