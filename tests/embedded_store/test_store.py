"""The embedded store: what it refuses changes nothing, and what it acknowledged survives kill -9."""

import signal
import sqlite3
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings

from infra.local.store import Store, StoreFileError
from tests.embedded_store.requests import Call, sequences
from tests.embedded_store.subjects import Embedded, items_of, with_table
from tests.embedded_store.writer import names_of, started


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@given(sequences)
@settings(max_examples=60, deadline=None)
def test_what_is_refused_changes_nothing(folder: Path, calls: list[Call]) -> None:
    with with_table(Embedded(folder / "store.db")) as store:
        for operation, request in calls:
            before = items_of(store)
            kind, _ = store.call(operation, request)
            if kind == "refused":
                assert items_of(store) == before, (operation, request)


@pytest.mark.parametrize("acknowledged_before_the_kill", [1, 30, 200])
def test_what_was_acknowledged_survives_a_kill(tmp_path: Path, acknowledged_before_the_kill: int) -> None:
    path = tmp_path / "state" / "store.db"
    writer = started(path)
    assert writer.stdout is not None
    acknowledged = [writer.stdout.readline() for _ in range(acknowledged_before_the_kill)]
    writer.send_signal(signal.SIGKILL)
    acknowledged += [*writer.stdout]
    writer.wait()

    found = Store(path).answer("dynamodb", "Scan", {"TableName": "kept", "ConsistentRead": True})["Items"]
    there = {item["h"]["S"] for item in found}
    assert names_of(acknowledged) <= there
    assert {name[:-1] + "a" for name in there} == {name[:-1] + "a" for name in there if name[:-1] + "b" in there}
    assert len(there) % 2 == 0


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b"SQLite format 3\0" + bytes(4096)])
def test_a_file_that_is_not_ours_is_refused_by_name_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(content)

    with pytest.raises(StoreFileError, match=r"store\.db"):
        Store(path).answer("dynamodb", "ListTables", {})

    assert path.read_bytes() == content


def test_a_file_that_another_process_has_to_itself_for_a_moment_is_waited_for(tmp_path: Path) -> None:
    # As the first that opens a file after a kill has it, while it reads the log anew.
    path = tmp_path / "store.db"
    Store(path).close()
    alone = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    alone.execute("PRAGMA locking_mode=EXCLUSIVE")
    alone.execute("BEGIN EXCLUSIVE")
    alone.execute("ROLLBACK")
    release = threading.Timer(0.2, alone.close)
    release.start()
    try:
        assert Store(path).answer("dynamodb", "ListTables", {}) == {"TableNames": []}
    finally:
        release.join()
