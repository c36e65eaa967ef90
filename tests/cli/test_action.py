"""The GitHub Action: what it is given reaches `cronhub exec`, and the step ends as the command does."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.cli.program import CRON_ID, SOURCE, FakeCronHub

ACTION = SOURCE.parent / "action"

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")


def step(fake: FakeCronHub, **given: str) -> "subprocess.CompletedProcess[str]":
    """As the runner runs it: its inputs in the environment that action.yml says."""
    action = yaml.safe_load((ACTION / "action.yml").read_text())
    (composite,) = action["runs"]["steps"]
    inputs = {
        name: given.get(name.replace("-", "_"), one.get("default", "")) for name, one in action["inputs"].items()
    }
    inputs["url"] = fake.url
    env = {
        name: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda found: inputs[found[1]], str(value))
        for name, value in composite["env"].items()
    }
    return subprocess.run(
        ["bash", "-c", composite["run"]], env={**os.environ, **env, "GITHUB_ACTION_PATH": str(ACTION)},
        cwd=inputs["working-directory"], capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_a_step_is_reported_and_ends_as_its_command(fake: FakeCronHub, tmp_path: Path) -> None:
    done = step(
        fake,
        id=CRON_ID,
        run="pwd; echo \"$((1 + 2)) 'quoted'\"\nfalse | cat\necho never",
        working_directory=str(tmp_path),
    )

    assert done.returncode == 1
    assert done.stdout == f"{tmp_path}\n3 'quoted'\n"
    assert [call.path for call in fake.calls] == [f"/api/start/{CRON_ID}", f"/api/ping/{CRON_ID}"]
    assert fake.calls[-1].query["exit_code"] == ["1"]


def test_nothing_that_is_given_is_run_by_the_script_itself(fake: FakeCronHub, tmp_path: Path) -> None:
    done = step(fake, id=f"x; touch {tmp_path}/ran", run="true", timeout="1m")

    assert done.returncode == 0
    assert not (tmp_path / "ran").exists()


def test_a_missing_id_is_named(fake: FakeCronHub) -> None:
    done = step(fake, run="true")

    assert done.returncode == 2
    assert "--cron" in done.stderr
