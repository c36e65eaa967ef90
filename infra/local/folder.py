"""The folder `.local`: its lock, so that two runs never share one state."""

import fcntl
import os
import time
from pathlib import Path

from infra.local.log import say
from infra.local.supervisor import is_alive

PATIENCE = 70.0
PAUSE = 0.1


class BusyFolder(Exception):
    """Another run holds the folder."""


def take(folder: Path) -> int:
    """Lock the folder; the lock is held as long as any process has this file open."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + PATIENCE
    told = False
    while not _try(lock):
        holder = os.pread(lock, 20, 0).decode().strip()
        if (holder.isdigit() and is_alive(int(holder))) or time.monotonic() > deadline:
            os.close(lock)
            raise BusyFolder(f"CronHub is already running in this folder (process {holder})")
        if not told:
            say("run", "the last run was killed; waiting for its store to write its state")
            told = True
        time.sleep(PAUSE)
    os.truncate(lock, 0)
    os.pwrite(lock, str(os.getpid()).encode(), 0)
    return lock


def _try(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
