"""Runs the tool, in this process or in one of its own, and plays a CronHub that can be made to misbehave."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest
from cronhub.__main__ import main

SOURCE = Path(__file__).parents[2] / "cli" / "src"
CRON_ID = "01234567-89ab-8def-8123-456789abcdef"


class Said(NamedTuple):
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Tool:
    """The tool in this process: quick."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> Said:
        self._capsys.readouterr()
        status = main(list(arguments))
        said = self._capsys.readouterr()
        return Said(status, said.out, said.err)

    def json(self, *arguments: str) -> Any:
        said = self(*arguments, "--json")
        assert said.status == 0, said
        return said.json


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "cronhub", *arguments]


def environment(**variables: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(SOURCE), **variables}


def run(*arguments: str, **options: Any) -> "subprocess.CompletedProcess[bytes]":
    """The tool in a process of its own, without a terminal."""
    options = {"capture_output": True, "stdin": subprocess.DEVNULL, "timeout": 60, **options}
    variables = options.pop("variables", {})
    return subprocess.run(
        command(*arguments), check=False, env=environment(**variables), start_new_session=True, **options
    )


class Received(NamedTuple):
    method: str
    path: str
    query: dict[str, list[str]]
    body: bytes
    at: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class FakeCronHub(ThreadingHTTPServer):
    """Keeps the calls it gets; answers those listed in `refusals` with these statuses first."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.calls: list[Received] = []
        self.refusals: list[int] = []
        #: Seconds before each answer.
        self.delay = 0.0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who asked has gone: that is what some tests are about."""

    def told(self, kind: str) -> list[Received]:
        return [call for call in self.calls if f"/{kind}/" in call.path or call.path.endswith(f"/{kind}")]


class _Handler(BaseHTTPRequestHandler):
    server: FakeCronHub

    def do_POST(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        target = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        received = Received(self.command, target.path, parse_qs(target.query), body, time.time())
        self.server.calls.append(received)
        time.sleep(self.server.delay)
        self.send_response(self.server.refusals.pop(0) if self.server.refusals else 200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_arguments: object) -> None:
        pass


@contextmanager
def serving_fake(server: FakeCronHub) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield
    server.shutdown()
    thread.join()
