"""A signal: what a job says about itself."""

import hashlib
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from chalicelib.domain.runs.run import Run

HEAD_BYTES = 2 * 1024
TAIL_BYTES = 8 * 1024
MESSAGE_BYTES = HEAD_BYTES + TAIL_BYTES


class SignalKind(StrEnum):
    START = "start"
    SUCCESS = "success"
    FAIL = "fail"
    RUNNING = "running"
    LOG = "log"


#: The signals that end a run.
FINISHES = frozenset({SignalKind.SUCCESS, SignalKind.FAIL})


class Signal(NamedTuple):
    """What the job sent."""

    kind: SignalKind
    #: The caller's own id of the run, or the id that CronHub answered.
    run_key: str | None = None
    duration_ms: int | None = None
    exit_code: int | None = None
    message: str | None = None
    #: By the job's own clock.
    started_at: datetime | None = None
    #: By the job's own clock.
    finished_at: datetime | None = None
    #: Figures that the job sends about its run, by name.
    metrics: tuple[tuple[str, float], ...] = ()

    @property
    def digest(self) -> bytes:
        """Equal for a signal and its retry."""
        text = repr([value if value is None else str(value) for value in self])
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=4).digest()


class Received(NamedTuple):
    """A signal as it arrived."""

    signal: Signal
    at: datetime
    #: 10 random bytes, for the ids of runs that it begins.
    random: bytes = bytes(10)
    #: The recorded run that the signal is about, where that run is no longer open.
    known: Run | None = None


def kept_message(text: str, cut_before: int = 0) -> str:
    """Returns what is kept of a message: of a long one the beginning and the end, where the error is.

    It is cut between two characters. A line in between says how many bytes are missing.
    cut_before: how many bytes of its middle were missing already.
    """
    data = text.encode("utf-8", "replace")
    if len(data) <= MESSAGE_BYTES and not cut_before:
        return text
    head, tail = data[:HEAD_BYTES], data[HEAD_BYTES:][-TAIL_BYTES:]
    cut = len(data) - len(head) - len(tail) + cut_before
    return f"{head.decode('utf-8', 'ignore')}\n… {cut} bytes were cut …\n{tail.decode('utf-8', 'ignore')}"
