"""Cronitor's telemetry as its clients send it (group D of the recorded requests)."""

from base64 import b64encode
from typing import Any

import pytest

from tests.api.client import Api, Clock
from tests.api.compat.wire import query, send

SERIES = "1741608000.123"
PATHS = ["/p/{key}/nightly", "/ping/{key}/nightly"]


@pytest.fixture
def key(api: Api) -> str:
    return api.new_key("ingest")


def only_cron(api: Api) -> Any:
    (cron,) = api.get("/api/crons").json["crons"]
    return cron


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(("state", "status"), [("complete", "success"), ("fail", "failed"), ("ok", "success")])
def test_a_run_from_its_start_to_its_end(
    api: Api, clock: Clock, key: str, path: str, method: str, state: str, status: str
) -> None:
    at = path.format(key=key)
    begun = {
        "state": "run",
        "series": SERIES,
        "stamp": clock.now.timestamp(),
        "env": "production",
        "host": "web-1",
    }
    ended = {
        "state": state,
        "message": "1204 rows",
        "series": SERIES,
        "metric": ["duration:0.25", "count:1204", "error_count:2", "size:nonsense", "nonsense"],
    }

    first = send(method, query(at, **begun), Authorization=f"Basic {b64encode(f'{key}:'.encode()).decode()}")
    clock.pass_by(seconds=5)
    last = send(method, query(at, **ended, stamp=clock.now.timestamp(), env="production"))

    assert (first.status, first.text) == (last.status, last.text) == (200, "OK")
    cron = only_cron(api)
    assert (cron["name"], cron["slug"]) == ("nightly", "nightly")
    (run,) = api.runs(cron["id"])
    assert (run["status"], run["run_id"], run["duration_ms"]) == (status, SERIES, 250)
    assert run["metrics"] == {"count": 1204, "error_count": 2}
    assert run["message"] == "1204 rows"


def test_without_a_duration_it_is_by_the_clients_clock(api: Api, clock: Clock, key: str) -> None:
    stamp = clock.now.timestamp()
    send("GET", query(f"/p/{key}/nightly", state="run", series="a", stamp=stamp))
    clock.pass_by(seconds=20)
    send("GET", query(f"/p/{key}/nightly", state="complete", series="a", stamp=(stamp + 12) * 1000))

    assert api.runs(only_cron(api)["id"])[0]["duration_ms"] == 12_000


def test_no_state_is_a_heartbeat(api: Api, key: str) -> None:
    assert send("GET", f"/p/{key}/Some%20Heart.beat").status == 200

    cron = only_cron(api)
    assert (cron["name"], cron["slug"]) == ("Some Heart.beat", "some-heartbeat")
    assert api.runs(cron["id"])[0]["status"] == "success"


def test_on_the_shared_path_cronitors_pings_are_told_from_healthchecks(api: Api, key: str) -> None:
    assert send("GET", f"/ping/{key}/new").text == "not found"
    assert send("GET", f"/ping/{key}/new?stamp=1741608000").text == "OK"
    assert send("GET", f"/ping/{key}/new/start").text == "OK"
    assert send("GET", f"/ping/{key}/New?state=run").text == "OK"

    assert only_cron(api)["service"] == "cronitor"


def test_an_environment_has_a_cron_of_its_own(api: Api, key: str) -> None:
    for env in ("production", "Staging", ""):
        send("GET", query(f"/p/{key}/nightly", state="complete", env=env))

    assert sorted(cron["slug"] for cron in api.get("/api/crons").json["crons"]) == ["nightly", "nightly@staging"]


def test_the_command_line_tool_says_schedule_and_exit_status(api: Api, key: str) -> None:
    send("GET", query(f"/ping/{key}/nightly", state="run", series="a", schedule="*/5 * * * *", **{"try": 1}))
    send("GET", query(f"/ping/{key}/nightly", state="fail", series="a", status_code=3, host="web-1"))

    cron = only_cron(api)
    (run,) = api.runs(cron["id"])
    assert cron["schedule"] == "*/5 * * * *"
    assert (run["status"], run["exit_code"], run["message"]) == ("failed", 3, "host: web-1")


@pytest.mark.parametrize(
    ("parameters", "status"),
    [
        ({"state": "sleep"}, 400),
        ({"state": "run", "stamp": "soon", "metric": "duration:-1", "schedule": "x"}, 200),
    ],
)
def test_what_makes_no_sense(api: Api, key: str, parameters: dict[str, str], status: int) -> None:
    reply = send("GET", query(f"/p/{key}/nightly", **parameters))

    assert reply.status == status
    assert reply.headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize("path", ["/p/{key}/nightly", "/p/{key}/x?state=run", "/ping/{key}/x?state=run"])
def test_a_wrong_key_is_401(api: Api, path: str) -> None:
    for key in ("ch_" + "0" * 40, "short", api.new_key("read")):
        reply = send("GET", path.format(key=key))
        assert reply.status in (401, 403)
        assert reply.headers["Content-Type"].startswith("text/plain")
    assert api.get("/api/crons").json["crons"] == []
