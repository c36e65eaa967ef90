"""The SQLite file: one for all processes, opened by each for itself.

SQLite lets one writer in at a time and makes each commit durable with one fsync, which takes most of
a request's time. So the writes that wait in one process are committed together: the first that comes
leads, and takes along all that came while the commit before was under way.
"""

import os
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Generic, TypeVar
from weakref import WeakSet

from infra.local.store.errors import StoreError, StoreFileError, Unavailable

T = TypeVar("T")

APPLICATION_ID = 0x43726F48
SCHEMA_VERSION = 1
#: How long a request waits for another process that writes.
PATIENCE = 8.0
_SHORT_SLEEP = 0.0002
_LONG_SLEEP = 0.0008
_MOST_AT_ONCE = 64

_SCHEMA = """
CREATE TABLE tables (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    revision INTEGER NOT NULL,
    definition TEXT NOT NULL
);
CREATE TABLE items (
    table_id INTEGER NOT NULL,
    hash BLOB NOT NULL,
    range BLOB NOT NULL,
    size INTEGER NOT NULL,
    expires INTEGER,
    item BLOB NOT NULL,
    PRIMARY KEY (table_id, hash, range)
) WITHOUT ROWID;
CREATE INDEX expiring ON items (expires) WHERE expires IS NOT NULL;
CREATE TABLE entries (
    table_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    hash BLOB NOT NULL,
    range BLOB NOT NULL,
    item_hash BLOB NOT NULL,
    item_range BLOB NOT NULL,
    size INTEGER NOT NULL,
    item BLOB NOT NULL,
    PRIMARY KEY (table_id, position, hash, range, item_hash, item_range)
) WITHOUT ROWID;
CREATE TABLE tokens (
    token TEXT PRIMARY KEY,
    digest BLOB NOT NULL,
    used_at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX old_tokens ON tokens (used_at);
CREATE TABLE queues (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    attributes TEXT NOT NULL,
    created_at REAL NOT NULL
);
CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    queue_id INTEGER NOT NULL,
    message_id TEXT NOT NULL,
    body TEXT NOT NULL,
    attributes TEXT NOT NULL,
    sent_at REAL NOT NULL,
    visible_at REAL NOT NULL,
    receives INTEGER NOT NULL DEFAULT 0,
    first_received_at REAL,
    receipt TEXT
);
CREATE INDEX waiting ON messages (queue_id, visible_at);
CREATE INDEX sent ON messages (queue_id, sent_at);
"""


class _Write(Generic[T]):
    """A write that waits for its turn, and what came of it."""

    def __init__(self, job: Callable[[sqlite3.Connection], T]) -> None:
        self.job = job
        self.turn = threading.Lock()
        self.turn.acquire()
        self.is_done = False
        self.result: T
        self.error: BaseException | None = None

    def run(self, connection: sqlite3.Connection) -> None:
        """A refusal is this write's own; any other error is everybody's in the transaction."""
        self.error = None
        changes = connection.total_changes
        try:
            self.result = self.job(connection)
        except StoreError as refusal:
            if connection.total_changes != changes:
                raise
            self.error = refusal

    def outcome(self) -> T:
        if self.error is not None:
            raise self.error
        return self.result


class StoreFile:
    """Reads and writes of one process. Raises StoreFileError for a file that is not ours to use."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._idle: list[sqlite3.Connection] = []
        self._open = 0
        self._guard = threading.Condition()
        self._is_forking = False
        self._waiting: list[_Write[Any]] = []
        self._is_led = False
        _make_private(path)
        with self._connection() as connection:
            _prepare(connection, path)
        _files.add(self)

    def read(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Runs a job on one consistent state. It waits for no writer."""
        with self._connection() as connection, _told_as_unavailable(self.path):
            _patiently(lambda: connection.execute("BEGIN"))
            try:
                return _patiently(lambda: job(connection))
            finally:
                connection.execute("ROLLBACK")

    def write(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Runs a job that changes the file. It is durable when this returns, and undone when it raises.

        A job that refuses (raises StoreError) must do so before its first change.
        """
        mine = _Write(job)
        with self._guard:
            self._waiting.append(mine)
            is_leader, self._is_led = not self._is_led, True
        if is_leader or not self._wait_for_turn(mine):
            self._lead(mine)
        return mine.outcome()

    def trace(self) -> tuple[int, int]:
        """What changes with nearly every write, of whatever process; far cheaper than a read."""
        try:
            found = os.stat(f"{self.path}-wal")
        except FileNotFoundError:
            return (0, 0)
        return (found.st_mtime_ns, found.st_size)

    def close(self) -> None:
        """Closes what is open; the next request opens it again."""
        with self._guard:
            idle, self._idle = self._idle, []
            self._open -= len(idle)
        for connection in idle:
            connection.close()

    def _wait_for_turn(self, mine: _Write[Any]) -> bool:
        """Whether another thread did the work; if not, this one has to lead."""
        mine.turn.acquire()
        return mine.is_done

    def _lead(self, mine: _Write[Any]) -> None:
        with self._guard:
            batch, self._waiting = self._waiting[:_MOST_AT_ONCE], self._waiting[_MOST_AT_ONCE:]
        try:
            self._commit(batch)
        finally:
            with self._guard:
                successor = self._waiting[0] if self._waiting else None
                self._is_led = successor is not None
            for other in batch:
                other.is_done = True
                if other is not mine:
                    other.turn.release()
            if successor is not None:
                successor.turn.release()

    def _commit(self, batch: list[_Write[Any]]) -> None:
        """Commits all together; where that fails, each alone, so that none suffers from another."""
        try:
            with self._connection() as connection, _told_as_unavailable(self.path):
                _commit_together(connection, batch)
        except BaseException as error:
            if len(batch) == 1:
                batch[0].error = error
            else:
                for one in batch:
                    self._commit([one])

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """A connection that no other thread uses meanwhile."""
        with self._guard:
            self._guard.wait_for(lambda: not self._is_forking)
            self._open += not self._idle
            connection = self._idle.pop() if self._idle else None
        try:
            if connection is None:
                connection = _connect(self.path)
            yield connection
        finally:
            with self._guard:
                if connection is None:
                    self._open -= 1
                else:
                    self._idle.append(connection)
                self._guard.notify_all()

    def before_fork(self) -> None:
        """SQLite's locks do not survive a fork, and a child that believes it has them damages the file.
        So a fork waits for what is under way, and everything is closed while it happens."""
        with self._guard:
            self._is_forking = True
            self._guard.wait_for(lambda: self._open == len(self._idle), timeout=PATIENCE)
        self.close()

    def after_fork_in_parent(self) -> None:
        with self._guard:
            self._is_forking = False
            self._guard.notify_all()

    def after_fork_in_child(self) -> None:
        """The other threads are gone, and with them their writes."""
        self._guard = threading.Condition()
        self._idle, self._open, self._waiting = [], 0, []
        self._is_led = self._is_forking = False


_files: WeakSet[StoreFile] = WeakSet()


def _at_fork(method: Callable[[StoreFile], None]) -> Callable[[], None]:
    def run() -> None:
        for file in list(_files):
            method(file)

    return run


os.register_at_fork(
    before=_at_fork(StoreFile.before_fork),
    after_in_parent=_at_fork(StoreFile.after_fork_in_parent),
    after_in_child=_at_fork(StoreFile.after_fork_in_child),
)


def _commit_together(connection: sqlite3.Connection, batch: list[_Write[Any]]) -> None:
    _patiently(lambda: connection.execute("BEGIN IMMEDIATE"))
    try:
        for one in batch:
            one.run(connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _patiently(action: Callable[[], T]) -> T:
    """Tries again while another process writes: in shorter steps than SQLite's own busy handler takes,
    which sleeps up to 100 ms while a commit takes 2."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return action()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(random.uniform(_SHORT_SLEEP, _LONG_SLEEP))  # noqa: S311


@contextmanager
def _told_as_unavailable(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise Unavailable(f"{path}: {error}") from error


def _make_private(path: Path) -> None:
    """Makes the folder and the file readable by their owner only. SQLite gives its other files the same mode."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        raise StoreFileError(f"{path} cannot be made: {error.strerror}") from None


def _connect(path: Path) -> sqlite3.Connection:
    """Raises StoreFileError where the file is no database."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0)
    try:
        # After a kill, the first to open the file reads its log again, and locks the others out meanwhile.
        _patiently(lambda: connection.execute("PRAGMA synchronous=FULL"))
        connection.execute("PRAGMA cache_size=-4096")
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        raise _damaged(path, error) from error
    return connection


def _damaged(path: Path, error: sqlite3.DatabaseError) -> StoreFileError:
    return StoreFileError(
        f"{path} is damaged or is no SQLite file ({error}): nothing was changed; "
        "restore a backup, or move the file away to start with an empty store"
    )


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Makes a new file ours, or sees that it is. Nothing is written to one that is not."""
    try:
        _patiently(lambda: _check(connection, path))
        connection.execute("PRAGMA page_size=8192")
        _patiently(lambda: connection.execute("PRAGMA journal_mode=WAL"))
        _patiently(lambda: connection.execute("BEGIN IMMEDIATE"))
        if _pragma(connection, "user_version") == 0:
            for statement in _SCHEMA.split(";\n"):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        connection.execute("COMMIT")
    except sqlite3.OperationalError as error:
        raise StoreFileError(f"{path} cannot be used as CronHub's store: {error}") from error
    except sqlite3.DatabaseError as error:
        raise _damaged(path, error) from error


def _check(connection: sqlite3.Connection, path: Path) -> None:
    is_empty = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    application, version = (_pragma(connection, name) for name in ("application_id", "user_version"))
    if application == APPLICATION_ID and version > SCHEMA_VERSION:
        raise StoreFileError(
            f"{path} was written by a newer CronHub (version {version}, this one knows {SCHEMA_VERSION}): "
            "nothing was changed; use that CronHub"
        )
    if application != APPLICATION_ID and (application or version or not is_empty):
        raise StoreFileError(f"{path} is a SQLite file of another program: nothing was changed")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
