"""Signals that could not be sent wait on disk, one file each, and are sent later with their true times."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from cronhub.settings import state_folder

#: The oldest are given up beyond this.
MOST_FILES = 10_000
MOST_AGE = 7 * 86400.0


class Report(NamedTuple):
    """The end of a run, with all that CronHub needs to know of it."""

    url: str
    #: The cron's id or name.
    cron: str
    run_id: str
    exit_code: int
    #: None where nobody saw the start.
    duration_ms: int | None
    #: ISO 8601.
    started_at: str | None
    finished_at: str
    output: str | None = None


def folder() -> Path:
    return state_folder() / "spool"


def put(report: Report) -> Path:
    """Keeps a report. It is whole or not there at all, also after a crash. Raises OSError."""
    place = folder()
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    # In the order of their ends.
    name = f"{report.finished_at}-{secrets.token_hex(4)}".replace(":", "")
    hidden, shown = place / f".{name}", place / f"{name}.json"
    file = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(file, "w", encoding="utf-8") as stream:
            json.dump(report._asdict(), stream)
            stream.flush()
            os.fsync(stream.fileno())
        hidden.rename(shown)
    except BaseException:
        with suppress(OSError):
            hidden.unlink()
        raise
    return shown


def waiting() -> list[Path]:
    """The files of the reports that wait, oldest first."""
    try:
        return sorted(path for path in folder().iterdir() if path.suffix == ".json" and path.name[0] != ".")
    except OSError:
        return []


def read(path: Path) -> Report | None:
    """None: it is no report, or somebody else has sent it."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return Report(**found)
    except (OSError, ValueError, TypeError):
        return None


def remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


def prune() -> int:
    """Gives up what has waited too long or is too much; returns how many."""
    given_up = 0
    paths = waiting()
    for place, path in enumerate(reversed(paths)):
        with suppress(OSError):
            if place >= MOST_FILES or time.time() - path.stat().st_mtime > MOST_AGE:
                path.unlink()
                given_up += 1
    return given_up


@contextmanager
def alone() -> Iterator[bool]:
    """Only one process at a time sends what waits; False: another one does."""
    place = folder()
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (place / ".lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True
