"""The drop-in for systemd's units: its commands are run as systemd runs them, with the variables that it sets."""

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from cronhub.commands.systemd import result_of

from tests.api.client import Api
from tests.cli.program import CRON_ID, SOURCE, FakeCronHub, Tool, environment

DROP_IN = SOURCE.parent / "systemd" / "cronhub.conf"
INVOCATION = "8fcc0e8b70054e48bb3cbd1ad7b3f2b5"
SERVICE = "backup"


class Unit:
    """A service with the drop-in."""

    def __init__(self, folder: Path, journal: str = "") -> None:
        self.folder = folder
        self._write("cronhub", f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m cronhub "$@"\n')
        self._write("journalctl", f'#!/bin/sh\necho "$@" > {folder}/asked\nprintf "%s" {shlex.quote(journal)}\n')

    def _write(self, name: str, text: str) -> None:
        program = self.folder / name
        program.write_text(text)
        program.chmod(0o755)

    def does(self, setting: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Runs the command of a setting."""
        found = re.search(rf"^{setting}=[-+]*(.*)$", DROP_IN.read_text(), re.MULTILINE)
        assert found
        line = found[1].replace("%H", socket.gethostname()).replace("%N", SERVICE).replace("$$", "$")
        words = shlex.split(line.replace("/usr/local/bin/cronhub", str(self.folder / "cronhub")))
        path = f"{self.folder}:{os.environ['PATH']}"
        env = environment(PATH=path, INVOCATION_ID=INVOCATION, **variables)
        return subprocess.run(
            words,
            env=env,
            cwd="/",
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def starts(self) -> "subprocess.CompletedProcess[str]":
        return self.does("ExecCondition")

    def stops(self, result: str, how: str, status: str) -> "subprocess.CompletedProcess[str]":
        return self.does("ExecStopPost", SERVICE_RESULT=result, EXIT_CODE=how, EXIT_STATUS=status)


@pytest.fixture
def unit(tmp_path: Path) -> Unit:
    return Unit(tmp_path, "could not write to disk\n")


@pytest.fixture
def cron(api: Api, tool: Tool) -> str:
    """As `cronhub discover systemd --register` registers a timer."""
    return register(api, {"name": SERVICE, "schedule": "0 2 * * *"})


def register(api: Api, *crons: Mapping[str, object]) -> str:
    given = {"product": "systemd", "service": socket.gethostname(), "crons": list(crons)}
    return str(api.post("/api/crons/register", given).json["crons"][-1]["id"])


def test_a_run_is_reported_at_its_start_and_at_its_end(api: Api, unit: Unit, cron: str) -> None:
    assert unit.starts().returncode == 0
    assert [run["status"] for run in api.runs(cron)] == ["running"]

    done = unit.stops("success", "exited", "0")

    assert (done.returncode, done.stderr) == (0, "")
    run = api.runs(cron)[0]
    assert (run["status"], run["exit_code"], run["run_id"]) == ("success", 0, f"systemd-{INVOCATION}")
    assert run["duration_ms"] is not None
    assert not (unit.folder / "asked").exists()


def test_a_failed_run_has_its_exit_status_and_its_journal(api: Api, unit: Unit, cron: str) -> None:
    unit.starts()
    unit.stops("exit-code", "exited", "3")

    run = api.runs(cron)[0]
    assert (run["status"], run["exit_code"]) == ("failed", 3)
    assert run["message"] == "systemd: exit-code (exited 3)\ncould not write to disk"
    assert f"_SYSTEMD_INVOCATION_ID={INVOCATION}" in (unit.folder / "asked").read_text()


def test_a_service_whose_dependency_is_not_completed_is_skipped(api: Api, unit: Unit, tool: Tool) -> None:
    patch = {"name": "patch", "schedule": "0 1 * * *"}
    cron = register(api, patch, {"name": SERVICE, "schedule": "0 2 * * *", "depends_on": ["patch"]})

    started = unit.starts()
    stopped = unit.stops("exec-condition", "exited", "1")

    # From 1 to 254: systemd skips the unit.
    assert started.returncode == 1
    assert "it waits for patch" in started.stderr
    assert (stopped.returncode, stopped.stderr) == (0, "")
    assert {run["status"] for run in api.runs(cron)} <= {"blocked"}


def test_a_service_runs_where_cronhub_is_missing_or_set_up_wrongly(unit: Unit, cron: str) -> None:
    (unit.folder / "cronhub").unlink()

    assert unit.starts().returncode == 0
    assert Unit(unit.folder).does("ExecCondition", CRONHUB_URL="nonsense").returncode == 0


def test_the_end_is_sent_later_where_cronhub_is_away(
    api: Api, unit: Unit, cron: str, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit.starts()
    monkeypatch.setenv("CRONHUB_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("CRONHUB_FINISH_BUDGET", "0.2")
    Path(os.environ["CRONHUB_STATE"], "names.json").unlink()

    away = unit.stops("exit-code", "exited", "3")

    assert "the end was not reported yet" in away.stderr
    assert len(list(Path(os.environ["CRONHUB_STATE"], "spool").glob("*.json"))) == 1


def test_what_waits_is_sent_with_the_next_end(fake: FakeCronHub, tmp_path: Path) -> None:
    fake.refusals = [503] * 1
    call = [sys.executable, "-m", "cronhub", "systemd", "stop", "--id", CRON_ID]
    for budget, invocation in (("0", "a1"), ("10", "b2")):
        env = environment(INVOCATION_ID=invocation, SERVICE_RESULT="success", CRONHUB_FINISH_BUDGET=budget)
        subprocess.run(call, env=env, check=False, timeout=60)

    assert [one.query["rid"] for one in fake.calls][-2:] == [["systemd-b2"], ["systemd-a1"]]
    assert "duration_ms" not in fake.calls[-1].query


@pytest.mark.parametrize(
    ("result", "how", "status", "code", "words"),
    [
        ("success", "exited", "0", 0, ""),
        ("success", "exited", "3", 0, ""),
        ("exit-code", "exited", "200", 200, "systemd: exit-code (exited 200)"),
        ("signal", "killed", "TERM", 143, "systemd: signal (killed TERM)"),
        ("core-dump", "dumped", "ABRT", 134, "systemd: core-dump (dumped ABRT)"),
        ("timeout", "killed", "KILL", 137, "systemd: timeout (killed KILL)"),
        ("protocol", "exited", "0", 1, "systemd: protocol (exited 0)"),
        ("start-limit-hit", "", "", 1, "systemd: start-limit-hit (not run -)"),
        ("signal", "killed", "IGN", 1, "systemd: signal (killed IGN)"),
    ],
)
def test_a_result_of_systemd_is_an_exit_code(result: str, how: str, status: str, code: int, words: str) -> None:
    assert result_of({"SERVICE_RESULT": result, "EXIT_CODE": how, "EXIT_STATUS": status}) == (code, words)


def test_by_hand_it_says_who_calls_it(tool: Tool) -> None:
    said = tool("systemd", "start", "--id", CRON_ID)

    assert (said.status, said.err) == (2, "cronhub: this is called by systemd, which sets INVOCATION_ID\n")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_takes_the_drop_in(tmp_path: Path) -> None:
    service = tmp_path / "backup.service"
    service.write_text("[Service]\nType=oneshot\nExecStart=/bin/true\n")
    folder = tmp_path / "backup.service.d"
    folder.mkdir()
    shutil.copy(DROP_IN, folder)
    verify = ["systemd-analyze", "verify", str(service)]

    done = subprocess.run(verify, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")

    # What it does not know it names: the drop-in is read.
    (folder / "wrong.conf").write_text("[Service]\nExecNever=/bin/true\n")
    assert "ExecNever" in subprocess.run(verify, capture_output=True, text=True, check=False).stderr
