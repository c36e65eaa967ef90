"""A release of CronHub, this one or an older one, as a test asks it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
START = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
NOTIFY, DUE = "cronhub-notify", "cronhub-due"


class Time:
    """The time of day for all releases."""

    def __init__(self) -> None:
        self.now = START

    def pass_by(self, **span: float) -> None:
        self.now += timedelta(**span)


class Release:
    def __init__(self, process: subprocess.Popen[str], time: Time) -> None:
        self._process = process
        self._time = time
        self.key = ""

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Returns what a call that succeeds answers."""
        status, answer = self.status_of(method, path, body)
        assert status < 300, (status, answer)
        return answer

    def status_of(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        status, answer = self._ask("call", method=method, path=path, body=body, key=self.key)
        return int(status), answer

    def tick(self) -> Any:
        return self._ask("tick")

    def receive(self, function: str, queue: str) -> int:
        """Has a function work on all messages of a queue; returns how many there were."""
        return int(self._ask("receive", function=function, queue=queue))

    def items(self) -> dict[str, list[Any]]:
        """All that the store holds, by table, as DynamoDB has it."""
        found: dict[str, list[Any]] = self._ask("items")
        return found

    def make_tables(self) -> None:
        self._ask("tables")

    def _ask(self, what: str, **more: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": what, "at": self._time.now.isoformat(), **more}) + "\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            if line.startswith("= "):
                return json.loads(line[2:])
        raise AssertionError("the release ended")


def has(commit: str) -> bool:
    """Whether the history of this checkout reaches back to a commit."""
    asked = ["git", "cat-file", "-e", f"{commit}^{{commit}}"]
    return subprocess.run(asked, cwd=ROOT, capture_output=True, check=False).returncode == 0


def unpack(commit: str, folder: Path) -> Path:
    """Writes the code of a release into a folder."""
    folder.mkdir()
    packing = ["git", "archive", commit, "app.py", "chalicelib"]
    packed = subprocess.run(packing, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    subprocess.run(["tar", "-x", "-C", str(folder)], input=packed.stdout, check=True)
    return folder


@contextmanager
def running(code: Path, store: Path, time: Time) -> Iterator[Release]:
    """The release whose code is in a folder, on a store."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CRONHUB_"))}
    env |= {
        # The code of the release before what it does not bring: the embedded store.
        "PYTHONPATH": os.pathsep.join([str(code), str(ROOT)]),
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "CRONHUB_THROTTLE": "off",
        "CRONHUB_ALLOW_PRIVATE_TARGETS": "1",
        "CRONHUB_BASE_URL": "http://127.0.0.1:9",
    }
    command = [sys.executable, str(Path(__file__).with_name("driver.py")), str(store)]
    # Not in a folder of code, whose settings of a stage Chalice would take.
    with subprocess.Popen(
        command, cwd=store.parent, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Release(process, time)
        finally:
            process.kill()
