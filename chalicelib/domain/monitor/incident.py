"""An incident: from the run that brought a cron down to the one that brought it up again."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from chalicelib.domain.monitor.cron import Reason


class Resolution(StrEnum):
    RECOVERED = "recovered"
    PAUSED = "paused"
    ARCHIVED = "archived"
    BY_HAND = "by_hand"


class Incident(NamedTuple):
    """What the state machine knows of an incident; what people add to it stays in the store.

    missed: how many occurrences were missed in it so far.
    """

    org_id: str
    id: str
    cron_id: str
    reason: Reason
    opened_at: datetime
    missed: int = 0
    resolved_at: datetime | None = None
    resolution: Resolution | None = None
