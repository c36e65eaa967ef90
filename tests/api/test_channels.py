"""Channels through the API."""

import logging
import socket
from typing import Any

import pytest
from standardwebhooks import Webhook

from chalicelib.channels.message import Outcome
from chalicelib.channels.send import deliver
from chalicelib.domain.errors import ConcurrentUpdate, NotFound
from chalicelib.outbound import http
from chalicelib.services import channels, throttle
from chalicelib.store import channels as stored
from tests.api.client import Answer, Api, Clock
from tests.channels.receivers import Receiver, Reply, receiver

HOOK = {
    "name": "Ops",
    "kind": "webhook",
    "url": "https://hooks.example.com/very-secret-path?token=very-secret-token",
}
DISCORD = {"name": "Chat", "kind": "apprise", "url": "discord://4174216298/very-secret-token-of-discord"}
TOPIC = {"name": "Topic", "kind": "sns", "url": "arn:aws:sns:eu-west-1:123456789012:alerts"}
UNKNOWN = "01arz3ndektsv4rrffq69g5fav"
NO_FILTERS: dict[str, list[str]] = {
    name: [] for name in ("products", "services", "project_ids", "tags", "kinds", "severities")
}


@pytest.fixture(autouse=True)
def _names(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test asks for a name outside: those of example.com are public, `inside.test` is not."""

    def resolve(host: str, port: int) -> list[http.Address]:
        known = {"inside.test": "10.0.0.1", "127.0.0.1": "127.0.0.1"}
        if host not in known and not host.endswith("example.com"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, (known.get(host, "93.184.215.14"), port))]

    monkeypatch.setattr(http, "resolve", resolve)


def made(api: Api, shape: dict[str, Any] = HOOK, **more: Any) -> Any:
    answer = api.post("/api/channels", {**shape, **more})
    assert answer.status == 201, answer.text
    return answer.json


def path(channel: Any, more: str = "") -> str:
    return f"/api/channels/{channel['id']}{more}"


def tried(api: Api, channel: Any) -> Any:
    answer = api.post(path(channel, "/test"))
    assert answer.status == 200, answer.text
    return answer.json


def test_a_webhook_is_made_and_its_secret_shown_once(api: Api) -> None:
    channel = made(api)

    assert channel.pop("secret").startswith("whsec_")
    assert channel == {
        "id": channel["id"],
        "name": "Ops",
        "kind": "webhook",
        "url": "https://hooks.example.com/…",
        "filters": NO_FILTERS,
        "live_secrets": 1,
        "confirmed": True,
        "failing": False,
        "failing_since": None,
        "last_error": None,
        "last_delivered_at": None,
        "created_at": "2026-03-10T12:00:00Z",
    }
    assert api.get(path(channel)).json == channel
    assert api.get("/api/channels").json == {"channels": [channel], "next_cursor": None}


@pytest.mark.parametrize(
    ("shape", "shown"),
    [(DISCORD, "discord://…"), (TOPIC, "arn:aws:sns:eu-west-1:…:alerts")],
)
def test_other_kinds_have_no_secret(api: Api, shape: dict[str, Any], shown: str) -> None:
    channel = made(api, shape)

    assert "secret" not in channel
    assert (channel["kind"], channel["url"], channel["live_secrets"]) == (shape["kind"], shown, 0)


def test_a_channel_keeps_its_filters(api: Api) -> None:
    project = api.post("/api/projects", {"name": "p1"}).json["id"]
    filters = {
        "products": ["shop"],
        "services": ["nightly", "hourly"],
        "project_ids": [project],
        "tags": ["db", "eu"],
        "kinds": ["missed", "late", "blocked", "reminder", "recovered"],
        "severities": ["critical", "info"],
    }
    channel = made(api, filters=filters | {"tags": ["db", "eu", "db"]})

    assert api.get(path(channel)).json["filters"] == filters
    assert api.patch(path(channel), {"filters": {"tags": ["us"]}}).json["filters"] == NO_FILTERS | {"tags": ["us"]}
    assert api.patch(path(channel), {"name": "New"}).json["filters"] == NO_FILTERS | {"tags": ["us"]}
    assert api.patch(path(channel), {"filters": None}).json["filters"] == NO_FILTERS
    assert api.get(path(channel)).json["filters"] == NO_FILTERS


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": None}, "name"),
        ({"name": " "}, "name"),
        ({"name": "x" * 129}, "name"),
        ({"kind": "pigeon"}, "kind"),
        ({"kind": None}, "kind"),
        ({"kind": 5}, "kind"),
        ({"url": None}, "url"),
        ({"url": ""}, "url"),
        ({"url": 5}, "url"),
        ({"url": "x" * 2001}, "url"),
        ({"url": "hooks.example.com"}, "url"),
        ({"url": "ftp://hooks.example.com/"}, "url"),
        ({"url": "https://user:pw@hooks.example.com/"}, "url"),
        ({"url": "https://nowhere.test/"}, "url"),
        ({"url": "https://inside.test/"}, "url"),
        ({"url": "http://127.0.0.1:9/"}, "url"),
        ({"kind": "apprise"}, "url"),
        ({"kind": "apprise", "url": "syslog://"}, "url"),
        ({"kind": "apprise", "url": "json://inside.test/x"}, "url"),
        ({"kind": "apprise", "url": "discord://short"}, "url"),
        ({"kind": "sns"}, "url"),
        ({"kind": "sns", "url": "arn:aws:sqs:eu-west-1:123456789012:q"}, "url"),
        ({"filters": []}, "filters"),
        ({"filters": {"product": ["shop"]}}, "filters.product"),
        ({"filters": {"products": "shop"}}, "filters.products"),
        ({"filters": {"products": ["shop", ""]}}, "filters.products[1]"),
        ({"filters": {"tags": [f"t{n}" for n in range(51)]}}, "filters.tags"),
        ({"filters": {"kinds": ["missing"]}}, "filters.kinds[0]"),
        ({"filters": {"severities": ["bad"]}}, "filters.severities[0]"),
        ({"secret": "whsec_mine"}, "secret"),
        ({"confirmed": True}, "confirmed"),
    ],
)
def test_a_channel_that_makes_no_sense_is_refused_by_field(api: Api, change: dict[str, Any], field: str) -> None:
    answer = api.post("/api/channels", HOOK | change)

    assert (answer.status, answer.wrong_fields) == (422, [field])
    assert api.get("/api/channels").json["channels"] == []


def test_what_a_channel_must_have(api: Api) -> None:
    answer = api.post("/api/channels", {})

    assert (answer.status, answer.wrong_fields) == (422, ["name", "kind", "url"])


def test_a_url_that_is_refused_is_not_repeated(api: Api) -> None:
    for shape in (
        HOOK | {"url": "https://nowhere.test/very-secret-path"},
        HOOK | {"url": "https://user:very-secret-path@example.com/"},
        DISCORD | {"url": "discord://very-secret-path"},
        DISCORD | {"url": "json://user:very-secret-path@inside.test/x"},
        TOPIC | {"url": "very-secret-path"},
    ):
        answer = api.post("/api/channels", shape)
        assert answer.status == 422
        assert "very-secret-path" not in answer.text


def test_a_channel_is_changed(api: Api) -> None:
    channel = made(api)
    answer = api.patch(path(channel), {"name": "Night", "url": "https://other.example.com/x"})

    assert answer.status == 200
    assert (answer.json["name"], answer.json["url"]) == ("Night", "https://other.example.com/…")
    assert api.get(path(channel)).json == answer.json


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"url": "https://inside.test/"}, "url"),
        ({"url": None}, "url"),
        ({"name": ""}, "name"),
        ({"kind": "sns"}, "kind"),
        ({"filters": {"kinds": ["x"]}}, "filters.kinds[0]"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(api: Api, change: dict[str, Any], field: str) -> None:
    channel = made(api)
    answer = api.patch(path(channel), change)

    assert (answer.status, answer.wrong_fields) == (422, [field])
    del channel["secret"]
    assert api.get(path(channel)).json == channel


def test_a_channel_is_removed(api: Api) -> None:
    channel = made(api)

    assert api.delete(path(channel)).status == 204
    assert api.delete(path(channel)).status == 404
    assert api.get(path(channel)).status == 404
    assert api.get("/api/channels").json["channels"] == []


def each_route(channel_id: str) -> list[tuple[str, str, Any]]:
    one = f"/api/channels/{channel_id}"
    return [
        ("GET", one, None),
        ("PATCH", one, {"name": "x"}),
        ("DELETE", one, None),
        ("POST", f"{one}/test", None),
        ("POST", f"{one}/rotate-secret", None),
    ]


@pytest.mark.parametrize("channel_id", [UNKNOWN, "x", "a" * 500, "%00"])
def test_an_unknown_channel_is_not_found(api: Api, channel_id: str) -> None:
    assert [api.call(*route).status for route in each_route(channel_id)] == [404] * 5


def test_another_orgs_channel_is_not_found(api: Api) -> None:
    channel = made(api)
    other = api.new_org("other-org")
    answers = [api.call(*route, key=other) for route in each_route(channel["id"])]

    assert [answer.status for answer in answers] == [404] * 5
    assert api.get("/api/channels", key=other).json["channels"] == []
    assert api.get(path(channel)).json["name"] == "Ops"


def test_who_may_do_what(api: Api) -> None:
    channel = made(api)
    routes = [("GET", "/api/channels", None), ("POST", "/api/channels", HOOK), *each_route(channel["id"])]

    def statuses(key: str | None) -> list[int]:
        return [api.call(method, where, body, key=key).status for method, where, body in routes]

    assert statuses(None) == [401] * 7
    assert statuses(api.new_key("ingest")) == [403] * 7
    assert statuses(api.new_key("read")) == [200, 403, 200, 403, 403, 403, 403]


def test_lists_go_on_by_cursor(api: Api, clock: Clock) -> None:
    for number in range(5):
        made(api, TOPIC, name=f"n{number}")
        clock.pass_by(seconds=1)
    names: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        answer = api.get("/api/channels", **query).json
        names += [channel["name"] for channel in answer["channels"]]
        if answer["next_cursor"] is None:
            break
        query["cursor"] = answer["next_cursor"]

    assert names == ["n0", "n1", "n2", "n3", "n4"]
    for bad in ({"cursor": "x"}, {"limit": 0}, {"limit": "x"}, {"kind": "sns"}):
        assert api.get("/api/channels", **bad).wrong_fields == list(bad)


def test_an_org_has_50_channels_at_most(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    assert channels.MOST_CHANNELS == 50
    monkeypatch.setattr(channels, "MOST_CHANNELS", 2)
    made(api, TOPIC)
    first = made(api, TOPIC)
    refused = api.post("/api/channels", TOPIC)
    api.delete(path(first))

    assert refused.status == 409
    made(api, TOPIC)


def test_a_test_is_sent_and_its_outcome_told(api: Api, hook: Receiver, clock: Clock) -> None:
    channel = made(api, url=hook.url)
    answer = tried(api, channel)

    (got,) = hook.got
    assert answer == {"delivered": True, "outcome": "delivered", "detail": "answered 200"}
    assert b'"type":"channel.test"' in got.body
    assert b"[TEST] Ops" in got.body
    assert Webhook(channel["secret"])
    assert api.get(path(channel)).json["last_delivered_at"] == "2026-03-10T12:00:00Z"


def test_a_failing_receiver_shows_since_when_until_one_goes_well(
    api: Api, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    monkeypatch.setenv("CRONHUB_ALLOW_PRIVATE_TARGETS", "1")
    with receiver(Reply(500, {}, b"out of order"), Reply(410, {}, b"gone"), Reply(200)) as one:
        channel = made(api, url=one.url)
        answers, seen = [], []
        for _ in range(3):
            answers.append(tried(api, channel))
            shown = api.get(path(channel)).json
            seen.append((shown["failing_since"], shown["last_error"], shown["last_delivered_at"]))
            clock.pass_by(minutes=1)

    assert answers == [
        {"delivered": False, "outcome": "later", "detail": "answered 500: out of order"},
        {"delivered": False, "outcome": "refused", "detail": "answered 410: gone"},
        {"delivered": True, "outcome": "delivered", "detail": "answered 200"},
    ]
    assert seen == [
        ("2026-03-10T12:00:00Z", "answered 500: out of order", None),
        ("2026-03-10T12:00:00Z", "answered 410: gone", None),
        (None, None, "2026-03-10T12:02:00Z"),
    ]


def test_a_change_leaves_how_it_goes_but_a_new_url_starts_afresh(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRONHUB_ALLOW_PRIVATE_TARGETS", "1")
    with receiver(Reply(500)) as one:
        channel = made(api, url=one.url)
        tried(api, channel)
        renamed = api.patch(path(channel), {"name": "New", "url": one.url}).json
        moved = api.patch(path(channel), {"url": one.url + "x"}).json

    assert renamed["last_error"] == "answered 500"
    assert (moved["last_error"], moved["failing_since"]) == (None, None)
    assert api.get(path(channel)).json == moved


def test_a_name_that_has_moved_inside_since_is_not_sent_to(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    channel = made(api)
    monkeypatch.setattr(http, "resolve", lambda _, port: [(socket.AF_INET, ("127.0.0.1", port))])
    answer = tried(api, channel)

    assert (answer["delivered"], answer["outcome"]) == (False, "refused")
    assert "loopback" in answer["detail"]


def test_tests_are_throttled(api: Api, hook: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    channel = made(api, url=hook.url)
    monkeypatch.setenv("CRONHUB_THROTTLE", "on")
    monkeypatch.setattr(channels, "TESTS", throttle.TESTS._replace(uses=2, free=1, lease=1))
    statuses = [api.post(path(channel, "/test")).status for _ in range(4)]

    assert statuses == [200, 200, 429, 429]


def test_tests_that_take_long_leave_room_for_other_requests(
    api: Api, hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = made(api, url=hook.url)
    asked: list[int] = []
    answered: list[int] = []

    def slow(*given: Any) -> Outcome:
        # While this one is under way, two more are asked for.
        if len(asked) < 2:
            asked.append(1)
            answered.append(api.post(path(channel, "/test")).status)
        return deliver(*given)

    monkeypatch.setattr(channels, "deliver", slow)

    assert api.post(path(channel, "/test")).status == 200
    assert answered == [429, 200]
    assert api.post(path(channel, "/test")).status == 200


def verifies(secret: str, hook: Receiver) -> bool:
    got = hook.got[-1]
    signed = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
    import base64
    import hashlib
    import hmac

    mac = hmac.new(base64.b64decode(secret.removeprefix("whsec_")), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(mac).decode()}" in got.headers["webhook-signature"].split(" ")


def test_a_secret_is_followed_by_another_and_both_are_good_meanwhile(api: Api, hook: Receiver) -> None:
    channel = made(api, url=hook.url)
    secrets = [channel["secret"]]
    live = []
    for _ in range(3):
        tried(api, channel)
        live.append([verifies(secret, hook) for secret in secrets])
        answer = api.post(path(channel, "/rotate-secret"))
        assert answer.status == 200
        secrets.append(answer.json["secret"])

    assert len(set(secrets)) == 4
    assert live == [[True], [True, True], [False, True, True]]
    assert answer.json["live_secrets"] == 2
    assert "secret" not in api.get(path(channel)).json


def test_a_change_keeps_the_secret(api: Api, hook: Receiver) -> None:
    channel = made(api, url=hook.url)
    api.patch(path(channel), {"name": "New", "url": hook.url + "x", "filters": {"tags": ["a"]}})
    tried(api, channel)

    assert verifies(channel["secret"], hook)


def test_the_old_secret_can_be_ended(api: Api, hook: Receiver) -> None:
    channel = made(api, url=hook.url)
    new = api.post(path(channel, "/rotate-secret")).json["secret"]
    answer = api.post(path(channel, "/rotate-secret"), {"drop_old": True})
    tried(api, channel)

    assert (answer.status, answer.json["live_secrets"], "secret" in answer.json) == (200, 1, False)
    assert [verifies(secret, hook) for secret in (channel["secret"], new)] == [False, True]


def test_only_webhooks_are_signed(api: Api) -> None:
    assert api.post(path(made(api, TOPIC), "/rotate-secret")).status == 409


@pytest.mark.parametrize("body", [{"drop_old": "yes"}, {"drop_old": None}, {"secret": "x"}])
def test_a_rotation_that_makes_no_sense_is_refused(api: Api, body: dict[str, Any]) -> None:
    answer = api.post(path(made(api), "/rotate-secret"), body)

    assert (answer.status, answer.wrong_fields) == (422, list(body))


def test_a_test_takes_no_fields(api: Api) -> None:
    assert api.post(path(made(api), "/test"), {"to": "x"}).wrong_fields == ["to"]


def test_secrets_are_in_no_answer_and_no_log(
    api: Api, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG, "cronhub")
    answers: list[Answer] = []
    monkeypatch.setenv("CRONHUB_ALLOW_PRIVATE_TARGETS", "1")
    with receiver(Reply(500, {}, b"of /hook/very-secret-path")) as one:
        shapes = (
            HOOK | {"url": one.url},
            DISCORD | {"url": f"json://user:very-secret-token@127.0.0.1:{one.port}/x"},
        )
        for channel in [made(api, shape) for shape in shapes]:
            answers.append(api.post(path(channel, "/test")))
            answers.append(api.get(path(channel)))
            answers.append(api.patch(path(channel), {"name": "New"}))
            answers.append(api.post("/api/channels", {"name": channel.get("secret")}))
        answers.append(api.get("/api/channels"))

    told = caplog.text + "".join(answer.text for answer in answers[:-2] + answers[-1:])
    for secret in ("very-secret-path", "very-secret-token", "whsec_"):
        assert secret not in told


def test_two_changes_at_once_both_count(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    channel = made(api)
    real = stored.save_channel
    lost: list[int] = []

    def save(*args: Any, **more: Any) -> Any:
        if not lost:
            lost.append(1)
            raise ConcurrentUpdate
        return real(*args, **more)

    monkeypatch.setattr(stored, "save_channel", save)

    assert api.patch(path(channel), {"name": "New"}).json["name"] == "New"


def test_nothing_is_noted_of_a_channel_that_is_gone(api: Api, clock: Clock) -> None:
    channel = made(api)
    api.delete(path(channel))
    org_id = api.post("/api/orgs", {"name": "x", "slug": "x"}, key=None).json["id"]
    stored.note_failed(org_id, channel["id"], clock.now, "x")
    stored.note_delivered(org_id, channel["id"], clock.now)

    with pytest.raises(NotFound):
        channels.find(org_id, channel["id"])
