"""A signal: what a job says of itself."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

HEAD_BYTES = 2 * 1024
TAIL_BYTES = 8 * 1024
MESSAGE_BYTES = HEAD_BYTES + TAIL_BYTES


class SignalKind(StrEnum):
    START = "start"
    SUCCESS = "success"
    FAIL = "fail"
    RUNNING = "running"
    LOG = "log"


class Signal(NamedTuple):
    """What arrived. `run_key` is the caller's own id of the run, or the id that we gave it."""

    kind: SignalKind
    run_key: str | None = None
    duration_ms: int | None = None
    exit_code: int | None = None
    message: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None


def kept_message(text: str) -> str:
    """A message as it is kept: of a long one the beginning and the end, where the error is.

    It is cut between two characters, and a line in between says how much is gone.
    """
    if len(text) * 4 <= MESSAGE_BYTES:
        return text
    data = text.encode("utf-8", "replace")
    if len(data) <= MESSAGE_BYTES:
        return text
    head = data[:HEAD_BYTES].decode("utf-8", "ignore")
    tail = data[-TAIL_BYTES:].decode("utf-8", "ignore")
    return f"{head}\n… {len(data) - MESSAGE_BYTES} bytes were cut …\n{tail}"
