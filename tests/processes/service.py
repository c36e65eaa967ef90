"""`make run` as tests use it: over HTTP, and through its processes."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

from infra.local.__main__ import free_port
from tests.api.client import Api
from tests.local.program import Run, start_in, wait_for

STARTS_WITHIN_SECONDS = 90.0
STOPS_WITHIN_SECONDS = 90.0


class _Answer(NamedTuple):
    status_code: int
    headers: dict[str, str]
    body: bytes


class _Http:
    """What Chalice's test client has, over a real connection."""

    def __init__(self, port: int) -> None:
        self.port = port

    @property
    def http(self) -> "_Http":
        return self

    def request(self, method: str, path: str, headers: dict[str, str], body: bytes) -> _Answer:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return _Answer(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()


class Service:
    """A service that runs: `api` without a key yet, `store` the address of its store."""

    def __init__(self, run: Run, port: int) -> None:
        self.run = run
        client: Any = _Http(port)
        self.api = Api(client)
        self.store = run.line("store at", seconds=STARTS_WITHIN_SECONDS).split()[-1]

    def pid(self, part: str) -> int:
        """Of a part that runs; waited for where it was killed just now."""
        return int(wait_for(lambda: self._pids(part))[0])

    def _pids(self, part: str) -> list[str]:
        command = ["ps", "-o", "pid=,state=,args=", "--ppid", str(self.run.process.pid)]
        listed = subprocess.run(command, check=False, capture_output=True, text=True).stdout
        found = (line.split() for line in listed.splitlines())
        return [pid for pid, state, *args in found if state != "Z" and f"infra.local.{part}" in args]

    def kill(self, part: str) -> None:
        os.kill(self.pid(part), signal.SIGKILL)

    def minute(self, ahead_seconds: float = 0) -> Run:
        """One run of the tick, begun."""
        command = [sys.executable, "-m", "tests.processes.minute", str(ahead_seconds)]
        return Run(command, AWS_ENDPOINT_URL=self.store, CRONHUB_ALLOW_PRIVATE_TARGETS="1")


@contextmanager
def running(state: Path, **env: str) -> Iterator[Service]:
    """`make run` with a state of its own."""
    port = free_port()
    run = start_in(state, PORT=str(port), CRONHUB_THROTTLE="off", CRONHUB_ALLOW_PRIVATE_TARGETS="1", **env)
    try:
        yield Service(run, port)
    finally:
        run.process.terminate()
        run.process.wait(STOPS_WITHIN_SECONDS)
