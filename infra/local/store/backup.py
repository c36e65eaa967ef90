"""Copies of the store: made while it runs, and put in its place again."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from infra.local.store.errors import StoreFileError
from infra.local.store.file import APPLICATION_ID, SCHEMA_VERSION


def backup(path: Path, target: Path) -> None:
    """Writes a consistent copy of a store, which may be in use meanwhile. Never overwrites a file."""
    _check(path)
    if target.exists():
        raise StoreFileError(f"{target} is already there: nothing was overwritten")
    with _finished(target) as unfinished:
        _copy(path, unfinished)


def restore(source: Path, path: Path) -> Path | None:
    """Puts a copy in the place of a store, which nobody may be using. Returns where the old one is kept."""
    _check(source)
    _refuse_used(path)
    replaced = None
    with _finished(path) as unfinished:
        _copy(source, unfinished)
        if path.exists():
            replaced = path.with_name(f"{path.name}.replaced-{int(path.stat().st_mtime)}")
            path.rename(replaced)
    return replaced


@contextmanager
def _finished(target: Path) -> Iterator[Path]:
    """A file that gets its name once it is whole and on the disk."""
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    try:
        yield unfinished
        for name in (unfinished, target.parent):
            descriptor = os.open(name, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)
        unfinished.rename(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _copy(path: Path, target: Path) -> None:
    """All pages in one read transaction: writers go on, and the copy is of one moment."""
    try:
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(target)) as copy:
            source.backup(copy)
            # A copy stands alone, without a journal beside it.
            copy.execute("PRAGMA journal_mode=DELETE")
            found = copy.execute("PRAGMA quick_check").fetchone()[0]
    except sqlite3.Error as error:
        raise StoreFileError(f"{path} cannot be copied: {error}") from error
    if found != "ok":
        raise StoreFileError(f"{path} is damaged: {found}")


def _check(path: Path) -> None:
    if not path.is_file():
        raise StoreFileError(f"{path} is not there")
    try:
        with closing(sqlite3.connect(path)) as connection:
            application = connection.execute("PRAGMA application_id").fetchone()[0]
            version = connection.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.Error as error:
        raise StoreFileError(f"{path} is damaged or is no SQLite file: {error}") from error
    if application != APPLICATION_ID:
        raise StoreFileError(f"{path} is no store of CronHub")
    if version > SCHEMA_VERSION:
        raise StoreFileError(f"{path} was written by a newer CronHub: use that one")


def _refuse_used(path: Path) -> None:
    """An open store holds a lock on its file, and this wants it alone. What its log still holds gets
    into the file by that, so that nothing is left beside it."""
    if not path.exists() or not path.stat().st_size:
        return
    try:
        with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            connection.execute("PRAGMA journal_mode=DELETE")
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        raise StoreFileError(f"{path} is in use: stop CronHub first") from error
    except sqlite3.DatabaseError:
        # It is damaged: a restore is what it needs.
        return
