"""`make run` as tests use it: over HTTP, and through its processes."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

from infra.local.listening import free_port
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
    """A service that runs."""

    def __init__(self, run: Run, port: int, env: dict[str, str]) -> None:
        self.run = run
        self._port = port
        self._env = env
        self.store_file = Path(env["CRONHUB_STATE"]) / "cronhub.db"
        run.line("CronHub is at", seconds=STARTS_WITHIN_SECONDS)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def org(self, slug: str) -> Api:
        """The API, as a new org of this name."""
        client: Any = _Http(self._port)
        api = Api(client)
        api.key = api.new_org(slug)
        return api

    def pid(self, part: str) -> int:
        """Of a part that runs; waited for where it was killed just now."""
        name = f"infra.local.{part}"
        return int(wait_for(lambda: [pid for pid, args in pids_of(self.run) if name in args])[0])

    def kill(self, part: str) -> None:
        os.kill(self.pid(part), signal.SIGKILL)

    def kill_all(self) -> None:
        """The supervisor first, so that it starts nothing again."""
        for pid in [self.run.process.pid, *(pid for pid, _ in pids_of(self.run))]:
            os.kill(pid, signal.SIGKILL)
        self.run.end()

    @contextmanager
    def standing_still(self, part: str) -> Iterator[None]:
        pid = self.pid(part)
        os.kill(pid, signal.SIGSTOP)
        yield
        os.kill(pid, signal.SIGCONT)

    def minute(self, ahead_seconds: float = 0) -> Run:
        """One run of the tick, begun."""
        command = [sys.executable, "-m", "tests.processes.minute", str(ahead_seconds)]
        return Run(command, **self._env)

    @contextmanager
    def dying_minute(self, ahead_seconds: float = 0) -> Iterator[Run]:
        """One run of the tick that is killed at the end of this context."""
        minute = self.minute(ahead_seconds)
        try:
            yield minute
        finally:
            minute.process.kill()
            minute.end()


def pids_of(run: Run) -> list[tuple[int, list[str]]]:
    """The processes of its parts that live, each with its arguments."""
    command = ["ps", "-ww", "-o", "pid=,state=,args=", "--ppid", str(run.process.pid)]
    listed = subprocess.run(command, check=False, capture_output=True, text=True).stdout
    found = (line.split() for line in listed.splitlines())
    return [(int(pid), args) for pid, state, *args in found if state != "Z"]


def api_pids(run: Run) -> list[int]:
    return [pid for pid, arguments in pids_of(run) if "infra.local.api" in arguments]


@contextmanager
def running(state: Path, **env: str) -> Iterator[Service]:
    """`make run` with a state of its own."""
    port = free_port()
    env = {"PORT": str(port), "CRONHUB_THROTTLE": "off", "CRONHUB_ALLOW_PRIVATE_TARGETS": "1", **env}
    run = start_in(state, **env)
    try:
        yield Service(run, port, {**env, "CRONHUB_STATE": str(state)})
    finally:
        children = pids_of(run)
        run.process.terminate()
        # Its state goes with the test, so nobody has to be waited for.
        for pid, _ in children:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        run.process.wait(STOPS_WITHIN_SECONDS)
