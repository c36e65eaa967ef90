"""Over an emulator that is stricter than moto, and counts capacity as AWS does."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from chalicelib.domain.monitor.signal import Signal, SignalKind
from chalicelib.services import clock
from chalicelib.services.evaluate import TickReport, run_tick
from chalicelib.services.signals import receive
from chalicelib.store.tables import create_tables
from infra.local.listening import free_port
from infra.local.stack import PYTHON as STACK_PYTHON
from infra.local.stack import SERVICES as STACK_SERVICES
from tests.api.client import Api
from tests.capacity import counting
from tests.stores import over

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(not STACK_PYTHON.exists(), reason="the emulated AWS is not installed: make test does"),
]


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    env = {
        **os.environ,
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "SERVICES": STACK_SERVICES,
        "PERSIST_STATE": "0",
        "STATE_DIR": str(tmp_path_factory.mktemp("state")),
        "LOG_LEVEL": "WARNING",
    }
    # It stops when its standard input ends, so also when this process dies.
    command = [str(STACK_PYTHON), "-m", "infra.local.stack"]
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=sys.stderr)
    try:
        wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(PATIENCE)


def wait_for(port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the emulator did not start")


@pytest.fixture(scope="module")
def api(emulator: str) -> Iterator[Api]:
    with over(AWS_ENDPOINT_URL=emulator):
        create_tables()
        with Api.started() as api:
            api.key = api.new_org("mon-org")
            yield api


def test_a_jobs_whole_way(api: Api) -> None:
    first, second = api.register(
        {"name": "a", "schedule": "* * * * *", "tags": ["db"], "max_runtime_seconds": 60},
        {"name": "b", "schedule": "@every 10m", "depends_on": ["a"]},
    )
    blocked = api.post(f"/api/start/{second}", key=None)
    started = api.start(first, run_id="one")
    done = api.heartbeat(first, run_id="one", duration_ms=5, message="x" * 1000)
    again = api.heartbeat(first, run_id="one", duration_ms=5)
    unblocked = api.post(f"/api/start/{second}", key=None)
    failed = api.post(f"/api/fail/{second}", key=None)

    assert blocked.status == 409
    assert (done["run"]["id"], again["replay"]) == (started["run"]["id"], True)
    assert (unblocked.status, failed.status) == (200, 200)
    details = api.cron(second)
    assert (details["status"], details["stats"]["24h"]["failed"]) == ("down", 1)
    assert api.get(f"/api/crons/{first}/runs/{done['run']['id']}").json["message"] == "x" * 1000
    incident = details["incident"]["id"]
    assert api.post(f"/api/incidents/{incident}/acknowledge", {"note": "on it"}).status == 200
    assert api.post(f"/api/incidents/{incident}/resolve").status == 200
    window = {"name": "w", "schedule": "0 2 * * *", "duration_minutes": 60, "tags": ["db"]}
    assert api.post("/api/maintenance", window).status == 201
    assert api.post("/api/projects", {"name": "p"}).status == 201
    assert api.post("/api/orgs/mon-org/invite", {"email": "a@example.com"}).status == 201
    assert api.get("/api/crons", search="b", limit=1).json["crons"][0]["id"] == second
    assert api.get("/api/crons", status="late").status == 200
    assert api.tick().broken == 0
    assert api.delete(f"/api/crons/{first}").status == 204


def test_a_ping_is_within_its_capacity(api: Api) -> None:
    cron_id = api.register({"name": "capacity", "schedule": "*/5 * * * *"})[0]
    for number in range(5):
        api.post(f"/api/ping/{cron_id}", key=None, msg=f"run {number}")

    with counting() as consumed:
        api.post(f"/api/ping/{cron_id}", key=None, msg="one more")

    assert 0 < consumed.read <= 1
    assert 0 < consumed.write <= 8, consumed


def test_of_signals_at_once_each_is_counted_once(api: Api) -> None:
    cron_id = api.register({"name": "racing", "schedule": None})[0]
    told: list[str | None] = []

    def send(number: int) -> None:
        signal = Signal(SignalKind.SUCCESS, f"run {number % 4}")
        run = receive(None, cron_id, signal, clock.now()).run
        told.append(run.key if run else None)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(told) == 8
    assert sorted(run["run_id"] for run in api.runs(cron_id)) == [f"run {n}" for n in range(4)]
    assert api.cron(cron_id)["stats"]["24h"]["ok"] == 4
    assert api.cron(cron_id)["stats"]["7d"]["ok"] == 4


def test_of_two_ticks_at_once_each_miss_is_recorded_once(api: Api) -> None:
    ids = api.register(*({"name": f"tick {n}", "schedule": "* * * * *", "grace_seconds": 0} for n in range(10)))
    later = clock.now() + timedelta(seconds=61)
    reports: list[TickReport] = []

    threads = [threading.Thread(target=lambda: reports.append(run_tick(later))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(report.broken for report in reports) == 0
    for cron_id in ids:
        missed = [run["scheduled_at"] for run in api.runs(cron_id) if run["status"] == "missed"]
        assert len(missed) == len(set(missed)) >= 1
        assert api.cron(cron_id)["incident"]["missed"] == len(missed)
