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


def kept_message(text: str, cut_before: int = 0) -> str:
    """A message as it is kept: of a long one the beginning and the end, where the error is.

    It is cut between two characters, and a line in between says how much is gone.
    cut_before: how many bytes of its middle were gone already.
    """
    data = text.encode("utf-8", "replace")
    if len(data) <= MESSAGE_BYTES and not cut_before:
        return text
    head, tail = data[:HEAD_BYTES], data[HEAD_BYTES:][-TAIL_BYTES:]
    cut = len(data) - len(head) - len(tail) + cut_before
    return f"{head.decode('utf-8', 'ignore')}\n… {cut} bytes were cut …\n{tail.decode('utf-8', 'ignore')}"
