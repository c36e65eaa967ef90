"""Cronitor's monitors as its clients keep them (group F of the recorded requests)."""

from base64 import b64encode
from typing import Any

import pytest
import yaml

from tests.api.client import Api, Clock
from tests.api.compat.wire import Reply, send

NIGHTLY = {
    "key": "Nightly.Job",
    "type": "job",
    "name": "Nightly job",
    "schedule": "0 2 * * *",
    "timezone": "Europe/Paris",
    "grace_seconds": 120,
    "failure_tolerance": 1,
    "notify": ["on-call"],
    "assertions": ["metric.duration < 5 min"],
    "tags": ["db"],
    "note": "Dumps the database",
    "platform": "linux cron",
}
FILE = """
jobs:
  nightly:
    schedule: 0 2 * * *
    notify: [default]
heartbeats:
  worker:
    schedule: every 5 minutes
    grace_seconds: 60
checks:
  site:
    schedule: every 60 seconds
    request: {url: "https://example.com"}
"""


class Cronitor:
    def __init__(self, key: str) -> None:
        self.auth = f"Basic {b64encode(f'{key}:'.encode()).decode()}"

    def call(self, method: str, path: str = "", body: Any = b"", **headers: str) -> Reply:
        sent = {"Authorization": self.auth, "Content_Type": "application/json", **headers}
        return send(method, f"/api/monitors{path}", body, **sent)

    def put(self, *monitors: Any, **more: Any) -> Any:
        reply = self.call("PUT", "", {"monitors": list(monitors), **more}, Cronitor_Version="2020-10-01")
        assert reply.status == 200, reply.text
        return reply.json["monitors"]


@pytest.fixture
def cronitor(api: Api) -> Cronitor:
    return Cronitor(api.key or "")


def test_a_monitor_is_made_and_comes_back_as_it_was_sent(api: Api, cronitor: Cronitor) -> None:
    (made,) = cronitor.put(NIGHTLY)
    (cron,) = api.get("/api/crons").json["crons"]

    assert {name: made[name] for name in NIGHTLY} == NIGHTLY
    assert (cron["name"], cron["slug"], cron["schedule"]) == ("Nightly job", "nightlyjob", "0 2 * * *")
    assert (cron["grace_seconds"], cron["failure_tolerance"], cron["tags"]) == (120, 1, ["db"])
    assert cronitor.call("GET", "/Nightly.Job").json == made
    assert cronitor.call("GET").json["monitors"] == [made]
    assert (made["passing"], made["paused"], made["initialized"]) == (True, False, False)


def test_the_same_again_changes_nothing_and_a_change_keeps_the_rest(api: Api, cronitor: Cronitor) -> None:
    first = cronitor.put(NIGHTLY)

    assert cronitor.put(NIGHTLY) == first
    (changed,) = cronitor.put({"key": "Nightly.Job", "schedule": "every 2 weeks"})
    assert (changed["schedule"], changed["assertions"], changed["note"]) == (
        "every 2 weeks",
        NIGHTLY["assertions"],
        NIGHTLY["note"],
    )
    assert api.get("/api/crons").json["crons"][0]["schedule"] == "@every 14d"


def test_what_pinged_before_is_found_by_its_key(api: Api, cronitor: Cronitor) -> None:
    send("GET", f"/p/{api.key}/Nightly.Job?state=fail")

    (monitor,) = cronitor.put(NIGHTLY)

    assert (monitor["passing"], monitor["initialized"]) == (False, True)
    assert len(api.get("/api/crons").json["crons"]) == 1


def test_rollback_only_checks(api: Api, cronitor: Cronitor) -> None:
    assert cronitor.put(NIGHTLY, rollback=True)[0]["key"] == "Nightly.Job"
    assert api.get("/api/crons").json["crons"] == []


@pytest.mark.parametrize("path", ["", ".yaml"])
def test_a_yaml_file_comes_back_in_its_form(api: Api, cronitor: Cronitor, path: str) -> None:
    trial = cronitor.call("PUT", path, FILE + "rollback: true\n", Content_Type="application/yaml")
    assert api.get("/api/crons").json["crons"] == []

    reply = cronitor.call("PUT", path, FILE, Content_Type="application/yaml")

    assert (trial.status, reply.status) == (200, 200), reply.text
    saved = yaml.safe_load(reply.text)
    assert {section: sorted(monitors) for section, monitors in saved.items()} == {
        "jobs": ["nightly"],
        "heartbeats": ["worker"],
        "checks": ["site"],
    }
    assert saved["heartbeats"]["worker"]["schedule"] == "every 5 minutes"
    assert saved["checks"]["site"]["request"] == {"url": "https://example.com"}
    schedules = {cron["name"]: cron["schedule"] for cron in api.get("/api/crons").json["crons"]}
    assert schedules == {"nightly": "0 2 * * *", "worker": "@every 5m", "site": None}
    assert yaml.safe_load(cronitor.call("GET", ".yaml").text) == saved
    assert cronitor.call("PUT", ".yaml", reply.text, Content_Type="application/yaml").text == reply.text


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"monitors": [{"key": ""}]}, "monitors[0].key"),
        ({"monitors": [{"type": "job"}]}, "monitors[0].key"),
        ({"monitors": [{"key": "a", "schedule": "now and then"}]}, "monitors[0].schedule"),
        ({"monitors": [{"key": "a", "timezone": "Mars"}]}, "monitors[0].timezone"),
        ({"monitors": [{"key": "a", "type": "robot"}]}, "monitors[0].type"),
        ({"monitors": [{"key": "a"}, {"key": "A"}]}, "monitors[1].key"),
        ({"monitors": "a"}, "monitors"),
        ({}, "monitors"),
        ("[]", "JSON object"),
        ("{", "not JSON"),
    ],
)
def test_bad_input_is_400_in_plain_text(api: Api, cronitor: Cronitor, body: Any, said: str) -> None:
    reply = cronitor.call("PUT", "", body)

    assert reply.status == 400
    assert said in reply.text
    assert reply.headers["Content-Type"].startswith("text/plain")
    assert api.get("/api/crons").json["crons"] == []


@pytest.mark.parametrize(
    "body", ["jobs: [a]", "jobs: {a: 1}", "- a", "a: &x [1]\njobs: {b: *x}", "{", "jobs: {a: {schedule: x}}"]
)
def test_bad_yaml_is_400(api: Api, cronitor: Cronitor, body: str) -> None:
    assert cronitor.call("PUT", ".yaml", body, Content_Type="application/yaml").status == 400


def test_a_monitor_is_paused_for_some_hours_and_resumed(api: Api, clock: Clock, cronitor: Cronitor) -> None:
    cronitor.put({**NIGHTLY, "schedule": "* * * * *"})

    assert cronitor.call("GET", "/Nightly.Job/pause/2").json["paused"] is True
    clock.pass_by(hours=1)
    assert cronitor.call("GET", "/Nightly.Job").json["paused"] is True
    clock.pass_by(hours=1, minutes=1)
    assert cronitor.call("GET", "/Nightly.Job").json["paused"] is False
    assert cronitor.call("GET", "/Nightly.Job/pause").json["paused"] is True
    assert cronitor.call("GET", "/Nightly.Job/pause/0").json["paused"] is False
    assert cronitor.call("GET", "/Nightly.Job/pause/soon").status == 400


def test_a_deleted_monitor_is_gone(cronitor: Cronitor) -> None:
    cronitor.put(NIGHTLY)

    assert cronitor.call("DELETE", "/Nightly.Job").status == 204
    assert cronitor.call("DELETE", "/Nightly.Job").status == 404
    assert cronitor.call("GET", "/Nightly.Job").status == 404


def test_a_wrong_key_is_401_and_never_404(api: Api) -> None:
    for key in ("", "x" * 32, "ch_" + "0" * 40):
        for method, path in (("GET", ""), ("GET", "/a"), ("DELETE", "/a"), ("GET", "/a/pause/1"), ("PUT", "")):
            reply = Cronitor(key).call(method, path, {"monitors": [NIGHTLY]} if method == "PUT" else b"")
            assert reply.status == 401, (method, path)
    assert Cronitor(api.new_key("read")).call("DELETE", "/a").status == 403


def test_monitors_are_listed_by_the_page_and_environments_as_one(api: Api, cronitor: Cronitor) -> None:
    cronitor.put(*({"key": f"job-{n}", "type": "job"} for n in range(4)), {"key": "beat", "type": "heartbeat"})
    send("GET", f"/p/{api.key}/beat?state=fail&env=staging")

    page = cronitor.call("GET", "?page=2&pageSize=3").json
    assert (page["page"], page["page_size"], page["total_monitor_count"]) == (2, 3, 5)
    assert [one["key"] for one in page["monitors"]] == ["job-2", "job-3"]
    (beat,) = cronitor.call("GET", "?type=heartbeat").json["monitors"]
    assert (beat["environments"], beat["passing"]) == (["production", "staging"], False)
