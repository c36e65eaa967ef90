"""`cronhub-run` of the example for cron: what it tells CronHub, and that it never harms its job."""

import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest

WRAPPER = Path(__file__).parents[2] / "examples" / "real-cron" / "cronhub-run"
PING_ID = "01234567-89ab-8def-8123-456789abcdef"

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")


class Call(NamedTuple):
    method: str
    path: str
    query: dict[str, list[str]]
    body: bytes


class FakeCronHub(ThreadingHTTPServer):
    """Keeps the calls it gets; answers those listed in `refusals` with these statuses first."""

    def __init__(self, *, listens: bool = True) -> None:
        super().__init__(("127.0.0.1", 0), _Handler, bind_and_activate=False)
        self.server_bind()
        if listens:
            self.server_activate()
        self.calls: list[Call] = []
        self.refusals: list[int] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: FakeCronHub

    def do_POST(self) -> None:
        target = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.calls.append(Call("POST", target.path, parse_qs(target.query), body))
        self.send_response(self.server.refusals.pop(0) if self.server.refusals else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        pass


@contextmanager
def serving(server: FakeCronHub) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield
    server.shutdown()
    thread.join()


@pytest.fixture
def cronhub() -> Iterator[FakeCronHub]:
    with FakeCronHub() as server, serving(server):
        yield server


def run(url: str, *command: str, **variables: str) -> "subprocess.CompletedProcess[bytes]":
    env = {**os.environ, "CRONHUB_URL": url, **variables}
    return subprocess.run([str(WRAPPER), PING_ID, *command], check=False, env=env, capture_output=True, timeout=60)


def test_a_run_is_told_of_at_its_start_and_at_its_end(cronhub: FakeCronHub) -> None:
    run(cronhub.url, "sleep", "0.2")

    start, finish = cronhub.calls
    assert (start.method, start.path) == ("POST", f"/api/start/{PING_ID}")
    assert (finish.method, finish.path) == ("POST", f"/api/ping/{PING_ID}")
    assert finish.query["exit_code"] == ["0"]
    assert 200 <= int(finish.query["duration_ms"][0]) < 10_000


def test_start_and_finish_have_one_id_of_the_run(cronhub: FakeCronHub) -> None:
    run(cronhub.url, "true")
    run(cronhub.url, "true")

    first_start, first_finish, second_start, second_finish = (call.query["rid"] for call in cronhub.calls)
    assert first_start == first_finish
    assert second_start == second_finish
    assert first_start != second_start
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,128}", first_start[0])


def test_the_start_is_told_before_the_command_runs(cronhub: FakeCronHub) -> None:
    run(cronhub.url, "sh", "-c", f"curl -s -d x {cronhub.url}/from-the-job")

    assert [call.path.split("/")[-2] for call in cronhub.calls] == ["start", "", "ping"]


@pytest.mark.parametrize("status", [0, 3, 255])
def test_the_exit_status_is_kept_and_told(cronhub: FakeCronHub, status: int) -> None:
    done = run(cronhub.url, "sh", "-c", f"exit {status}")

    assert done.returncode == status
    assert cronhub.calls[-1].query["exit_code"] == [str(status)]


def test_a_command_that_is_not_there_is_a_failure(cronhub: FakeCronHub) -> None:
    done = run(cronhub.url, "/no/such/command")

    assert done.returncode == 127
    assert cronhub.calls[-1].query["exit_code"] == ["127"]


def test_arguments_arrive_as_they_were_given(cronhub: FakeCronHub) -> None:
    done = run(cronhub.url, "printf", "%s|", "two words", "", "*", "$HOME")

    assert done.stdout == b"two words||*|$HOME|"


def test_what_a_command_prints_is_printed_and_told(cronhub: FakeCronHub) -> None:
    done = run(cronhub.url, "sh", "-c", "echo to output; echo to errors >&2")

    assert done.stdout == b"to output\nto errors\n"
    assert cronhub.calls[-1].body == done.stdout


def test_of_much_output_the_end_is_told_and_all_is_printed(cronhub: FakeCronHub) -> None:
    done = run(cronhub.url, "seq", "100000")

    assert len(done.stdout) == 588895
    assert len(cronhub.calls[-1].body) == 10_000
    assert cronhub.calls[-1].body.endswith(b"\n99999\n100000\n")


def test_nothing_is_left_behind(cronhub: FakeCronHub, tmp_path: Path) -> None:
    run(cronhub.url, "echo", "said", TMPDIR=str(tmp_path))

    assert list(tmp_path.iterdir()) == []


def test_a_finish_that_is_not_taken_is_sent_again(cronhub: FakeCronHub) -> None:
    cronhub.refusals = [200, 503, 503]

    done = run(cronhub.url, "echo", "said")

    assert done.returncode == 0
    assert [call.body for call in cronhub.calls[1:]] == [b"said\n"] * 3
    assert len({call.query["rid"][0] for call in cronhub.calls}) == 1


def test_a_finish_that_is_refused_for_good_is_not_sent_again(cronhub: FakeCronHub) -> None:
    cronhub.refusals = [404, 404]

    done = run(cronhub.url, "false")

    assert done.returncode == 1
    assert len(cronhub.calls) == 2


def test_an_unreachable_cronhub_does_not_fail_the_job(tmp_path: Path) -> None:
    # A curl that reaches nothing, at once: the real one goes on trying for half a minute.
    curl = tmp_path / "curl"
    curl.write_text("#!/bin/sh\nexit 7\n")
    curl.chmod(0o755)

    done = run("http://localhost:9", "sh", "-c", "echo said; exit 3", PATH=f"{tmp_path}:{os.environ['PATH']}")

    assert done.returncode == 3
    assert done.stdout == b"said\n"
    assert done.stderr == b""


def test_a_finish_waits_for_a_cronhub_that_comes_back(tmp_path: Path) -> None:
    with FakeCronHub(listens=False) as server:
        ran = tmp_path / "ran"
        env = {**os.environ, "CRONHUB_URL": server.url}
        command = ["sh", "-c", f"touch {ran}; exit 3"]
        with subprocess.Popen([str(WRAPPER), PING_ID, *command], env=env) as wrapper:
            wait_for(ran)
            server.server_activate()
            with serving(server):
                wrapper.wait(60)

    assert wrapper.returncode == 3
    assert [call.path.split("/")[-2] for call in server.calls] == ["ping"]


def test_without_room_for_its_output_the_command_runs_all_the_same(cronhub: FakeCronHub, tmp_path: Path) -> None:
    done = run(cronhub.url, "sh", "-c", "echo said; exit 3", TMPDIR=str(tmp_path / "missing"))

    assert done.returncode == 3
    assert done.stdout == b"said\n"
    assert cronhub.calls[-1].query["exit_code"] == ["3"]


def test_a_shutdown_is_told_as_a_failure(cronhub: FakeCronHub, tmp_path: Path) -> None:
    env = {**os.environ, "CRONHUB_URL": cronhub.url}
    ran = tmp_path / "ran"
    command = ["sh", "-c", f"touch {ran}; exec sleep 60"]
    # As at a shutdown, all processes get the signal.
    with subprocess.Popen([str(WRAPPER), PING_ID, *command], env=env, start_new_session=True) as wrapper:
        wait_for(ran)
        os.killpg(wrapper.pid, 15)

    assert wrapper.returncode == 143
    assert cronhub.calls[-1].query["exit_code"] == ["143"]


def test_without_a_command_it_says_how_it_is_used() -> None:
    done = subprocess.run([str(WRAPPER), PING_ID], check=False, capture_output=True)

    assert done.returncode == 64
    assert done.stderr.startswith(b"usage: cronhub-run PING_ID command")


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
