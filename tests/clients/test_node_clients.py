"""Clients of other monitors for Node.js, unchanged, against `make run`: make test-clients."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.api.client import Api
from tests.processes.service import running

ROOT = Path(__file__).parents[2]
#: `make test-clients` installs them where there is npm.
MODULES = ROOT / ".venv-clients" / "node" / "node_modules"
pytestmark = [
    pytest.mark.clients,
    pytest.mark.skipif(shutil.which("node") is None or not MODULES.is_dir(), reason="needs node and npm"),
]


class Used(NamedTuple):
    api: Api
    #: What each client returned, or the name of what it raised.
    found: dict[str, Any]

    def crons(self, **names: str) -> dict[str, Any]:
        return {cron["name"]: cron for cron in self.api.get("/api/crons", **names).json["crons"]}

    def last_runs(self, **names: str) -> dict[str, Any]:
        return {name: self.api.runs(cron["id"])[0] for name, cron in self.crons(**names).items()}


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Used]:
    with running(tmp_path_factory.mktemp("state")) as service:
        api = service.org("node")
        script = ROOT / "tests" / "clients" / "node" / "use_clients.js"
        command = ["node", str(script), service.url, api.key or "", api.new_key("ingest", "node")]
        command.append(str(tmp_path_factory.mktemp("config")))
        env = {**os.environ, "NODE_PATH": str(MODULES)}
        done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False, env=env)
        assert done.returncode == 0, done.stderr[-4000:]
        yield Used(api, json.loads(done.stdout.splitlines()[-1]))


def test_sentry_node(used: Used) -> None:
    assert used.found["sentry withMonitor"] == "42 rows"
    assert used.found["sentry withMonitor raises"] == "TypeError"
    last = used.last_runs(product="sentry")
    assert {name: run["status"] for name, run in last.items() if name.startswith("node-")} == {
        "node-nightly": "success",
        "node-broken": "failed",
        "node-steps": "failed",
        "node-beat": "success",
    }
    nightly = used.crons(product="sentry")["node-nightly"]
    assert (nightly["schedule"], nightly["timezone"]) == ("*/5 * * * *", "Europe/Vienna")
    assert (nightly["grace_seconds"], nightly["max_runtime_seconds"]) == (120, 1200)
    assert last["node-nightly"]["duration_ms"] >= 140
    assert last["node-beat"]["duration_ms"] == 1500
    # In progress and its end are one run.
    assert len(used.api.runs(used.crons(product="sentry")["node-steps"]["id"])) == 1


def test_sentry_cli(used: Used) -> None:
    assert used.found["sentry-cli"] == [0, "done\n"]
    assert used.found["sentry-cli of a failure"] == 3
    last = used.last_runs(product="sentry")
    assert (last["cli-nightly"]["status"], last["cli-broken"]["status"]) == ("success", "failed")
    nightly = used.crons(product="sentry")["cli-nightly"]
    assert (nightly["schedule"], nightly["timezone"]) == ("0 2 * * *", "Europe/Paris")
    assert (nightly["grace_seconds"], nightly["max_runtime_seconds"]) == (180, 540)


def test_cronitor(used: Used) -> None:
    of = {name: value for name, value in used.found.items() if name.startswith("cronitor")}
    assert of == {
        "cronitor put": ["node-job", "0 2 * * *"],
        "cronitor wrap": "1204 rows",
        # The client keeps what the job raised to itself.
        "cronitor wrap raises": None,
        "cronitor ping": True,
        "cronitor fail": True,
        "cronitor ok": True,
        "cronitor read": ["node-heartbeat", True],
        "cronitor pause": [True, True],
        "cronitor unpause": True,
        "cronitor validate": True,
        "cronitor apply": True,
        "cronitor delete": True,
        # It is not there any more: 404. The schedule is none: 400.
        "cronitor gone": False,
        "cronitor bad schedule": "MonitorNotCreated",
        "cronitor event": True,
    }
    last = used.last_runs(service="cronitor")
    assert (last["node-job"]["status"], last["node-job"]["message"]) == ("success", "1204 rows")
    assert last["node-failing"]["status"] == "failed"
    assert "no disk" in last["node-failing"]["message"]
    beats = used.api.runs(used.crons(service="cronitor")["node-heartbeat"]["id"])
    assert [beat["status"] for beat in beats] == ["success", "failed", "success"]
    assert beats[2]["metrics"] == {"count": 7, "error_count": 1}
    assert "node-yaml" not in used.crons(service="cronitor")
