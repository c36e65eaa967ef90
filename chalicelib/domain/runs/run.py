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
    """Why an occurrence that was not met does not count against the SLA."""

    MAINTENANCE = "maintenance"
    DEPENDENCY = "dependency"
    BLINDNESS = "blindness"


class Run(NamedTuple):
    """One run as it is recorded."""

    cron_id: str
    id: str
    status: RunStatus
    #: The caller's own id of it.
    key: str | None = None
    #: The occurrence that it satisfies; None for an extra run.
    scheduled_at: datetime | None = None
    #: The last occurrence that the record stands for, where it stands for several.
    scheduled_until: datetime | None = None
    #: How many occurrences it stands for: more than 1 only for long outages, blackouts and pauses.
    occurrences: int = 1
    started_at: datetime | None = None
    finished_at: datetime | None = None
    duration_ms: int | None = None
    #: Its start minus its occurrence.
    offset_ms: int | None = None
    #: True when it started later than the lateness tolerance allows.
    late: bool = False
    exit_code: int | None = None
    #: What the job said, or its output, up to 10 KB.
    message: str | None = None
    anomaly: Anomaly | None = None
    #: The dependency's incident for which it is excused.
    incident_id: str | None = None
    excused: Excuse | None = None
    #: When its last signal arrived, by our clock.
    heard_at: datetime | None = None
    #: Figures that the job sent about it, by name.
    metrics: tuple[tuple[str, float], ...] = ()
