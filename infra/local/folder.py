"""The folder of the state, `.local` or what CRONHUB_STATE names, and its lock: two runs never share one."""

import contextlib
import fcntl
import os
import time
from pathlib import Path

from infra.local.process import is_alive

ROOT = Path(__file__).resolve().parents[2]
STATE = "CRONHUB_STATE"
# The parts of a run that was killed end by themselves, within this time.
PATIENCE = 20.0
PAUSE = 0.1


# The head of a SQLite file (https://www.sqlite.org/fileformat.html), and the id that the store gives its files.
_HEAD_BYTES = 100
_SQLITE = b"SQLite format 3\0"
_APPLICATION_ID = slice(68, 72)
_OURS = b"CroH"


class BusyFolder(Exception):
    """Another run holds the folder."""


def state_folder() -> Path:
    return Path(os.environ.get(STATE) or ROOT / ".local").absolute()


def store_file() -> Path:
    """The file that everything is kept in, where no other store is named."""
    return state_folder() / "cronhub.db"


def holds_a_store() -> bool:
    """Whether the file looks like a store that was used before. The store itself looks closer."""
    try:
        with store_file().open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError:
        return False
    return head.startswith(_SQLITE) and head[_APPLICATION_ID] == _OURS


def take(folder: Path) -> int:
    """Locks the folder; the lock is held as long as any process has this file open. Raises BusyFolder."""
    make_private(folder)
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + PATIENCE
    while not _try(lock):
        holder = os.pread(lock, 20, 0).decode().strip()
        if (holder.isdigit() and is_alive(int(holder))) or time.monotonic() > deadline:
            os.close(lock)
            raise BusyFolder(f"CronHub is already running on {folder} (process {holder})")
        time.sleep(PAUSE)
    os.truncate(lock, 0)
    os.pwrite(lock, str(os.getpid()).encode(), 0)
    return lock


def make_private(folder: Path) -> None:
    """Makes the folder, readable by its owner only: it holds every org's crons, and the output of their jobs."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    # A volume may belong to somebody else; the store's own files are private in any case.
    with contextlib.suppress(PermissionError):
        folder.chmod(0o700)


def _try(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
