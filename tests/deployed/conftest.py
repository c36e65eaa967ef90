"""CronHub as it is deployed: the real zip, by CloudFormation, on an emulated AWS."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import pytest

from infra.deploy import emulated
from infra.deploy.stack import AWS_PYTHON
from infra.local.stack import PYTHON as STACK_PYTHON

ROOT = Path(__file__).parents[2]
STAGE = "dev"
# Two ticks, and what a loaded machine takes to start three functions.
PATIENCE = 170.0


class Deployed(NamedTuple):
    url: str
    #: What makes a command speak to this AWS.
    env: dict[str, str]


def run(env: dict[str, str], command: str, folder: Path = ROOT, stage: str = STAGE) -> str:
    """`make deploy` or `make destroy`, from a folder of sources; returns what it prints."""
    line = [sys.executable, "-m", "infra.deploy", command, stage]
    done = subprocess.run(line, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def call(method: str, url: str, body: Any = None, key: str = "") -> Any:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        text = answer.read()
        return json.loads(text) if text else None


def eventually(what: Callable[[], Any], patience: float = PATIENCE) -> Any:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        found = what()
        if found:
            return found
        time.sleep(1)
    raise AssertionError("it did not come to pass")


def url_in(said: str) -> str:
    return said.rpartition("CronHub is at ")[2].split()[0]


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    for needed in (AWS_PYTHON, STACK_PYTHON):
        assert needed.exists(), f"{needed} is not installed: make test-deployed does"
    with emulated.running(tmp_path_factory.mktemp("emulated") / "stack.log") as endpoint:
        env = emulated.environment(endpoint) | {"CRONHUB_ALLOW_PRIVATE_TARGETS": "1"}
        with pytest.MonkeyPatch.context() as patched:
            for name in [name for name in os.environ if name.startswith("AWS_")]:
                patched.delenv(name)
            for name, value in env.items():
                patched.setenv(name, value)
            boto3.setup_default_session()
            emulated.make_bucket()
            yield Deployed(url_in(run(env, "deploy")), env)
    boto3.setup_default_session()
