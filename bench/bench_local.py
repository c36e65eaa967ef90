"""CronHub on one machine: pings per second, and what each call takes with few and with very many runs.

Usage: python -m bench.bench_local [--older FOLDER] [--rival PORT PATHS] [RUNS ...]
FOLDER: a checkout of an older release, measured in the same run. PORT and PATHS: another server on this machine
and a file with the paths that it is pinged at, a line each. RUNS: sizes of the store, 1000 and 100000 by default,
0 for none; 10000000 takes some minutes to fill.
"""

import argparse
import http.client
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench.ping_load import Load, ping
from chalicelib.domain import ids
from chalicelib.domain.runs.run import Run, RunStatus
from chalicelib.store.runs import new_item
from infra.local.listening import free_port
from infra.local.store import Store
from infra.local.store.codec import encode
from infra.local.store.rows import expiry_of
from infra.local.store.tables import find_table
from infra.local.store.values import size_of_item
from tests.api.client import Api
from tests.local.program import Run as Program
from tests.processes.service import _Http, pids_of
from tests.processes.steps import register

ROOT = Path(__file__).parents[1]
CONNECTIONS = (1, 8, 32)
ROUNDS = 40
FEW_CRONS, MANY_CRONS = 100, 10_000
KEPT = timedelta(days=89)
#: While a store is filled: once a year.
_NEVER_DUE = "0 0 1 1 *"
#: CPU that all parts together take in a second with nothing to do.
_AT_REST_SECONDS = 0.1
_ROWS_AT_ONCE = 50_000


class Target(NamedTuple):
    """A `make run` that is measured."""

    program: Program
    state: Path
    port: int
    api: Api
    crons: list[str]

    def cpu_seconds(self) -> float:
        return sum(_cpu_seconds(pid) for pid in (self.program.process.pid, *self.pids()))

    def pids(self) -> list[int]:
        return [pid for pid, _ in pids_of(self.program)]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--older", type=Path)
    parser.add_argument("--rival", nargs=2, metavar=("PORT", "PATHS"))
    parser.add_argument("runs", type=int, nargs="*", default=[1_000, 100_000])
    given = parser.parse_args()
    rival = Load(int(given.rival[0]), Path(given.rival[1]).read_text().split()) if given.rival else None
    _compare_pings(given.older, rival)
    for crons in (FEW_CRONS, MANY_CRONS):
        for runs in filter(None, given.runs):
            _measure_size(crons, runs)


def _compare_pings(older: Path | None, rival: Load | None) -> None:
    """In turn, so that what else the machine does falls on all."""
    for folder in [ROOT, *([older] if older else []), ROOT]:
        if rival is not None:
            for connections in CONNECTIONS:
                _print_pings("the other server", connections, *ping(rival, connections))
        with tempfile.TemporaryDirectory() as state, _running(Path(state), folder, FEW_CRONS) as target:
            load = Load(target.port, [f"/api/ping/{cron}" for cron in target.crons])
            ping(load, max(CONNECTIONS))
            _wait_until_it_rests(target)
            for connections in CONNECTIONS:
                before = target.cpu_seconds()
                answered, seconds = ping(load, connections)
                cost = (target.cpu_seconds() - before) / answered * 1000
                name = "this release" if folder == ROOT else str(folder)
                _print_pings(name, connections, answered, seconds, f", {cost:.2f} ms of CPU each")


def _print_pings(name: str, connections: int, answered: int, seconds: float, more: str = "") -> None:
    print(f"{name}: {connections} connections, {answered / seconds:.0f} pings/s{more}", flush=True)


def _measure_size(crons: int, runs: int) -> None:
    with tempfile.TemporaryDirectory() as state:
        with _running(Path(state), ROOT, crons, _NEVER_DUE) as target:
            ids_of_crons = target.crons
        _fill(Path(state) / "cronhub.db", ids_of_crons, runs)
        begin = time.monotonic()
        with _running(Path(state), ROOT, 0) as target:
            began = time.monotonic() - begin
            _wait_until_it_rests(target)
            target.api.key = _KEYS[state]
            size = f"{crons:,} crons, {runs:,} runs ({_size_of(Path(state)):,} MB)"
            print(f"\n{size}: answers {began:.1f} s after its start")
            one = min(ids_of_crons)
            _print("ping", lambda: target.api.post(f"/api/ping/{one}", key=None, msg=secrets.token_hex(4)))
            _print("list of 100", lambda: target.api.get("/api/crons", limit=100))
            _print("details", lambda: target.api.get(f"/api/crons/{one}"))
            _print("tick with nothing due", _ticks_of(target))
            print("  memory, MB: " + ", ".join(f"{name} {size}" for name, size in _memory(target)))


_KEYS: dict[str, str | None] = {}


@contextmanager
def _running(state: Path, folder: Path, crons: int, schedule: str = "*/5 * * * *") -> Iterator[Target]:
    port = free_port()
    env = {"PORT": str(port), "CRONHUB_THROTTLE": "off", "CRONHUB_STATE": str(state)}
    command = [sys.executable, "-m", "infra.local"]
    if not (folder / "infra" / "local" / "chosen_store.py").exists():
        command = [sys.executable, "-c", _OLDER.format(state=str(state))]
    program = Program(["env", "-C", str(folder), *command], **env)
    try:
        program.line("CronHub is at", seconds=90)
        _wait_until_it_answers(port)
        client = _Http(port)
        api = Api(client)  # type: ignore[arg-type]
        api.checks_contract = folder == ROOT
        made: list[str] = []
        if crons:
            api.key = _KEYS[str(state)] = api.new_org("bench")
            made = register(api, "s", crons, schedule)
        yield Target(program, state, port, api, made)
    finally:
        program.process.send_signal(signal.SIGINT)
        program.end(90)


# Releases before the embedded store had no CRONHUB_STATE.
_OLDER = (
    "import sys; from pathlib import Path; import infra.local.__main__ as run; "
    "run.STATE = Path({state!r}); sys.exit(run.main())"
)


def _wait_until_it_answers(port: int) -> None:
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            connection.request("GET", "/api/health")
            connection.getresponse().read()
            return
        except OSError:
            time.sleep(0.01)


def _wait_until_it_rests(target: Target) -> None:
    """Parts that are still starting would take from the two cores that are measured."""
    while True:
        before = target.cpu_seconds()
        time.sleep(1)
        if target.cpu_seconds() - before < _AT_REST_SECONDS:
            return


def _fill(file: Path, crons: list[str], number: int) -> None:
    """Writes so many runs, as the store would have: the items of all differ in their keys alone."""
    store, now = Store(file), datetime.now(UTC)
    run = Run(
        cron_id="#" * len(crons[0]),
        id="#" * 26,
        status=RunStatus.SUCCESS,
        scheduled_at=now,
        started_at=now,
        finished_at=now,
        duration_ms=20_000,
        offset_ms=3_000,
        message="done",
    )
    model = new_item(run, now)
    item = model.to_dynamodb_dict()
    raw = encode(item)
    at_cron, at_run = raw.index(run.cron_id.encode()), raw.index(b"#" * 26, raw.index(run.cron_id.encode()) + 36)
    # In the order of their keys, which takes a fifth of the time.
    ordered, each = sorted(crons), max(1, number // len(crons))
    step = KEPT / each

    def rows(start: int, stop: int) -> Iterator[tuple[object, ...]]:
        for place in range(start, stop):
            cron = ordered[place // each].encode()
            at = now - step * (each - 1 - place % each)
            run_id = ids.timed_id(at, secrets.token_bytes(10)).encode()
            body = bytearray(raw)
            body[at_cron : at_cron + 36], body[at_run : at_run + 26] = cron, run_id
            yield table.id, cron, run_id, size, expires, bytes(body)

    table = store.file.read(lambda connection: find_table(connection, model.Meta.table_name))
    size, expires = size_of_item(item), expiry_of(table, item)
    for start in range(0, number, _ROWS_AT_ONCE):
        chunk = rows(start, min(start + _ROWS_AT_ONCE, number))
        store.file.write(
            lambda connection, chunk=chunk: connection.executemany(  # type: ignore[misc]
                "INSERT INTO items (table_id, hash, range, size, expires, item) VALUES (?, ?, ?, ?, ?, ?)", chunk
            )
        )
    store.close()


def _ticks_of(target: Target) -> Callable[[], object]:
    """The tick's own work, by its log: the process measures itself, without its start."""
    env = {**os.environ, "CRONHUB_STATE": str(target.state)}

    def tick() -> float:
        done = subprocess.run(
            [sys.executable, "-m", "bench.one_tick"], cwd=ROOT, env=env, check=True, capture_output=True, text=True
        )
        return float(done.stdout.split()[-1])

    return tick


def _print(what: str, call: Callable[[], object]) -> None:
    found = []
    rounds = ROUNDS if what != "tick with nothing due" else 5
    for _ in range(rounds):
        begin = time.perf_counter()
        own = call()
        found.append(own if isinstance(own, float) else (time.perf_counter() - begin) * 1000)
    print(f"  {what}: {median(found):.1f} ms ({min(found):.1f} to {max(found):.1f})")


def _cpu_seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory(target: Target) -> list[tuple[str, int]]:
    found = []
    for pid, arguments in pids_of(target.program):
        status = Path(f"/proc/{pid}/status").read_text()
        kilobytes = int(status.partition("VmRSS:")[2].split()[0])
        found.append((arguments[-1] if "api" not in " ".join(arguments) else "api", kilobytes // 1024))
    return found


def _size_of(state: Path) -> int:
    return sum(one.stat().st_size for one in state.glob("cronhub.db*")) // 1_000_000


if __name__ == "__main__":
    main()
