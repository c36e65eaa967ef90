"""The state of `make run`: it outlives kill -9, is copied while used, and taken over from older releases."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from pathlib import Path

import pytest

from infra.local import folder
from infra.local.listening import free_port
from infra.local.store import Store
from tests.api.client import Api
from tests.local.program import ROOT, Run, start_in, wait_for
from tests.processes.service import Service, api_pids, running
from tests.processes.steps import register

OLDER_STATE = Path(__file__).parents[1] / "data" / "older-state.json"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def service(state: Path) -> Iterator[Service]:
    with running(state) as found:
        yield found


def command(state: Path, *arguments: str) -> Run:
    run = Run([sys.executable, "-m", "infra.local", *arguments], CRONHUB_STATE=str(state))
    run.end()
    return run


def acknowledged(api: Api, cron_id: str, count: int) -> list[str]:
    """Sends signals until CronHub is gone; returns the ids of the runs that it said it has."""
    kept: list[str] = []
    for n in range(count):
        try:
            answer = api.post(f"/api/ping/{cron_id}", key=None, msg=f"{cron_id} {n}")
        except (OSError, HTTPException):
            break
        if answer.status == 200:
            kept.append(answer.json["run_id"])
    return kept


def test_what_was_acknowledged_outlives_a_kill_of_everything(state: Path) -> None:
    kept: dict[str, list[str]] = {}
    with running(state) as service:
        api = service.org("kept")
        crons = register(api, "s", 4)
        with ThreadPoolExecutor(4) as pool:
            sending = {cron_id: pool.submit(acknowledged, api, cron_id, 1000) for cron_id in crons}
            wait_for(lambda: sum("ping" in line for line in service.run.lines) > 100)
            service.kill_all()
            kept = {cron_id: sent.result() for cron_id, sent in sending.items()}

    with running(state) as again:
        api.client = again.org("other").client
        for cron_id, run_ids in kept.items():
            stored = {run["id"] for run in api.get(f"/api/crons/{cron_id}/runs", limit=200).json["runs"]}
            assert len(run_ids) > 10
            assert set(run_ids[-150:]) <= stored


def test_a_full_disk_is_told_to_the_signal_and_all_is_well_with_space_again(service: Service) -> None:
    api = service.org("full")
    (cron_id,) = register(api, "s", 1)
    pids = api_pids(service.run)

    for pid in pids:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
    refused = api.post(f"/api/ping/{cron_id}", key=None, msg="no space")
    assert refused.status == 503
    assert int(refused.headers["Retry-After"]) > 0
    service.run.line("the store did not answer")
    assert not [line for line in service.run.lines if "Traceback" in line]

    for pid in pids:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    again = api.post(f"/api/ping/{cron_id}", key=None, msg="space")
    assert again.status == 200
    runs = api.get(f"/api/crons/{cron_id}/runs").json["runs"]
    assert [run["id"] for run in runs] == [again.json["run_id"]]


def test_a_copy_is_made_while_it_runs_and_restored_when_it_does_not(state: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    with running(state) as service:
        api = service.org("first")
        register(api, "s", 1)
        assert f"{copy} (" in command(state, "backup", str(copy)).lines[0]
        service.org("second")

        refused = command(state, "restore", str(copy))
        assert refused.process.returncode == 1
        assert "already running" in refused.lines[0]
        service.run.process.send_signal(signal.SIGINT)
        assert service.run.end() == 0

    restored = command(state, "restore", str(copy))
    assert restored.process.returncode == 0, restored.lines
    with running(state) as service:
        again = service.org("second")
        again.key = api.key
        assert len(again.get("/api/crons").json["crons"]) == 1


def test_a_store_is_known_by_its_head(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRONHUB_STATE", str(state))
    assert not folder.holds_a_store()
    Store(folder.store_file()).close()
    assert folder.holds_a_store()
    folder.store_file().write_bytes(b"SQLite format 3\0" + bytes(4096))
    assert not folder.holds_a_store()


def test_what_cannot_be_copied_or_restored_is_one_sentence(state: Path, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.db"
    foreign.write_text("no database")

    for arguments, reason in (
        (("backup",), "is not there"),
        (("restore",), "make restore FROM="),
        (("restore", str(tmp_path / "missing")), "is not there"),
        (("restore", str(foreign)), "is damaged or is no SQLite file"),
    ):
        run = command(state, *arguments)
        assert run.process.returncode != 0
        assert len(run.lines) == 1
        assert reason in run.lines[0]


def test_an_older_state_is_taken_over_once(state: Path) -> None:
    (state / "state").mkdir(parents=True)
    (state / "state" / "dynamodb.json").write_bytes(OLDER_STATE.read_bytes())

    with running(state) as service:
        service.run.line("of an older CronHub")
        api = service.org("new")
        api.key = "ch_7mCX9MNnhkU3yN5KNt7K6m4bmB1IrHM5MWyZQdkb"
        crons = api.get("/api/crons").json["crons"]
        assert sorted(cron["name"] for cron in crons) == ["job 0", "job 1", "job 2"]
        assert len(api.get(f"/api/crons/{crons[0]['id']}/runs").json["runs"]) == 1
    assert not (state / "state").exists()
    assert (state / "state.taken-over" / "dynamodb.json").is_file()


def test_an_older_state_that_cannot_be_read_is_refused_and_left_alone(state: Path) -> None:
    (state / "state").mkdir(parents=True)
    (state / "state" / "dynamodb.json").write_text("{")

    run = start_in(state, PORT=str(free_port()))

    assert run.end() == 1
    assert "mv " in "".join(run.lines)
    assert (state / "state" / "dynamodb.json").is_file()


def test_a_tick_alone_runs_once_and_says_whether_it_went_well(state: Path) -> None:
    assert command(state, "tables").process.returncode == 0
    assert command(state, "tick", "--once").process.returncode == 0
    (state / "cronhub.db").write_text("no database" * 1000)
    broken = command(state, "tick", "--once")
    assert broken.process.returncode == 1
    assert "is damaged or is no SQLite file" in broken.lines[0]


def test_the_queues_are_there_before_the_first_signal(state: Path) -> None:
    command(state, "tables")

    store = Store(state / "cronhub.db")
    assert len(store.answer("sqs", "ListQueues", {})["QueueUrls"]) == 2


def test_the_api_runs_alone(state: Path) -> None:
    port = free_port()
    command(state, "tables")
    env = {**os.environ, "CRONHUB_STATE": str(state), "PORT": str(port)}
    # Its standard input is at its end, as under systemd.
    alone = subprocess.Popen(
        [sys.executable, "-m", "infra.local", "api"], cwd=ROOT, env=env, stdin=subprocess.DEVNULL
    )
    try:
        wait_for(lambda: _is_up(port))
    finally:
        alone.terminate()
    assert alone.wait(20) == 0


def _is_up(port: int) -> bool:
    from urllib.request import urlopen

    try:
        with urlopen(f"http://127.0.0.1:{port}/api/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.mark.parametrize("host", ["203.0.113.7", "no such host"])
def test_a_host_that_is_none_of_this_machine_is_one_line(state: Path, host: str) -> None:
    refused = start_in(state, PORT=str(free_port()), HOST=host)

    assert refused.end() == 1
    assert [line for line in refused.lines if f"HOST={host} cannot be listened on" in line] == refused.lines


def test_a_part_that_is_none_is_named(state: Path) -> None:
    run = command(state, "nothing")
    assert run.process.returncode == 2
    assert "it has api, tick" in run.lines[0]
