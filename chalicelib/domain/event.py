"""An event: something that people may want to be told of."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class EventKind(StrEnum):
    LATE = "late"
    MISSED = "missed"
    FAILED = "failed"
    TIMEOUT = "timeout"
    OVERRUNNING = "overrunning"
    ANOMALY = "anomaly"
    DRIFT = "drift"
    RECOVERED = "recovered"


class Event(NamedTuple):
    """`about`: the occurrence, start or opening that it is about; `detail`: in words, with numbers."""

    kind: EventKind
    at: datetime
    about: datetime | None = None
    run_id: str | None = None
    detail: str = ""
