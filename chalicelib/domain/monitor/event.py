"""An event: something that people may want to know."""

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
    ON_SCHEDULE = "on_schedule"
    BLOCKED = "blocked"
    REMINDER = "reminder"
    FLAPPING = "flapping"
    RECOVERED = "recovered"
    RESOLVED = "resolved"
    CHANNEL_FAILING = "channel_failing"
    BLIND = "blind"
    REPORT = "report"


class Event(NamedTuple):
    """Made once, by the rule that knows it, and handed on whole."""

    kind: EventKind
    #: When it was decided.
    at: datetime
    #: The occurrence, the start or the opening that it is about.
    about: datetime | None = None
    run_id: str | None = None
    #: In words, with numbers.
    detail: str = ""
    #: The end of the maintenance that it waits for; None when it is sent at once.
    held_until: datetime | None = None
    #: The kind whose filters it passes as well: a summary passes like the state that it tells.
    stands_for: EventKind | None = None
    #: The incident that it opens or closes.
    incident_id: str | None = None
    opened_at: datetime | None = None
