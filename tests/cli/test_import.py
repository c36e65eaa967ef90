"""`cronhub import`: nothing is lost that CronHub can hold, and what it cannot is named."""

import csv
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from chalicelib.store.tables import AlertItem
from tests.api.client import Api
from tests.cli.program import Tool

NOW = datetime.now(UTC)


class Rival(ThreadingHTTPServer):
    """Answers as another monitor's API does."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: dict[str, Any] = {}
        self.asked: list[tuple[str, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Rival

    def do_GET(self) -> None:
        target = urlsplit(self.path)
        key = self.headers.get("X-Api-Key") or self.headers.get("Authorization") or ""
        self.server.asked.append((target.path, key))
        page = parse_qs(target.query).get("page", ["1"])[0]
        found = self.server.answers.get(f"{target.path}#{page}", self.server.answers.get(target.path))
        data = json.dumps(found).encode()
        self.send_response(404 if found is None else 200)
        if target.path.endswith("/monitors/") and "cursor" not in target.query and "Link" in self.server.answers:
            link = f'<{self.server.url}/api/0/next/?cursor=1>; rel="next"; results="true"'
            self.send_header("Link", link)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def rival() -> Iterator[Rival]:
    with Rival() as server:
        thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def check(number: int, **more: Any) -> dict[str, Any]:
    """As GET /api/v3/checks/ has it."""
    by_period = (
        {"timeout": 3600 + number}
        if number % 3 == 0
        else {"schedule": f"{number % 60} 2 * * *", "tz": "Europe/Paris"}
    )
    uuid = f"{number:08x}-0000-4000-8000-000000000000"
    empty = dict.fromkeys(("methods", "subject", "subject_fail", "start_kw", "success_kw", "failure_kw"), "")
    off = dict.fromkeys(
        ("filter_subject", "filter_body", "filter_http_body", "filter_default_fail", "started"), False
    )
    return {
        "name": f"Check {number}",
        "slug": f"check-{number}",
        "tags": "prod db" if number % 2 else "",
        "desc": f"No. {number}",
        "grace": 600 + number,
        "n_pings": 7,
        "status": "paused" if number % 50 == 0 else "up",
        "last_ping": "2026-01-01T00:00:00+00:00",
        "next_ping": None,
        "manual_resume": False,
        "badge_url": "https://hc/b",
        "uuid": uuid,
        "ping_url": f"https://hc-ping.com/{uuid}",
        "channels": "",
        **empty,
        **off,
        **by_period,
        **more,
    }


def every(seconds: int) -> str:
    parts = ((seconds // 3600, "h"), (seconds % 3600 // 60, "m"), (seconds % 60, "s"))
    return "@every " + "".join(f"{count}{unit}" for count, unit in parts if count)


def listed(api: Api) -> dict[str, Any]:
    crons, cursor = {}, None
    while True:
        answer = api.get("/api/crons", limit=1000, **({"cursor": cursor} if cursor else {})).json
        crons.update({cron["name"]: cron for cron in answer["crons"]})
        cursor = answer["next_cursor"]
        if cursor is None:
            return crons


def test_three_hundred_checks_are_taken_over_field_by_field_and_only_once(
    tool: Tool, api: Api, tmp_path: Path
) -> None:
    checks = [check(number) for number in range(300)]
    path = tmp_path / "checks.json"
    path.write_text(json.dumps({"checks": checks}))
    began = time.monotonic()
    said = tool("import", "healthchecks", str(path), "--yes", "--map", str(tmp_path / "map.csv"))
    took = time.monotonic() - began

    assert said.status == 0, said
    assert said.out.endswith("300 to create, 0 to change, 0 to remove\n")
    assert took < 30
    found = listed(api)
    assert len(found) == 300
    for one in checks:
        cron = found[one["name"]]
        assert cron["schedule"] == (every(one["timeout"]) if "timeout" in one else one["schedule"])
        assert cron["timezone"] == one.get("tz", "UTC")
        assert (cron["grace_seconds"], cron["description"], cron["slug"]) == (
            one["grace"],
            one["desc"],
            one["slug"],
        )
        assert sorted(cron["tags"]) == sorted(one["tags"].split())
        assert cron["resumes_on_signal"] is True
        assert (cron["status"] == "paused") is (one["status"] == "paused")
    rows = list(csv.DictReader((tmp_path / "map.csv").open()))
    assert rows[7]["old_id"] == checks[7]["uuid"]
    assert rows[7]["ping_url"] == found["Check 7"]["ping_url"]

    again = tool("import", "healthchecks", str(path), "--yes")
    assert again.out == "nothing to do: everything is as the file says\n"


def test_what_cronhub_cannot_hold_is_named(tool: Tool, api: Api, tmp_path: Path) -> None:
    odd = [
        check(1, name="twice"),
        check(2, name="twice"),
        check(3, name="", slug=""),
        check(4, name="moon", schedule="0 0 L * *", timeout=None),
        check(5, name="calendar", schedule="Mon..Fri 09:00", timeout=None),
        check(6, name="filters", methods="POST", start_kw="START", channels="a,b"),
        check(7, name="x" * 200, desc="d" * 2000, tags=" ".join(f"t{n}" for n in range(30))),
        check(8, name="bell\x07", grace=10**9),
    ]
    path = tmp_path / "checks.json"
    path.write_text(json.dumps({"checks": odd, "channels": [{"id": "i", "name": "Slack", "kind": "slack"}]}))
    said = tool("import", "healthchecks", str(path), "--yes")

    assert said.status == 0, said
    for words in (
        "twice 00000001: it is called 'twice 00000001' here",
        "00000003-0000-4000-8000-000000000000",
        "moon: the schedule '0 0 L * *': day of month: L is not a number",
        "filters: methods = 'POST'",
        "filters: start_kw = 'START'",
        "its own choice of integrations",
        "the description is cut to 1000 characters",
        "only 20 tags are kept",
        "grace_seconds 1000000000",
        "not held: the integration 'Slack' (slack)",
    ):
        assert words in said.out
    found = listed(api)
    assert (found["moon"]["schedule"], found["calendar"]["schedule"]) == (None, "Mon..Fri 09:00")
    assert len(found) == 8
    assert tool("import", "healthchecks", str(path), "--yes").out.splitlines()[-1].startswith("nothing to do")


def pings(*ages_in_hours: float) -> dict[str, Any]:
    """As …/pings/ has them: the latest first."""
    dates = [(NOW - timedelta(hours=age)).isoformat() for age in ages_in_hours]
    return {
        "pings": [
            {"type": "fail" if number == 1 else "success", "date": date, "n": 100 - number, "duration": 1.5}
            for number, date in enumerate(dates)
        ]
    }


def test_history_comes_quietly_and_only_once(tool: Tool, api: Api, rival: Rival) -> None:
    rival.answers["/api/v3/checks/"] = {"checks": [check(1)]}
    rival.answers["/api/v3/channels/"] = {"channels": []}
    rival.answers[f"/api/v3/checks/{check(1)['uuid']}/pings/"] = pings(1, 25, 49, 24 * 120)
    options = ("import", "healthchecks", "--key", "K", "--from", rival.url, "--history", "--yes")

    said = tool(*options)

    assert said.status == 0, said
    assert said.err == "3 past runs taken over\n"
    assert {key for _, key in rival.asked} == {"K"}
    (cron,) = listed(api).values()
    runs = api.runs(cron["id"])
    assert [(run["status"], run["duration_ms"]) for run in runs] == [
        ("success", 1500),
        ("failed", 1500),
        ("success", 1500),
    ]
    assert list(AlertItem.query(cron["id"])) == []
    assert api.get("/api/incidents").json["incidents"] == []
    assert cron["status"] in ("new", "up")

    assert tool(*options).err == "0 past runs taken over\n"
    assert len(api.runs(cron["id"])) == 3


def test_cronitors_monitors_are_taken_over(tool: Tool, api: Api, rival: Rival) -> None:
    first = [
        {"key": f"job-{number}", "name": f"Job {number}", "type": "job", "schedule": "0 0 * * *"}
        for number in range(100)
    ]
    rest = [
        {"key": "nightly", "name": "Nightly", "type": "job", "schedule": "30 2 * * *", "timezone": "Europe/Paris",
         "grace_seconds": 300, "failure_tolerance": 2, "tags": ["db"], "note": "ours", "notify": ["default"],
         "assertions": ["metric.duration < 5 min", "metric.error_count < 5"], "paused": False},
        {"key": "beat", "type": "heartbeat", "schedule": "every 5 minutes"},
        {"key": "site", "name": "Site", "type": "check", "schedule": "every 30 seconds"},
    ]  # fmt: skip
    rival.answers = {"/api/monitors#1": {"monitors": first}, "/api/monitors#2": {"monitors": rest}}
    said = tool("import", "cronitor", "--key", "K", "--from", rival.url, "--yes")

    assert said.status == 0, said
    found = listed(api)
    assert len(found) == 102
    nightly = found["Nightly"]
    assert (nightly["schedule"], nightly["timezone"], nightly["grace_seconds"]) == (
        "30 2 * * *",
        "Europe/Paris",
        300,
    )
    assert (nightly["max_runtime_seconds"], nightly["failure_tolerance"], nightly["slug"]) == (300, 2, "nightly")
    assert (nightly["product"], nightly["service"]) == ("default", "cronitor")
    assert found["beat"]["schedule"] == "@every 5m"
    assert "Nightly: the assertion 'metric.error_count < 5'" in said.out
    assert "not held: the monitor 'Site' (check)" in said.out
    assert rival.asked[0][1] == "Basic Szo="
    assert (
        tool("import", "cronitor", "--key", "K", "--from", rival.url, "--yes")
        .out.splitlines()[-1]
        .startswith("nothing")
    )


def test_sentrys_monitors_are_taken_over_with_their_check_ins(tool: Tool, api: Api, rival: Rival) -> None:
    config = {
        "schedule_type": "crontab",
        "schedule": "0 3 * * *",
        "timezone": "UTC",
        "checkin_margin": 5,
        "max_runtime": 30,
        "failure_issue_threshold": 3,
        "recovery_threshold": 2,
    }
    interval = {"schedule_type": "interval", "schedule": [2, "hour"], "checkin_margin": None, "max_runtime": None}
    rival.answers = {
        "Link": True,
        "/api/0/organizations/o/monitors/": [
            {"slug": "nightly", "name": "Nightly", "status": "active", "config": config, "isMuted": True,
             "project": {"slug": "shop"}, "environments": [{"name": "production"}, {"name": "staging"}]},
        ],
        "/api/0/next/": [{"slug": "often", "name": "Often", "status": "disabled", "config": interval}],
        "/api/0/organizations/o/monitors/nightly/checkins/": [
            {"id": "c2", "status": "error", "duration": 2000, "dateAdded": (NOW - timedelta(hours=20)).isoformat(),
             "dateUpdated": (NOW - timedelta(hours=20, seconds=-2)).isoformat()},
            {"id": "c1", "status": "in_progress", "dateAdded": (NOW - timedelta(hours=44)).isoformat()},
        ],
        "/api/0/organizations/o/monitors/often/checkins/": [],
    }  # fmt: skip
    said = tool("import", "sentry", "--key", "T", "--org", "o", "--from", rival.url, "--history", "--yes")

    assert said.status == 0, said
    found = listed(api)
    nightly = found["Nightly"]
    assert (nightly["grace_seconds"], nightly["max_runtime_seconds"]) == (300, 1800)
    assert (nightly["failure_tolerance"], nightly["recovery_threshold"], nightly["tags"]) == (
        2,
        2,
        ["project:shop"],
    )
    assert (found["Often"]["schedule"], found["Often"]["status"]) == ("@every 2h", "paused")
    assert "its environments staging" in said.out
    (run,) = api.runs(nightly["id"])
    assert (run["status"], run["duration_ms"]) == ("failed", 2000)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("healthchecks",), "say the key"),
        (("sentry", "--key", "x"), "say the organization"),
        (("cronitor", "missing.json"), "cannot be read as JSON"),
        (("nagios", "x"), "invalid choice"),
        (("healthchecks", "--key", "x", "--from", "http://127.0.0.1:9"), "http://127.0.0.1:9"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(tool: Tool, arguments: tuple[str, ...], words: str) -> None:
    said = tool("import", *arguments)

    assert said.status == 2
    assert words in said.err
