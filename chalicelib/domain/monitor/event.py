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
    BLOCKED = "blocked"
    REMINDER = "reminder"
    FLAPPING = "flapping"
    RECOVERED = "recovered"
    CHANNEL_FAILING = "channel_failing"
    BLIND = "blind"


class Event(NamedTuple):
    """about: the occurrence, start or opening that it is about · detail: in words, with numbers ·
    held_until: not to be told before, as the cron is in maintenance."""

    kind: EventKind
    at: datetime
    about: datetime | None = None
    run_id: str | None = None
    detail: str = ""
    held_until: datetime | None = None
