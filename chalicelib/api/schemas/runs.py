"""Runs: single executions of a cron."""

from datetime import datetime
from typing import Self

from msgspec import field
from msgspec.structs import replace

from chalicelib.api.schemas.paging import PageQuery
from chalicelib.api.schemas.values import Answer, Instant
from chalicelib.domain.monitor.cron import LastRun
from chalicelib.domain.runs.anomaly import Anomaly, AnomalyKind
from chalicelib.domain.runs.drift import Drift
from chalicelib.domain.runs.run import Excuse, Run, RunStatus

_MESSAGE_IN_LIST = 200


class RunQuery(PageQuery):
    #: Only runs that ended like this.
    status: RunStatus | None = None
    #: Runs from this time on. A run's time is its start; a missed run's is when it was due.
    from_: Instant | None = field(default=None, name="from")
    #: Runs before this time.
    to: Instant | None = None


class AnomalyOut(Answer):
    #: `long` or `short`.
    kind: AnomalyKind
    #: How long the run took.
    duration_ms: int
    #: The average of the last 50 successful runs.
    average_ms: float
    #: The run is an anomaly when it takes longer than this times the average.
    factor: float
    #: Whether people were alerted.
    alerted: bool

    @classmethod
    def of(cls, one: Anomaly | None) -> Self | None:
        if one is None:
            return None
        return cls(one.kind, one.duration_ms, round(one.average_ms, 3), one.factor, one.alerted)


class DriftOut(Answer):
    #: The run's start minus its scheduled time.
    offset_ms: int | None
    #: Offsets up to this are on time.
    tolerance_ms: int
    #: Of the last 10 runs.
    median_offset_ms: float
    #: Whether the cron drifts, and not only this run.
    drifting: bool

    @classmethod
    def of(cls, one: Drift | None) -> Self | None:
        if one is None:
            return None
        return cls(one.offset_ms, one.tolerance_ms, one.median_ms, one.drifting)


class LastRunOut(Answer):
    #: The id, for use in paths.
    id: str
    #: How it ended.
    status: RunStatus
    #: When the run started.
    started_at: datetime | None
    #: When the run finished.
    finished_at: datetime
    #: How long the run took.
    duration_ms: int | None

    @classmethod
    def of(cls, run: LastRun | None) -> Self | None:
        if run is None:
            return None
        return cls(run.id, run.status, run.started_at, run.finished_at, run.duration_ms)


class RunOut(Answer):
    #: CronHub's id of the run.
    id: str
    #: Your own id of the run, if you sent one.
    run_id: str | None
    #: How it ended, or `running`.
    status: RunStatus
    #: The occurrence it was for; null for an extra run.
    scheduled_at: datetime | None
    #: The last occurrence it stands for, when one record stands for several.
    scheduled_until: datetime | None
    #: How many occurrences it stands for: in a long outage, one record stands for several missed runs.
    occurrences: int
    #: When the run started.
    started_at: datetime | None
    #: When the run finished.
    finished_at: datetime | None
    #: How long the run took.
    duration_ms: int | None
    #: Its start minus `scheduled_at`.
    offset_ms: int | None
    #: Whether it started later than the lateness tolerance allows.
    late: bool
    #: The exit code of the job.
    exit_code: int | None
    #: What the job sent as message or output: the first 2 KB and the last 8 KB; in lists 200 characters.
    message: str | None
    #: Why the duration is unusual; null when it is not.
    anomaly: AnomalyOut | None
    #: Why a run that did not succeed does not count against the SLA; null when it counts.
    excused: Excuse | None
    #: The dependency's incident for which it is excused.
    incident_id: str | None
    #: Figures that the job sent about the run, by name.
    metrics: dict[str, float]

    @classmethod
    def of(cls, one: Run) -> Self:
        return cls(
            id=one.id,
            run_id=one.key,
            status=one.status,
            scheduled_at=one.scheduled_at,
            scheduled_until=one.scheduled_until,
            occurrences=one.occurrences,
            started_at=one.started_at,
            finished_at=one.finished_at,
            duration_ms=one.duration_ms,
            offset_ms=one.offset_ms,
            late=one.late,
            exit_code=one.exit_code,
            message=one.message,
            anomaly=AnomalyOut.of(one.anomaly),
            excused=one.excused,
            incident_id=one.incident_id,
            metrics=dict(one.metrics),
        )

    @classmethod
    def listed(cls, one: Run) -> Self:
        """With no more than the beginning of its message."""
        shape = cls.of(one)
        if one.message is None or len(one.message) <= _MESSAGE_IN_LIST:
            return shape
        return replace(shape, message=one.message[:_MESSAGE_IN_LIST] + "…")


class RunList(Answer):
    #: The runs of this page.
    runs: tuple[RunOut, ...]
    #: Send it as `cursor` for the next page; null at the end.
    next_cursor: str | None
