"""kill -9 again and again, under load: what was acknowledged is there, and every transaction whole (long)."""

import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from pathlib import Path

import pytest

from infra.local.store import Store, backup
from tests.api.client import Api
from tests.embedded_store.writer import names_of, started
from tests.local.program import wait_for
from tests.processes.inbox import Inbox, inbox
from tests.processes.service import running
from tests.processes.steps import add_webhook, register

KILLS_OF_WRITERS = 200
KILLS_OF_ALL = 50
WRITERS = 3
SEED = 11

pytestmark = pytest.mark.long


def names_in(path: Path) -> set[str]:
    store, names = Store(path), set()
    request = {"TableName": "kept", "ConsistentRead": True}
    while True:
        answer = store.answer("dynamodb", "Scan", request)
        names |= {item["h"]["S"] for item in answer["Items"]}
        if "LastEvaluatedKey" not in answer:
            store.close()
            return names
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def assert_whole(names: set[str]) -> None:
    """Each transaction put two items, `…a` and `…b`."""
    assert {name[:-1] for name in names if name[-1] == "a"} == {name[:-1] for name in names if name[-1] == "b"}


def write_until_killed(path: Path, life_seconds: float, prefix: str) -> set[str]:
    """Returns what the writer says is kept."""
    writer = started(path, prefix)
    assert writer.stdout is not None
    first = writer.stdout.readline()
    time.sleep(life_seconds)
    writer.send_signal(signal.SIGKILL)
    lines = [first, *writer.stdout]
    writer.wait()
    return names_of(lines, prefix)


def test_writers_are_killed_and_the_file_is_copied_while_they_write(tmp_path: Path) -> None:
    chance, path, kept = random.Random(SEED), tmp_path / "state" / "store.db", set[str]()
    rounds = KILLS_OF_WRITERS // WRITERS + 1
    for nth in range(rounds):
        lives = [chance.uniform(0, 0.3) for _ in range(WRITERS)]
        with ThreadPoolExecutor(WRITERS) as pool:
            told = [
                pool.submit(write_until_killed, path, life, f"{nth}.{number}-")
                for number, life in enumerate(lives)
            ]
            if nth:
                backup(path, tmp_path / f"copy-{nth}.db")
            before = set(kept)
            for one in told:
                kept |= one.result()
        if nth:
            copied = names_in(tmp_path / f"copy-{nth}.db")
            assert before <= copied
            assert_whole(copied)
            (tmp_path / f"copy-{nth}.db").unlink()
    there = names_in(path)
    print(f"\n{rounds * WRITERS} kills of writers: {len(kept)} acknowledged items, {len(kept - there)} lost")
    assert kept <= there
    assert_whole(there)


def fail_until_gone(api: Api, crons: list[str]) -> dict[str, str]:
    """Sends a failure of each cron; returns the runs that CronHub said it has."""
    kept: dict[str, str] = {}
    for cron_id in crons:
        try:
            answer = api.post(f"/api/fail/{cron_id}", key=None)
        except (OSError, HTTPException):
            break
        if answer.status == 200:
            kept[cron_id] = answer.json["run_id"]
    return kept


def test_everything_is_killed_at_once_again_and_again(tmp_path: Path) -> None:
    chance, state = random.Random(SEED), tmp_path / "state"
    kept: dict[str, str] = {}
    key: str | None = None
    with inbox() as box:
        for nth in range(KILLS_OF_ALL):
            with running(state) as service:
                api = service.org(f"org-{nth}")
                if key is None:
                    add_webhook(api, box)
                    key = api.key
                api.key = key
                crons = register(api, f"s{nth}", 40)
                with ThreadPoolExecutor(4) as pool:
                    sent = [pool.submit(fail_until_gone, api, crons[part::4]) for part in range(4)]
                    time.sleep(chance.uniform(0, 2))
                    service.kill_all()
                    for one in sent:
                        kept |= one.result()
        lost = lost_runs(state, key, kept)
        wait_for_alerts(state, box, kept)
    untold = set(kept) - box.cron_ids()
    print(f"\n{KILLS_OF_ALL} kills of everything: {len(kept)} signals kept, {lost} lost, {len(untold)} untold")
    assert lost == 0
    assert untold == set()


def lost_runs(state: Path, key: str | None, kept: dict[str, str]) -> int:
    with running(state) as service:
        api = service.org("reader")
        api.key = key
        return sum(
            run_id not in {run["id"] for run in api.get(f"/api/crons/{cron_id}/runs").json["runs"]}
            for cron_id, run_id in kept.items()
        )


def wait_for_alerts(state: Path, box: Inbox, kept: dict[str, str]) -> None:
    """What a sender had claimed when it died is free after a minute."""
    with running(state):
        wait_for(lambda: set(kept) <= box.cron_ids(), 240)
