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
    DELETED = "deleted"


class Incident(NamedTuple):
    """What the state machine knows about an incident; what people add to it stays in the store."""

    org_id: str
    id: str
    cron_id: str
    reason: Reason
    opened_at: datetime
    #: How many occurrences were missed in it so far.
    missed: int = 0
    resolved_at: datetime | None = None
    resolution: Resolution | None = None


class Handling(NamedTuple):
    """What a person did about an incident."""

    by: str
    at: datetime
    note: str | None = None


class NamedIncident(NamedTuple):
    """An incident with the names that its cron had when it was written, and what people did about it."""

    incident: Incident
    product: str
    service: str
    cron_name: str
    #: Every acknowledgement, earliest first.
    acknowledgements: tuple[Handling, ...] = ()
    resolved_by: str | None = None
    resolution_note: str | None = None
