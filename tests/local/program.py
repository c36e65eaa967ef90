"""Programs that tests run, as a user would start them."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PATIENCE = 20.0


class Run:
    """A program whose lines are read as they come."""

    def __init__(self, command: list[str], **env: str) -> None:
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())

    def line(self, text: str, nth: int = 1, seconds: float = PATIENCE) -> str:
        return wait_for(lambda: [each for each in self.lines if text in each][nth - 1 : nth], seconds)[0]

    def child(self, name: str, nth: int = 1) -> int:
        return int(self.line(f"{name} started", nth).split()[-1])

    def end(self, seconds: float = PATIENCE) -> int:
        status = self.process.wait(seconds)
        self._reader.join(PATIENCE)
        return status


def wait_for(find: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """The first thing found that is true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := find():
            return found
        time.sleep(0.01)
    raise AssertionError("it did not come")


def start_in(state: Path, **env: str) -> Run:
    """`python -m infra.local` with a state folder of its own."""
    return Run([sys.executable, "-m", "infra.local"], CRONHUB_STATE=str(state), **env)
