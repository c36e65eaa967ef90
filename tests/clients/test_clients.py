"""Clients of other monitors, unchanged, against `make run`: make test-clients."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.api.client import Api
from tests.processes.service import running

pytestmark = [pytest.mark.clients]
ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-clients" / "bin" / "python"
OK = "(True, 'OK')"


class Used(NamedTuple):
    api: Api
    found: dict[str, Any]


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Used]:
    with running(tmp_path_factory.mktemp("state")) as service:
        api = service.org("clients")
        cron_id = api.new_cron(None)
        command = [str(PYTHON), str(ROOT / "tests" / "clients" / "use_clients.py"), service.url]
        command += [api.key or "", api.new_key("ingest", "clients"), cron_id]
        done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
        assert done.returncode == 0, done.stderr[-4000:]
        yield Used(api, json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("version", [1, 2, 3])
def test_healthchecks_io(used: Used, version: int) -> None:
    of = {
        name.removeprefix(f"healthchecks-io {version} "): value
        for name, value in used.found.items()
        if name.startswith(f"healthchecks-io {version} ")
    }
    slug = "" if version == 3 else f"from-client-{version}"

    # Version 3 makes no slug of the name, so the client refuses to ping by it: BadAPIRequestError is its own.
    by_slug = "BadAPIRequestError" if version == 3 else OK
    assert of == {
        "check": [f"From client {version}", slug, "prod db", "new", 3600],
        "start": OK,
        "success": OK,
        "exit status": OK,
        "by slug": by_slug,
        # What the client raises for 404, and for 401.
        "unknown slug": "CheckNotFoundError",
        "wrong ping key": "BadAPIRequestError" if version == 3 else "HCAPIAuthError",
        "wrong key": "HCAPIAuthError",
        "pings": ["fail", "success", "start"] if version == 3 else ["success", "fail", "success", "start"],
        "flips": [0] if version == 3 else [1, 0],
        "found": [f"From client {version}"],
        "paused": "paused",
        "channels": [],
        "badges": [],
        "deleted": True,
        "gone": "CheckNotFoundError",
    }


def test_other_clients_of_healthchecks(used: Used) -> None:
    assert used.found["healthchecks-io async"] == [True, "OK"]
    assert used.found["healthchecks-decorator"] == {"rows": 12}
    assert used.found["urllib"] == "OK"
    (cron,) = used.api.get("/api/crons", service="nightly").json["crons"]
    assert "rows=12" in [run["message"] for run in used.api.runs(cron["id"])]


def test_sentry_sdk(used: Used) -> None:
    crons = {cron["name"]: cron for cron in used.api.get("/api/crons", product="sentry").json["crons"]}
    last = {name: used.api.runs(cron["id"])[0] for name, cron in crons.items()}

    assert used.found["sentry-sdk raises what the job raises"] == "ValueError"
    assert {name: run["status"] for name, run in last.items()} == {
        "sentry-nightly": "success",
        "sentry-broken": "failed",
        "sentry-beat": "success",
    }
    nightly = crons["sentry-nightly"]
    assert (nightly["schedule"], nightly["timezone"]) == ("*/5 * * * *", "Europe/Vienna")
    assert (nightly["grace_seconds"], nightly["max_runtime_seconds"]) == (120, 1200)
    assert last["sentry-nightly"]["duration_ms"] >= 100
    assert last["sentry-beat"]["duration_ms"] == 1500


def test_cronitor(used: Used) -> None:
    of = {name: value for name, value in used.found.items() if name.startswith("cronitor")}
    crons = {cron["name"]: cron for cron in used.api.get("/api/crons", service="cronitor").json["crons"]}
    (nightly,) = used.api.runs(crons["cronitor-nightly"]["id"])
    beats = used.api.runs(crons["cronitor-beat"]["id"])

    assert of == {
        "cronitor put": ["cronitor-nightly", "0 2 * * *"],
        "cronitor read": ["cronitor-beat", True],
        "cronitor pause": [200, True],
        "cronitor unpause": 200,
        "cronitor yaml": "every 5 minutes",
        "cronitor as_yaml": True,
        "cronitor deleted": True,
        # What the client raises for 404, for 400, and for 401.
        "cronitor gone": "MonitorNotFound",
        "cronitor bad schedule": "APIValidationError",
        "cronitor wrong key": "APIError",
    }
    assert (nightly["status"], nightly["message"]) == ("success", "1204 rows")
    assert [beat["status"] for beat in beats] == ["success", "failed", "success"]
    assert beats[2]["metrics"] == {"count": 7, "error_count": 1}
