"""Healthchecks' pings as its clients send them (group A and B of the recorded requests)."""

import gzip
import uuid

import pytest

from chalicelib.store import api_keys
from chalicelib.store.tables import CronNameItem
from tests.api.client import Api, Clock
from tests.api.compat.wire import Reply, send
from tests.api.conftest import Calls

RID = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
BASES = ["/ping/", "/"]


def said(reply: Reply) -> tuple[int, str]:
    assert reply.headers["Content-Type"].startswith("text/plain")
    assert reply.headers["Access-Control-Allow-Origin"] == "*"
    assert int(reply.headers["Ping-Body-Limit"]) >= 10_000
    return reply.status, reply.text


@pytest.fixture
def ping_key(api: Api) -> str:
    return api.new_key("ingest")


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("part", "status", "exit_code"),
    [
        ("", "success", None),
        ("/", "success", None),
        ("/start", "running", None),
        ("/start/", "running", None),
        ("/fail", "failed", None),
        ("/log", "log", None),
        ("/0", "success", 0),
        ("/1", "failed", 1),
        ("/255", "failed", 255),
    ],
)
def test_a_ping_by_id(api: Api, base: str, method: str, part: str, status: str, exit_code: int | None) -> None:
    cron_id = api.new_cron(None)

    assert said(send(method, f"{base}{cron_id}{part}")) == (200, "OK")

    (run,) = api.runs(cron_id)
    assert (run["status"], run["exit_code"]) == (status, exit_code)


def test_a_head_request_pings_and_has_no_body(api: Api) -> None:
    cron_id = api.new_cron(None)

    reply = send("HEAD", f"/ping/{cron_id}")

    assert (reply.status, reply.body) == (200, b"")
    assert len(api.runs(cron_id)) == 1


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("{id}/256", 400, "invalid url format"),
        ("{id}/99999999999999999999", 400, "invalid url format"),
        ("{id}?rid=nonsense", 400, "invalid uuid format"),
        ("{id}?rid=", 400, "invalid uuid format"),
        ("{id}/stop", 404, "not found"),
        ("{id}/-1", 404, "not found"),
        ("00000000-0000-8000-8000-000000000000", 404, "not found"),
        ("6f3f2504-4f89-41d3-9a0c-0305e82c3301", 404, "not found"),
        ("{key}/nothing", 404, "not found"),
        ("{key}/Backup", 400, "invalid url format"),
        ("{key}/backup/256", 400, "invalid url format"),
        ("{key}/backup/nowhere", 404, "not found"),
        ("{key}/backup?rid=1", 400, "invalid uuid format"),
        ("{key}/back%20up", 404, "not found"),
    ],
)
def test_what_is_wrong_is_said_in_plain_text(api: Api, ping_key: str, path: str, status: int, text: str) -> None:
    cron_id = api.new_cron(None)

    reply = send("POST", "/ping/" + path.format(id=cron_id, key=ping_key))

    assert said(reply) == (status, text)
    assert api.runs(cron_id) == []


@pytest.mark.parametrize("part", ["backup", "backup/start", "backup?create=1", "new?create=1"])
def test_a_wrong_key_is_401_and_never_looks_like_success(api: Api, part: str) -> None:
    api.new_cron(None)

    for key in ("ch_" + "0" * 40, "0123456789abcdefABCDEF", api.new_key("read")):
        status, text = said(send("GET", f"/ping/{key}/{part}"))
        assert status in (401, 403)
        assert "OK" not in text


@pytest.mark.parametrize("base", BASES)
def test_a_run_with_an_id_of_its_own(api: Api, clock: Clock, base: str) -> None:
    cron_id = api.new_cron(None)

    send("GET", f"{base}{cron_id}/start?rid={RID}")
    clock.pass_by(seconds=90)
    send("POST", f"{base}{cron_id}/start?rid={uuid.uuid4()}")
    send("POST", f"{base}{cron_id}/0?rid={RID.upper()}", "done")

    ended = next(run for run in api.runs(cron_id) if run["run_id"] == RID)
    assert (ended["status"], ended["duration_ms"]) == ("success", 90_000)


@pytest.mark.parametrize(
    ("body", "headers", "kept"),
    [
        (b"hello", {"Content_Type": "application/json"}, "hello"),
        (b"rows=12", {"Content_Type": "application/x-www-form-urlencoded"}, "rows=12"),
        (b'{"a": 1}', {"Content_Type": "application/json"}, '{"a": 1}'),
        (b"Traceback (most recent call last):\n  File", {}, "Traceback (most recent call last):\n  File"),
        (b"caf\xe9", {"Content_Type": "text/plain"}, "caf\ufffd"),
        (gzip.compress(b"packed", mtime=0), {"Content_Encoding": "gzip"}, "packed"),
        (b"\x00\x01", {"Content_Type": "application/octet-stream"}, "\x00\x01"),
        (b"", {"Content_Type": "application/json"}, None),
    ],
)
def test_a_body_is_kept_whatever_it_says_it_is(api: Api, body: bytes, headers: dict[str, str], kept: str) -> None:
    cron_id = api.new_cron(None)

    assert said(send("POST", f"/ping/{cron_id}/fail", body, **headers)) == (200, "OK")

    run = api.get(f"/api/crons/{cron_id}/runs/{api.runs(cron_id)[0]['id']}").json
    assert run["message"] == kept


@pytest.mark.parametrize("declared", [{}, {"Transfer_Encoding": "chunked"}])
@pytest.mark.parametrize("path", ["/ping/{id}", "/{id}/1", "/ping/{key}/backup/start", "/{key}/backup"])
def test_megabytes_are_cut_to_head_and_tail(api: Api, ping_key: str, path: str, declared: dict[str, str]) -> None:
    cron_id = api.new_cron(None)
    body = b"first line\n" + b"x" * 12_000_000 + b"\nlast line"

    assert said(send("POST", path.format(id=cron_id, key=ping_key), body, **declared)) == (200, "OK")

    message = api.get(f"/api/crons/{cron_id}/runs/{api.runs(cron_id)[0]['id']}").json["message"]
    assert message.startswith("first line\n")
    assert message.endswith("\nlast line")
    assert len(message) < 11_000


def test_snitches_say_a_message_and_an_exit_status_in_the_query(api: Api, clock: Clock) -> None:
    cron_id = api.new_cron(None)

    send("POST", f"/{cron_id}?m=Batch+done")
    clock.pass_by(minutes=2)
    send("GET", f"/{cron_id}?s=2&m=bad")

    bad, good = api.runs(cron_id)
    assert (good["status"], good["message"]) == ("success", "Batch done")
    assert (bad["status"], bad["exit_code"], bad["message"]) == ("failed", 2, "bad")


def test_a_ping_by_slug_finds_the_cron_that_its_name_or_its_setting_says(
    api: Api, clock: Clock, ping_key: str
) -> None:
    (named, set_by_hand) = api.register(
        {"name": "Nightly  Backup (DB)", "schedule": None}, {"name": "other", "schedule": None, "slug": "db_2"}
    )

    assert said(send("GET", f"/ping/{ping_key}/nightly-backup-db/start")) == (200, "OK")
    assert said(send("POST", f"/ping/{ping_key}/db_2")) == (200, "OK")
    clock.pass_by(seconds=1)
    assert said(send("POST", f"/{ping_key}/db_2/3")) == (200, "OK")
    assert send("POST", f"/ping/{ping_key}/other").status == 404

    assert [run["status"] for run in api.runs(named)] == ["running"]
    assert [run["exit_code"] for run in api.runs(set_by_hand)] == [3, None]
    assert [api.cron(one)["slug"] for one in (named, set_by_hand)] == ["nightly-backup-db", "db_2"]


def test_a_slug_follows_a_rename_and_ends_with_its_cron(api: Api, ping_key: str) -> None:
    cron_id = api.new_cron(None)

    api.patch(f"/api/crons/{cron_id}", {"name": "dump"})
    assert send("GET", f"/ping/{ping_key}/backup").status == 404
    assert send("GET", f"/ping/{ping_key}/dump").status == 200
    api.patch(f"/api/crons/{cron_id}", {"slug": "set"})
    assert send("GET", f"/ping/{ping_key}/dump").status == 404
    assert send("GET", f"/ping/{ping_key}/set").status == 200
    api.patch(f"/api/crons/{cron_id}", {"slug": None})
    assert send("GET", f"/ping/{ping_key}/dump/log").status == 200
    api.delete(f"/api/crons/{cron_id}")

    assert send("GET", f"/ping/{ping_key}/dump").status == 404
    left = [item.name_key for item in CronNameItem.scan() if item.name_key.startswith("slug/")]
    assert left == []


def test_two_crons_of_one_slug_are_ambiguous_until_one_is_archived(api: Api, ping_key: str) -> None:
    first = api.new_cron(None)
    api.post(
        "/api/crons/register",
        {"product": "shop", "service": "weekly", "crons": [{"name": "Backup", "schedule": None}]},
    )

    assert said(send("GET", f"/ping/{ping_key}/backup")) == (409, "ambiguous slug")
    assert said(send("GET", f"/ping/{ping_key}/backup?create=1")) == (409, "ambiguous slug")
    api.post("/api/crons/register", {"product": "shop", "service": "weekly", "crons": [], "prune": True})

    assert said(send("GET", f"/ping/{ping_key}/backup")) == (200, "OK")
    assert len(api.runs(first)) == 1


def test_an_unknown_slug_is_made_when_asked_for(api: Api, clock: Clock, ping_key: str) -> None:
    assert said(send("GET", f"/ping/{ping_key}/new-job?create=0")) == (404, "not found")
    assert said(send("POST", f"/ping/{ping_key}/new-job/start?create=1", "begins")) == (201, "Created")
    assert said(send("POST", f"/ping/{ping_key}/new-job?create=1")) == (200, "OK")
    clock.pass_by(seconds=1)
    assert said(send("POST", f"/ping/{ping_key}/new-job/log")) == (200, "OK")

    (cron,) = api.get("/api/crons").json["crons"]
    assert (cron["name"], cron["slug"], cron["schedule"]) == ("new-job", "new-job", None)
    assert [run["status"] for run in api.runs(cron["id"])] == ["log", "success"]


def test_a_slug_that_no_name_would_make_is_kept_as_it_is(api: Api, ping_key: str) -> None:
    assert send("GET", f"/ping/{ping_key}/-a__b-?create=1").status == 201
    assert send("GET", f"/ping/{ping_key}/-a__b-/log?create=1").status == 200


def test_an_org_can_have_no_crons_made_by_pings(api: Api, ping_key: str) -> None:
    assert api.get("/api/orgs/mon-org").json["first_contact"] is True
    api.patch("/api/orgs/mon-org", {"first_contact": False})

    assert said(send("GET", f"/ping/{ping_key}/new?create=1")) == (404, "not found")
    assert api.get("/api/crons").json["crons"] == []
    assert api.get("/api/orgs/mon-org").json["first_contact"] is False


def test_an_archived_cron_comes_back_when_it_is_asked_for(api: Api, ping_key: str) -> None:
    send("GET", f"/ping/{ping_key}/job?create=1")
    (cron,) = api.get("/api/crons").json["crons"]
    home = {"product": cron["product"], "service": cron["service"]}
    api.post("/api/crons/register", {**home, "crons": [], "prune": True})

    assert send("GET", f"/ping/{ping_key}/job").status == 404
    assert send("GET", f"/ping/{ping_key}/job?create=1").status == 200
    assert api.cron(cron["id"])["archived_at"] is None


def test_crons_of_an_earlier_release_are_found_by_slug(api: Api, ping_key: str) -> None:
    cron_id = api.new_cron(None)
    for item in CronNameItem.scan():
        if item.name_key.startswith("slug"):
            item.delete()

    assert send("GET", f"/ping/{ping_key}/backup").status == 200
    assert send("GET", f"/ping/{ping_key}/backup/fail").status == 200
    assert len(api.runs(cron_id)) == 2


@pytest.mark.parametrize("base", BASES)
def test_a_ping_by_id_is_two_calls_and_by_slug_three(
    api: Api, clock: Clock, calls: Calls, ping_key: str, base: str
) -> None:
    cron_id = api.new_cron(None)
    send("GET", f"{base}{ping_key}/backup")
    clock.pass_by(seconds=6)
    calls.clear()

    send("GET", f"{base}{cron_id}")
    by_id = list(calls.names)
    calls.clear()
    clock.pass_by(seconds=6)
    send("POST", f"{base}{ping_key}/backup/start")

    assert by_id == ["GetItem", "TransactWriteItems"]
    assert calls.names == ["Query", "GetItem", "TransactWriteItems"]
    calls.clear()
    api_keys.forget_keys()
    clock.pass_by(seconds=6)
    send("POST", f"{base}{ping_key}/backup/0")
    assert calls.names == ["GetItem", "Query", "GetItem", "TransactWriteItems"]


def test_a_start_that_has_to_wait_says_so(api: Api, ping_key: str) -> None:
    first, second = api.register({"name": "first", "schedule": None}, {"name": "second", "schedule": None})
    api.post(f"/api/crons/{second}/dependencies", {"depends_on_id": first})

    assert said(send("GET", f"/ping/{second}/start")) == (409, "blocked: waits for first")


@pytest.mark.parametrize("path", ["/nothing", "/no/thing", "/no/such/path"])
def test_other_paths_are_still_nothing(api: Api, path: str) -> None:
    reply = send("GET", path)

    assert reply.status == 404
    assert reply.headers["Content-Type"] == "application/problem+json"


WORDS = {"filter_http_body": True, "start_kw": "BEGIN", "success_kw": "DONE, all good", "failure_kw": "ERROR"}


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize(
    ("settings", "method", "part", "body", "status"),
    [
        ({"methods": "POST"}, "GET", "", "", "log"),
        ({"methods": "POST"}, "POST", "", "", "success"),
        ({"methods": "POST", **WORDS}, "GET", "", "ERROR", "log"),
        (WORDS, "POST", "", "it is DONE", "success"),
        (WORDS, "POST", "/fail", "it is all good", "success"),
        # A failure counts before a success, and words by their case.
        (WORDS, "POST", "", "DONE with an ERROR", "failed"),
        (WORDS, "POST", "/0", "ERROR", "failed"),
        (WORDS, "POST", "", "BEGIN", "running"),
        (WORDS, "POST", "", "error", "log"),
        (WORDS, "POST", "/3", "", "log"),
        ({**WORDS, "filter_default_fail": True}, "POST", "", "what?", "failed"),
        ({**WORDS, "filter_http_body": False}, "POST", "", "ERROR", "success"),
        # These are about mail.
        (
            {**WORDS, "filter_http_body": False, "filter_subject": True, "filter_body": True},
            "POST",
            "",
            "x",
            "success",
        ),
    ],
)
def test_methods_and_words_of_the_body_decide_as_at_healthchecks(
    api: Api, base: str, settings: dict[str, object], method: str, part: str, body: str, status: str
) -> None:
    made = send("POST", "/api/v3/checks/", {"name": "a", **settings}, X_Api_Key=api.key or "")
    cron_id = made.json["ping_url"].rpartition("/")[2]

    assert said(send(method, f"{base}{cron_id}{part}", body.encode())) == (200, "OK")

    assert [run["status"] for run in api.runs(cron_id)] == [status]
    # CronHub's own route is not filtered.
    api.post(f"/api/ping/{cron_id}", key=None, rid="own")
    assert "success" in [run["status"] for run in api.runs(cron_id)]


def test_they_decide_for_pings_by_slug_too_at_no_further_call(api: Api, ping_key: str, calls: Calls) -> None:
    settings = {"name": "a", "slug": "a", "methods": "POST"}
    made = send("POST", "/api/v3/checks/", settings, X_Api_Key=api.key or "")
    send("GET", f"/ping/{ping_key}/a/log")
    calls.clear()

    assert said(send("GET", f"/ping/{ping_key}/a?rid={RID}")) == (200, "OK")

    assert len(calls.names) == 3
    assert {run["status"] for run in api.runs(made.json["ping_url"].rpartition("/")[2])} == {"log"}
