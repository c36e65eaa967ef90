"""A run: one execution of a cron, or one that should have been."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from chalicelib.domain.runs.anomaly import Anomaly


class RunStatus(StrEnum):
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"
    TIMEOUT = "timeout"
    MISSED = "missed"
    BLOCKED = "blocked"
    PAUSED = "paused"
    UNKNOWN = "unknown"
    ABANDONED = "abandoned"
    LOG = "log"


class Excuse(StrEnum):
    """Why an occurrence that was not met counts against nobody."""

    MAINTENANCE = "maintenance"
    DEPENDENCY = "dependency"
    BLINDNESS = "blindness"


class Run(NamedTuple):
    """One run as it is recorded.

    key: the caller's own id of it · scheduled_at: the occurrence it satisfies, None for an extra run
    · offset_ms: its start − that occurrence · occurrences: how many occurrences the record stands
    for (more than 1 only for misses of a long outage, gaps and pauses, the last at `scheduled_until`)
    · message: what the job said, or its output, up to 10 KB · incident_id: of what it depends on,
    for which it is excused.
    """

    cron_id: str
    id: str
    status: RunStatus
    key: str | None = None
    scheduled_at: datetime | None = None
    scheduled_until: datetime | None = None
    occurrences: int = 1
    started_at: datetime | None = None
    finished_at: datetime | None = None
    duration_ms: int | None = None
    offset_ms: int | None = None
    late: bool = False
    exit_code: int | None = None
    message: str | None = None
    anomaly: Anomaly | None = None
    incident_id: str | None = None
    excused: Excuse | None = None
