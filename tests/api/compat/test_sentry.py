"""Sentry's check-ins as its SDKs and its CLI send them (group C of the recorded requests)."""

import gzip
import json
import uuid
import zlib
from typing import Any

import brotli
import pytest

from tests.api.client import Api, Clock
from tests.api.compat.wire import Reply, query, send
from tests.api.conftest import Calls

RUN = "83a7c03ed0a04e1b97e2e3b18d38f244"
CONFIG = {
    "schedule": {"type": "crontab", "value": "0 * * * *"},
    "timezone": "Europe/Vienna",
    "checkin_margin": 5,
    "max_runtime": 30,
    "failure_issue_threshold": 3,
    "recovery_threshold": 2,
    "owner": "somebody",
}


@pytest.fixture
def key(api: Api) -> str:
    return api.new_key("ingest")


def item(status: str = "ok", *, length: bool = True, **fields: Any) -> bytes:
    payload = {"check_in_id": RUN, "monitor_slug": "nightly", "status": status, "contexts": {"a": 1}, **fields}
    body = json.dumps({name: value for name, value in payload.items() if value is not ...}).encode()
    header = {"type": "check_in", **({"length": len(body)} if length else {})}
    return json.dumps(header).encode() + b"\n" + body + b"\n"


def post(key: str, *items: bytes, header: bytes = b"{}", project: str = "1", **headers: str) -> Reply:
    sent = {
        "X_Sentry_Auth": f"Sentry sentry_key={key}, sentry_version=7, sentry_client=sentry.python/2.43.0",
        "Content_Type": "application/x-sentry-envelope",
        **headers,
    }
    body = header + b"\n" + b"".join(items)
    packed = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress}
    encoding = headers.get("Content_Encoding", "")
    if encoding in packed:
        body = packed[encoding](body)
    return send("POST", f"/api/{project}/envelope/", body, **{name: one for name, one in sent.items() if one})


def only_cron(api: Api) -> Any:
    (cron,) = api.get("/api/crons").json["crons"]
    return cron


@pytest.mark.parametrize("content_type", ["application/x-sentry-envelope", ""])
@pytest.mark.parametrize("encoding", ["", "gzip", "deflate", "br"])
@pytest.mark.parametrize(("framing", "length"), [("", True), ("chunked", False)])
def test_an_envelope_in_every_form_it_comes_in(
    api: Api, clock: Clock, key: str, content_type: str, encoding: str, framing: str, length: bool
) -> None:
    form: Any = {"Content_Type": content_type, "Content_Encoding": encoding, "Transfer_Encoding": framing}

    first = post(key, item("in_progress", length=length), **form)
    clock.pass_by(seconds=42)
    last = post(key, item("ok", duration=41.5, length=length), header=b'{"event_id":"abc"}', **form)

    assert (first.status, first.json) == (200, {"id": RUN})
    assert (last.status, last.json) == (200, {"id": "abc"})
    (run,) = api.runs(only_cron(api)["id"])
    assert (run["status"], run["run_id"], run["duration_ms"]) == ("success", RUN, 41_500)


@pytest.mark.parametrize("where", ["header", "query", "dsn", "bearer"])
def test_a_key_stands_where_clients_put_it(api: Api, key: str, where: str) -> None:
    dsn = json.dumps({"dsn": f"https://{key}@cronhub.example.com/1"}).encode()
    body = (dsn if where == "dsn" else b"{}") + b"\n" + item()
    headers = {
        "header": {"X_Sentry_Auth": f"Sentry sentry_version=7,sentry_key={key}"},
        "bearer": {"Authorization": f"Bearer {key}"},
    }.get(where, {})
    target = f"?sentry_key={key}&sentry_version=7&sentry_client=x" if where == "query" else ""

    assert send("POST", f"/api/1/envelope/{target}", body, **headers).status == 200
    assert only_cron(api)["slug"] == "nightly"


@pytest.mark.parametrize("given", ["ch_" + "0" * 40, "0123456789abcdef0123456789abcdef", "read", ""])
def test_a_wrong_key_is_said_in_sentrys_form(api: Api, given: str) -> None:
    replies = [
        post(api.new_key("read") if given == "read" else given, item()),
        send("GET", f"/api/1/cron/nightly/{given or 'x'}/?status=ok"),
        send("GET", "/api/1/cron/nightly/?status=ok"),
    ]

    for reply in replies:
        assert reply.status in (401, 403)
        assert list(reply.json) == ["detail"]
        assert reply.headers["Content-Type"] == "application/json"
    assert api.get("/api/crons").json["crons"] == []


def test_foreign_items_are_dropped(api: Api, key: str) -> None:
    event = json.dumps({"message": "line\nline"}).encode()
    others = [
        b'{"type":"event","length":%d}\n%b\n' % (len(event), event),
        b'{"type":"session"}\n{"started":"2026-03-10T12:00:00Z"}\n',
        b'{"type":"attachment","length":5}\n\x00\n\xff\n\x01\n',
        b'{"type":"client_report"}\n{}\n\n',
    ]

    assert post(key, *others, header=b'{"event_id":"e1"}').json == {"id": "e1"}
    assert api.get("/api/crons").json["crons"] == []
    assert post(key, *others, item(length=False), *others).status == 200
    assert only_cron(api)["name"] == "nightly"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"no json\n", 400),
        (b"[]\n", 400),
        (b"{}\nno json\n{}\n", 400),
        (b'{}\n{"type":"check_in"}\nno json\n', 400),
        (b"{}\n" + item("soon"), 400),
        (b"{}\n" + item(status=...), 400),  # type: ignore[arg-type]
        (b"{}\n" + item(monitor_slug="!!"), 400),
        (b"{}\n", 200),
        (b"{}", 200),
        (b'{}\n{"type":"check_in","length":99999}\n' + item().partition(b"\n")[2], 200),
    ],
)
def test_a_bad_envelope_is_400_in_sentrys_form(api: Api, key: str, body: bytes, status: int) -> None:
    reply = send("POST", f"/api/1/envelope/?sentry_key={key}", body)

    assert reply.status == status, reply.text
    assert list(reply.json) == (["id"] if status == 200 else ["detail"])


@pytest.mark.parametrize("encoding", ["gzip", "br"])
def test_a_bomb_is_refused_at_its_bound(api: Api, key: str, encoding: str) -> None:
    reply = post(key, b'{"type":"event"}\n' + b"x" * 40_000_000 + b"\n", item(), Content_Encoding=encoding)

    assert reply.status == 413
    assert list(reply.json) == ["detail"]


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd"])
def test_what_is_not_packed_as_it_says_is_refused(api: Api, key: str, encoding: str) -> None:
    reply = send("POST", f"/api/1/envelope/?sentry_key={key}", b"{}\n" + item(), Content_Encoding=encoding)

    assert reply.status == (415 if encoding == "zstd" else 400)


def test_monitor_config_registers_and_updates_also_at_the_end_of_a_run(api: Api, clock: Clock, key: str) -> None:
    post(key, item("in_progress", monitor_config=CONFIG))
    made = only_cron(api)
    clock.pass_by(seconds=30)
    hourly = {**CONFIG, "schedule": {"type": "interval", "value": 2, "unit": "hour"}, "max_runtime": None}
    post(key, item("ok", monitor_config=hourly))
    changed = only_cron(api)

    assert (made["schedule"], made["timezone"]) == ("0 * * * *", "Europe/Vienna")
    assert (made["grace_seconds"], made["max_runtime_seconds"]) == (300, 1800)
    assert (made["failure_tolerance"], made["recovery_threshold"]) == (2, 2)
    assert (changed["id"], changed["schedule"]) == (made["id"], "@every 2h")
    assert changed["max_runtime_seconds"] == 1800
    assert [run["status"] for run in api.runs(made["id"])] == ["success"]


@pytest.mark.parametrize(
    ("value", "unit", "schedule"),
    [
        (30, "minute", "@every 30m"),
        (1, "hour", "@every 1h"),
        (1, "day", "@every 1d"),
        (2, "week", "@every 14d"),
        (1, "month", "@every 31d"),
        (12, "month", "@every 366d"),
        (1, "year", "@every 366d"),
        (2, "year", None),
        (0, "day", None),
        (1, "fortnight", None),
    ],
)
def test_intervals(api: Api, key: str, value: int, unit: str, schedule: str | None) -> None:
    config = {"schedule": {"type": "interval", "value": value, "unit": unit}, "checkin_margin": 2}

    assert post(key, item(monitor_config=config)).status == 200
    cron = only_cron(api)
    # What makes no sense is left out, and the rest counts.
    assert (cron["schedule"], cron["grace_seconds"]) == (schedule, 120)


def test_an_end_that_arrives_before_its_start_is_the_end(api: Api, clock: Clock, key: str) -> None:
    post(key, item("ok", duration=3))
    clock.pass_by(seconds=2)
    post(key, item("in_progress"))

    (run,) = api.runs(only_cron(api)["id"])
    assert (run["status"], run["duration_ms"]) == ("success", 3000)
    assert only_cron(api)["status"] == "up"


def test_runs_that_overlap_are_told_apart_by_their_ids(api: Api, clock: Clock, key: str) -> None:
    other = uuid.uuid4()
    post(key, item("in_progress"))
    post(key, item("in_progress", check_in_id=str(other)))
    clock.pass_by(seconds=60)
    post(key, item("error", check_in_id=other.hex))

    by_id = {run["run_id"]: run["status"] for run in api.runs(only_cron(api)["id"])}
    assert by_id == {RUN: "running", other.hex: "failed"}


def test_environments_are_kept_apart_and_listed_as_one(api: Api, clock: Clock, key: str) -> None:
    post(key, item("ok", environment="production", monitor_config=CONFIG))
    clock.pass_by(seconds=2)
    post(key, item("error", environment="Staging", check_in_id=uuid.uuid4().hex))
    clock.pass_by(seconds=2)
    post(key, item("ok", environment="Staging", check_in_id=uuid.uuid4().hex))
    post(key, item("ok", environment=None, check_in_id=uuid.uuid4().hex))

    usual, staging = sorted(api.get("/api/crons").json["crons"], key=lambda cron: cron["slug"])
    assert (usual["name"], staging["name"], staging["slug"]) == ("nightly", "nightly (staging)", "nightly@staging")
    assert staging["schedule"] == "0 * * * *"
    assert len(api.runs(usual["id"])) == len(api.runs(staging["id"])) == 2
    (monitor,) = monitors(api).json
    assert (monitor["slug"], monitor["name"]) == ("nightly", "nightly")
    assert [one["name"] for one in monitor["environments"]] == ["production", "staging"]
    assert monitor["config"]["schedule"] == "0 * * * *"
    assert monitor["config"]["checkin_margin"] == 5


def test_two_projects_may_have_one_slug(api: Api, key: str) -> None:
    post(key, item())
    post(key, item(check_in_id=uuid.uuid4().hex), project="2")

    crons = api.get("/api/crons").json["crons"]
    assert sorted(cron["service"] for cron in crons) == ["project 1", "project 2"]


def test_a_cron_of_your_own_is_found_by_its_slug(api: Api, key: str) -> None:
    cron_id = api.register({"name": "Nightly", "schedule": "0 2 * * *"})[0]

    post(key, item())

    assert [run["run_id"] for run in api.runs(cron_id)] == [RUN]
    assert only_cron(api)["id"] == cron_id


def test_where_nothing_is_made_an_unknown_monitor_is_404(api: Api, key: str) -> None:
    api.patch("/api/orgs/mon-org", {"first_contact": False})

    reply = post(key, item(monitor_config=CONFIG))

    assert (reply.status, list(reply.json)) == (404, ["detail"])


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("keyed", [True, False])
def test_a_check_in_by_url(api: Api, clock: Clock, key: str, method: str, slash: str, keyed: bool) -> None:
    path = f"/api/7/cron/Nightly Job/{key}{slash}" if keyed else f"/api/7/cron/Nightly Job{slash}"
    path = path.replace(" ", "%20")
    auth = {} if keyed else {"X_Sentry_Auth": f"Sentry sentry_key={key}"}

    begun = send(method, query(path, status="in_progress", check_in_id=RUN, environment="dev"), **auth)
    clock.pass_by(seconds=9)
    ended = send(method, query(path, status="error", check_in_id=RUN, environment="dev", duration="8.25"), **auth)

    assert (begun.status, begun.json) == (ended.status, ended.json) == (202, {"id": RUN})
    (run,) = api.runs(only_cron(api)["id"])
    assert (run["status"], run["duration_ms"]) == ("failed", 8250)
    assert only_cron(api)["slug"] == "nightly-job@dev"


def test_a_check_in_by_url_may_have_a_config_in_its_body(api: Api, key: str) -> None:
    body = {"monitor_config": CONFIG, "status": "ok"}

    assert send("POST", f"/api/1/cron/x/{key}", body, Content_Type="application/json").status == 202
    assert only_cron(api)["schedule"] == "0 * * * *"
    assert send("POST", f"/api/1/cron/x/{key}?status=ok", "no json").status == 400
    assert send("GET", f"/api/1/cron/x/{key}").json == {"detail": "status: must be one of in_progress, ok, error"}
    assert send("GET", f"/api/one/cron/x/{key}?status=ok").status == 404


def monitors(api: Api, **parameters: str) -> Reply:
    path = query("/api/0/organizations/mon-org/monitors/", **parameters)
    return send("GET", path, Authorization=f"Bearer {api.new_key('read')}")


def test_monitors_are_listed_by_the_page(api: Api) -> None:
    api.register(*({"name": f"job {n:03}", "schedule": "@every 90m"} for n in range(120)))

    first = monitors(api, cursor="")
    assert 'rel="next"; results="true"; cursor="0:100:0"' in first.headers["Link"]
    second = monitors(api, cursor="0:100:0")

    assert 'rel="next"; results="false"' in second.headers["Link"]
    assert [len(first.json), len(second.json)] == [100, 20]
    assert first.json[0]["config"]["schedule"] == [90, "minute"]
    other = send("GET", "/api/0/organizations/other/monitors/", Authorization=f"Bearer {api.new_key('read')}")
    assert (other.status, other.json) == (404, {"detail": "The requested resource does not exist"})


def test_a_check_in_with_a_config_that_changes_nothing_writes_only_its_signal(
    api: Api, clock: Clock, calls: Calls, key: str
) -> None:
    post(key, item("ok", monitor_config=CONFIG))
    clock.pass_by(seconds=20)
    calls.clear()

    post(key, item("in_progress", check_in_id=uuid.uuid4().hex))
    without = list(calls.names)
    calls.clear()
    post(key, item("in_progress", check_in_id=uuid.uuid4().hex, monitor_config=CONFIG))

    assert without == ["Query", "GetItem", "TransactWriteItems"]
    assert calls.names == ["Query", "GetItem", "GetItem", "TransactWriteItems"]
