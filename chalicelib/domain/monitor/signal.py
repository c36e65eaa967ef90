"""A signal: what a job says of itself."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

MESSAGE_BYTES = 10 * 1024


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
    """The first 10 KB of a message, cut between two characters."""
    if len(text) * 4 <= MESSAGE_BYTES:
        return text
    return text.encode("utf-8", "replace")[:MESSAGE_BYTES].decode("utf-8", "ignore")
