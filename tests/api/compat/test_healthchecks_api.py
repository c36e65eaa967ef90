"""Healthchecks' Management API as its clients use it (group E of the recorded requests)."""

import json
from typing import Any

import pytest

from tests.api.client import Api, Clock
from tests.api.compat.wire import Reply, send

CHECKS = "/api/v3/checks/"
WRONG = {
    "name": (7, "name is not a string"),
    "slug": ("Nightly", "slug does not match pattern"),
    "desc": (None, "desc is not a string"),
    "timeout": (59, "timeout is too small"),
    "grace": (31_536_001, "grace is too large"),
    "schedule": ("* * *", "schedule is not a valid cron or OnCalendar expression"),
    "tz": ("Mars/Base", "tz is not a valid timezone"),
    "methods": ("GET", "methods has unexpected value"),
    "manual_resume": (1, "manual_resume is not a boolean"),
    "unique": ("name", "unique is not an array"),
    "tags": ("x" * 501, "tags is too long"),
}


class Hc:
    def __init__(self, key: str, version: int = 3) -> None:
        self.key = key
        self.base = f"/api/v{version}"

    def call(self, method: str, path: str, body: Any = b"", **headers: str) -> Reply:
        reply = send(method, f"{self.base}{path}", body, **{"X_Api_Key": self.key, **headers})
        assert reply.headers["Access-Control-Allow-Origin"] == "*"
        return reply

    def get(self, path: str) -> Any:
        reply = self.call("GET", path)
        assert reply.status == 200, reply.text
        return reply.json

    def make(self, **fields: Any) -> Any:
        reply = self.call("POST", "/checks/", fields)
        assert reply.status in (200, 201), reply.text
        return reply.json


@pytest.fixture
def hc(api: Api) -> Hc:
    return Hc(api.key or "")


def test_a_new_check_has_healthchecks_fields_and_usual_values(api: Api, hc: Hc) -> None:
    reply = hc.call("POST", "/checks/", {})
    check = reply.json
    uuid = check.pop("uuid")
    url = f"http://localhost:4000/api/v3/checks/{uuid}"

    assert reply.status == 201
    assert check == {
        "name": "",
        "slug": "",
        "tags": "",
        "desc": "",
        "grace": 3600,
        "n_pings": 0,
        "status": "new",
        "started": False,
        "last_ping": None,
        "next_ping": check["next_ping"],
        "manual_resume": False,
        "methods": "",
        "subject": "",
        "subject_fail": "",
        "start_kw": "",
        "success_kw": "",
        "failure_kw": "",
        "filter_subject": False,
        "filter_body": False,
        "filter_http_body": False,
        "filter_default_fail": False,
        "badge_url": "",
        "ping_url": f"http://localhost:4000/ping/{uuid}",
        "update_url": url,
        "pause_url": f"{url}/pause",
        "resume_url": f"{url}/resume",
        "channels": "",
        "timeout": 86_400,
    }
    assert api.cron(uuid)["schedule"] == "@every 86400s"


def test_what_is_set_comes_back_field_by_field(hc: Hc) -> None:
    wanted = {
        "name": "Nightly backup",
        "slug": "nightly_backup",
        "tags": "prod db",
        "desc": "Dumps\nthe database",
        "grace": 600,
        "schedule": "0 2 * * *",
        "tz": "Europe/Riga",
        "manual_resume": True,
        "methods": "POST",
        "start_kw": "BEGIN",
        "success_kw": "DONE",
        "failure_kw": "ERROR",
        "filter_subject": True,
        "filter_body": True,
        "filter_http_body": False,
        "filter_default_fail": True,
        "channels": "",
    }

    made = hc.make(**wanted, timeout=120)

    assert {name: made[name] for name in wanted} == wanted
    assert "timeout" not in made
    assert (made["subject"], made["subject_fail"]) == ("DONE", "ERROR")
    assert hc.get(f"/checks/{made['uuid']}") == made
    assert hc.get("/checks/")["checks"] == [made]
    changed = hc.call("POST", f"/checks/{made['uuid']}", {"timeout": 300, "tags": ""}).json
    assert (changed["timeout"], changed["tags"], changed["desc"]) == (300, "", wanted["desc"])
    assert "schedule" not in changed


@pytest.mark.parametrize("version", [1, 2])
def test_versions_1_and_2_make_the_slug_of_the_name(api: Api, version: int) -> None:
    hc = Hc(api.key or "", version)
    made = hc.make(name="Nightly Backup")

    assert made["slug"] == "nightly-backup"
    assert made["update_url"].endswith(f"/api/v{version}/checks/{made['uuid']}")
    send("GET", f"/ping/{made['uuid']}/start")
    assert hc.get(f"/checks/{made['uuid']}")["status"] == ("started" if version == 1 else "new")


def test_names_need_not_differ(hc: Hc) -> None:
    made = [hc.make(name="same"), hc.make(name="same"), hc.make(), hc.make()]

    assert len({one["uuid"] for one in made}) == 4
    assert [one["name"] for one in made] == ["same", "same", "", ""]
    other = hc.make(name="other")
    assert hc.call("POST", f"/checks/{other['uuid']}", {"name": "same"}).json["name"] == "same"


@pytest.mark.parametrize("unique", [["name"], ["name", "tags"], ["slug", "timeout", "grace"]])
def test_unique_finds_the_check_that_is_there(hc: Hc, unique: list[str]) -> None:
    fields = {"name": "a", "slug": "a", "tags": "x y", "timeout": 120, "grace": 60}
    made = hc.make(**fields)

    again = hc.call("POST", "/checks/", {**fields, "unique": unique, "desc": "changed"})
    other = hc.call("POST", "/checks/", {"name": "b", "unique": ["name"]})

    assert (again.status, again.json["uuid"], again.json["desc"]) == (200, made["uuid"], "changed")
    assert other.status == 201
    assert len(hc.get("/checks/")["checks"]) == 2


def test_checks_are_found_by_slug_and_by_all_of_their_tags(hc: Hc) -> None:
    hc.make(name="a", slug="a", tags="x y")
    hc.make(name="b", slug="b", tags="x")

    def names(query: str) -> list[str]:
        return [check["name"] for check in hc.get(f"/checks/?{query}")["checks"]]

    assert names("tag=x") == ["a", "b"]
    assert names("tag=x&tag=y") == ["a"]
    assert names("slug=b&tag=x") == ["b"]
    assert names("tag=z") == []


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_field_is_said_in_healthchecks_words(hc: Hc, name: str) -> None:
    value, message = WRONG[name]

    reply = hc.call("POST", "/checks/", {name: value})

    assert (reply.status, reply.json) == (400, {"error": f"json validation error: {message}"})
    assert hc.get("/checks/")["checks"] == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("{", "could not parse request body"),
        ("[]", "json validation error: value is not an object"),
        (b"\xff", "could not parse request body"),
        ('{"channels": "nobody"}', "invalid channel identifier: nobody"),
        ('{"channels": ","}', "empty channel identifier"),
    ],
)
def test_a_body_that_cannot_be_read(hc: Hc, body: Any, message: str) -> None:
    reply = hc.call("POST", "/checks/", body)

    assert (reply.status, reply.json) == (400, {"error": message})


def test_keys(api: Api, hc: Hc) -> None:
    uuid = hc.make(name="a")["uuid"]
    read = Hc(api.new_key("read"))
    foreign = Hc(api.new_org("other"))

    for path in ("/checks/", f"/checks/{uuid}", "/channels/", "/badges/"):
        missing = send("GET", f"/api/v3{path}")
        assert (missing.status, missing.json) == (401, {"error": "missing api key"})
        wrong = Hc("x" * 32).call("GET", path)
        assert (wrong.status, wrong.json) == (401, {"error": "wrong api key"})
    assert Hc(api.new_key("ingest")).call("GET", "/checks/").status == 401
    assert read.call("POST", "/checks/", {}).json == {"error": "wrong api key"}
    assert read.call("GET", "/channels/").status == 401
    for method, path in (("GET", ""), ("POST", ""), ("DELETE", ""), ("POST", "/pause"), ("GET", "/pings/")):
        assert foreign.call(method, f"/checks/{uuid}{path}").status == 403
    in_body = send("POST", CHECKS, {"api_key": api.key, "name": "b"})
    assert (in_body.status, in_body.json["name"]) == (201, "b")


def test_a_read_only_key_sees_unique_keys(api: Api, hc: Hc) -> None:
    uuid = hc.make(name="a")["uuid"]
    read = Hc(api.new_key("read"))

    (check,) = read.get("/checks/")["checks"]

    assert not {"uuid", "ping_url", "update_url", "pause_url", "resume_url", "channels"} & set(check)
    assert len(check["unique_key"]) == 40
    assert read.get(f"/checks/{check['unique_key']}") == check
    assert read.get(f"/checks/{check['unique_key']}/flips/") == []
    assert hc.get(f"/checks/{check['unique_key']}")["uuid"] == uuid
    assert hc.call("GET", f"/checks/{'0' * 40}").status == 404


def test_without_keyless_signals_there_is_no_ping_url(api: Api, hc: Hc) -> None:
    hc.make(name="backup")
    api.patch("/api/orgs/mon-org", {"keyless_signals": False})

    assert [check["ping_url"] for check in hc.get("/checks/")["checks"]] == [""]


def test_pause_and_resume(hc: Hc) -> None:
    uuid = hc.make(name="a")["uuid"]

    early = hc.call("POST", f"/checks/{uuid}/resume")
    assert (early.status, early.text) == (409, "check is not paused")
    assert hc.call("POST", f"/checks/{uuid}/pause").json["status"] == "paused"
    assert hc.call("POST", f"/checks/{uuid}/pause", "").json["status"] == "paused"
    assert hc.call("POST", f"/checks/{uuid}/resume/").json["status"] == "new"


def test_a_deleted_check_is_answered_and_gone(hc: Hc) -> None:
    made = hc.make(name="a", slug="a")

    assert hc.call("DELETE", f"/checks/{made['uuid']}").json == made
    for method in ("GET", "DELETE", "POST"):
        assert hc.call(method, f"/checks/{made['uuid']}").status == 404
    for code in ("nonsense", "6f3f2504-4f89-41d3-9a0c-0305e82c3301"):
        reply = hc.call("GET", f"/checks/{code}")
        assert (reply.status, list(reply.json)) == (404, ["error"])


def test_pings_and_their_bodies(api: Api, hc: Hc, clock: Clock) -> None:
    uuid = hc.make(name="a")["uuid"]
    rid = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
    send("POST", f"/ping/{uuid}/start?rid={rid}")
    clock.pass_by(seconds=12.5)
    send("POST", f"/ping/{uuid}?rid={rid}", "rows=12")
    clock.pass_by(minutes=2)
    send("POST", f"/ping/{uuid}/log", "note")
    clock.pass_by(minutes=2)
    send("POST", f"/ping/{uuid}/1", "boom")

    pings = hc.get(f"/checks/{uuid}/pings/")["pings"]

    assert [(one["type"], one["n"]) for one in pings] == [("fail", 4), ("log", 3), ("success", 2), ("start", 1)]
    assert (pings[2]["rid"], pings[2]["duration"], pings[3]["body_url"]) == (rid, 12.5, None)
    bodies = [hc.call("GET", one["body_url"].partition("/api/v3")[2]) for one in pings[:3]]
    assert [(one.status, one.text) for one in bodies] == [(200, "boom"), (200, "note"), (200, "rows=12")]
    assert bodies[0].headers["Content-Type"].startswith("text/plain")
    assert hc.call("GET", f"/checks/{uuid}/pings/1/body").status == 404
    assert hc.call("GET", f"/checks/{uuid}/pings/x/body").status == 404
    check = hc.get(f"/checks/{uuid}")
    assert (check["n_pings"], check["status"], check["last_ping"]) == (4, "down", "2026-03-10T12:04:12+00:00")


def test_flips_are_a_bare_list(api: Api, hc: Hc, clock: Clock) -> None:
    uuid = hc.make(name="a")["uuid"]
    send("POST", f"/ping/{uuid}/fail")
    clock.pass_by(minutes=5)
    send("POST", f"/ping/{uuid}")

    down, up = "2026-03-10T12:00:00+00:00", "2026-03-10T12:05:00+00:00"
    both = [{"timestamp": up, "up": 1}, {"timestamp": down, "up": 0}]
    assert hc.get(f"/checks/{uuid}/flips/") == both
    assert hc.get(f"/checks/{uuid}/flips?seconds=60") == both[:1]
    assert hc.get(f"/checks/{uuid}/flips?start=1&end={int(clock.now.timestamp())}") == both[1:]
    assert hc.call("GET", f"/checks/{uuid}/flips/?seconds=soon").status == 400


def test_channels_badges_and_status(api: Api, hc: Hc) -> None:
    topic = {"name": "hook", "kind": "sns", "url": "arn:aws:sns:eu-west-1:123456789012:x"}
    made = api.post("/api/channels", topic).json
    api.post("/api/badges", {"tag": "db"})

    assert hc.get("/channels") == {"channels": [{"id": made["id"], "name": "hook", "kind": "sns"}]}
    check = hc.make(name="a", channels="hook")
    assert check["channels"] == made["id"]
    assert hc.make(name="b", channels="*")["channels"] == made["id"]
    assert sorted(hc.get("/badges/")["badges"]["db"]) == ["json", "json3", "shields", "shields3", "svg", "svg3"]
    status = send("GET", "/api/v3/status/")
    assert (status.status, status.text) == (200, "OK")


@pytest.mark.parametrize("path", ["checks/", "checks/x", "checks/x/pause", "checks/x/pings/", "channels/"])
@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_browser_may_ask(api: Api, path: str, version: int) -> None:
    reply = send("OPTIONS", f"/api/v{version}/{path}", Origin="https://example.com")

    assert (reply.status, reply.body) == (204, b"")
    assert reply.headers["Access-Control-Allow-Origin"] == "*"
    assert "X-Api-Key" in reply.headers["Access-Control-Allow-Headers"]


def test_three_hundred_checks_are_listed_in_a_few_reads(api: Api, hc: Hc, calls: Any) -> None:
    api.register(*({"name": f"job {n}", "schedule": "@daily"} for n in range(300)))
    calls.clear()

    assert len(hc.get("/checks/")["checks"]) == 300
    assert len(calls) <= 6
    assert len(json.dumps(hc.get("/checks/"))) > 10_000


@pytest.mark.parametrize(("manual", "status"), [(False, "up"), (True, "paused")])
@pytest.mark.parametrize("part", ["", "/start"])
def test_a_ping_resumes_a_paused_check_unless_that_is_left_to_people(
    hc: Hc, clock: Clock, manual: bool, status: str, part: str
) -> None:
    made = hc.make(name="a", schedule="0 * * * *", manual_resume=manual)
    send("GET", f"/ping/{made['uuid']}")
    hc.call("POST", f"/checks/{made['uuid']}/pause")
    clock.pass_by(hours=5)
    send("GET", f"/ping/{made['uuid']}/log")
    send("GET", f"/ping/{made['uuid']}{part}")

    after = hc.get(f"/checks/{made['uuid']}")
    assert (after["manual_resume"], after["status"], bool(after["next_ping"])) == (manual, status, not manual)
