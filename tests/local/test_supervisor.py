"""`make run`: its children are kept running, stopped in order, and never left behind."""

import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.local import folder
from infra.local.eventbridge import every_minute
from infra.local.listening import free_port
from infra.local.process import is_alive
from tests.local.program import PATIENCE, Run, start_in, wait_for
from tests.processes.service import api_pids, running

# Three children that say when they start and stop; `store` must stop last.
HARNESS = r"""
import os, sys
from pathlib import Path
from infra.local import folder
from infra.local.supervisor import Part, Supervisor

CHILD = '''
import os, signal, sys, time
from infra.local import parent_watch
name = sys.argv[1]
def tell(what):
    # One write a line: two children's lines must not mix.
    os.write(1, f"{name} {what}\\n".encode())
def stop(*_):
    tell("stopped")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
parent_watch.start()
tell(f"started {os.getpid()}")
while True:
    time.sleep(0.01)
'''
def child(name, **more):
    return Part(name, [sys.executable, "-c", CHILD, name], **more)

lock = folder.take(Path(sys.argv[1]))
supervisor = Supervisor(dict(os.environ), Path.cwd(), shared=(lock,))
once = Part("once", [sys.executable, "-c", "__import__('os').write(1, b'once ran\\n')"], ends=True)
store, web, clock = child("store"), child("web"), child("clock")
supervisor.start(store)
if supervisor.run_until_done(once):
    supervisor.start(web)
    supervisor.start(clock)
    supervisor.watch()
supervisor.stop([web, clock, once, store])
print("all stopped", flush=True)
"""


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def run(state: Path) -> Iterator[Run]:
    harness = Run([sys.executable, "-c", HARNESS, str(state)])
    harness.child("web")
    harness.child("clock")
    yield harness
    if harness.process.poll() is None:
        harness.process.terminate()
        harness.process.wait(PATIENCE)


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_is_clean_and_in_order(run: Run, asked: signal.Signals) -> None:
    run.process.send_signal(asked)
    assert run.end() == 0
    assert run.lines[-4:] == ["web stopped", "clock stopped", "store stopped", "all stopped"]


def test_ctrl_c_reaches_the_children_through_the_supervisor_alone(run: Run) -> None:
    os.killpg(run.process.pid, signal.SIGINT)
    assert run.end() == 0
    assert run.lines[-4:] == ["web stopped", "clock stopped", "store stopped", "all stopped"]


@pytest.mark.parametrize("name", ["web", "clock"])
def test_a_killed_child_is_started_again(run: Run, name: str) -> None:
    os.kill(run.child(name), signal.SIGKILL)
    assert run.child(name, nth=2) != run.child(name)
    assert "ended (killed by SIGKILL); starting again" in run.line("ended")


def test_a_start_that_can_never_succeed_is_tried_once(state: Path) -> None:
    state.mkdir()
    (state / "cronhub.db").write_bytes(b"no database at all" * 100)

    run = start_in(state, PORT=str(free_port()))

    assert run.end() == 1
    assert "cronhub.db is damaged or is no SQLite file" in "".join(run.lines)
    assert not [line for line in run.lines if "starting again" in line or "Traceback" in line]
    assert (state / "cronhub.db").read_bytes() == b"no database at all" * 100


def test_a_state_folder_is_its_owners_alone(state: Path) -> None:
    state.mkdir(mode=0o755)

    os.close(folder.take(state))

    assert state.stat().st_mode & 0o777 == 0o700


def test_a_child_that_keeps_dying_is_waited_for_longer_each_time(run: Run) -> None:
    for nth in (1, 2, 3):
        os.kill(run.child("web", nth), signal.SIGKILL)
    run.child("web", nth=4)
    pauses = [float(line.split()[-2]) for line in run.lines if "starting again" in line]
    assert pauses == [0.2, 0.4, 0.8]


def test_no_child_outlives_a_killed_supervisor(run: Run, state: Path) -> None:
    pids = [run.child(name) for name in ("store", "web", "clock")]
    run.process.kill()
    assert run.end() == -signal.SIGKILL
    wait_for(lambda: not any(is_alive(pid) for pid in pids))
    # The children held the lock until they were done.
    os.close(folder.take(state))


def test_a_folder_is_used_by_one_run_at_a_time(run: Run, state: Path) -> None:
    with pytest.raises(folder.BusyFolder, match=f"already running .*{run.process.pid}"):
        folder.take(state)


def test_a_taken_port_is_one_line_and_exit_1(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        refused = start_in(tmp_path, PORT=str(port))
        assert refused.end() == 1
    assert len(refused.lines) == 1
    assert f"port {port} is taken" in refused.lines[0]
    assert "PORT=" in refused.lines[0]


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system keeps no process to a core")
def test_each_process_of_the_api_keeps_to_a_core_of_its_own(state: Path) -> None:
    cores = sorted(os.sched_getaffinity(0))[:4]
    wanted = [{core} for core in cores] if len(cores) > 1 else [set(cores)]
    with running(state) as service:
        wait_for(lambda: sorted(map(os.sched_getaffinity, api_pids(service.run)), key=min) == wanted)


@pytest.mark.parametrize("port", ["", "x", "0", "65536", "-1"])
def test_a_port_that_is_none_is_one_line_and_exit_1(tmp_path: Path, port: str) -> None:
    refused = start_in(tmp_path, PORT=port)
    assert refused.end() == 1
    assert len(refused.lines) == 1
    assert f"PORT={port} is not a port" in refused.lines[0]


class Clock:
    """A clock that moves when it is waited on."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.received = False
        self.left = 1000

    def __call__(self) -> datetime:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.left -= 1
        self.received = self.received or self.left == 0


def ticks(clock: Clock, count: int, then: Callable[[int], None]) -> list[datetime]:
    ran: list[datetime] = []

    def run_tick(now: datetime) -> None:
        ran.append(now)
        clock.received = len(ran) == count
        then(len(ran))

    every_minute(run_tick, clock, clock)  # type: ignore[arg-type]
    return ran


START = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)


def minutes(ran: list[datetime]) -> list[str]:
    return [f"{each:%H:%M:%S}" for each in ran]


def test_the_tick_runs_at_each_full_minute() -> None:
    assert minutes(ticks(Clock(START), 3, lambda _: None)) == ["12:01:00", "12:02:00", "12:03:00"]


def test_a_tick_that_fails_does_not_keep_the_next_from_coming(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(_: int) -> None:
        raise RuntimeError("store is gone")

    assert len(ticks(Clock(START), 3, fail)) == 3
    assert len(caplog.records) == 3


def test_minutes_missed_by_a_slow_tick_are_not_made_up() -> None:
    clock = Clock(START)

    def slow(nth: int) -> None:
        if nth == 1:
            clock.now += timedelta(minutes=3, seconds=20)

    assert minutes(ticks(clock, 3, slow)) == ["12:01:00", "12:05:00", "12:06:00"]


def test_a_clock_set_back_does_not_silence_the_tick() -> None:
    clock = Clock(START)

    def set_back(nth: int) -> None:
        if nth == 1:
            clock.now -= timedelta(hours=1)

    assert minutes(ticks(clock, 2, set_back)) == ["12:01:00", "11:02:00"]


def test_a_late_tick_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock(START)
    original = clock.wait

    def asleep(seconds: float) -> None:
        original(seconds + 100)

    clock.wait = asleep  # type: ignore[method-assign]
    ticks(clock, 1, lambda _: None)
    assert "late" in capsys.readouterr().out
