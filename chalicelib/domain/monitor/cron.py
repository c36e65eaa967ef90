"""A cron: its settings and the state that signals and the clock move."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from chalicelib.domain.monitor.blackout import Blackout
from chalicelib.domain.monitor.event import Event
from chalicelib.domain.runs.anomaly import Baseline
from chalicelib.domain.runs.counts import DailyCounts
from chalicelib.domain.runs.run import Run, RunStatus
from chalicelib.domain.times import to_ms

MAX_OPEN_RUNS = 20


class Status(StrEnum):
    """What is stored. `display_status.py` has what is shown besides."""

    NEW = "new"
    UP = "up"
    DOWN = "down"
    PAUSED = "paused"


class Reason(StrEnum):
    """Why a cron is down."""

    MISSED = "missed"
    FAILED = "failed"
    TIMEOUT = "timeout"


class Settings(NamedTuple):
    """What a cron's owner sets."""

    #: None: it runs at no set times and is never missed.
    schedule: str | None = None
    timezone: str = "UTC"
    description: str = ""
    grace_seconds: int | None = None
    max_runtime_seconds: int | None = None
    anomaly_factor: float = 3.0
    failure_tolerance: int = 0
    recovery_threshold: int = 1
    tags: tuple[str, ...] = ()
    sla_target: float = 99.0
    reminder_seconds: int | None = None
    project_id: str | None = None
    #: What clients call it beside a key; None: what its name makes; empty: nothing.
    slug: str | None = None
    #: True: a signal resumes it while it is paused.
    resumes_on_signal: bool = False
    #: JSON of what another monitor's API set, that CronHub only keeps.
    kept: str | None = None


class OpenRun(NamedTuple):
    """A run that started and has not finished."""

    id: str
    #: By the job's own clock, where the job said it.
    started_at: datetime
    #: Its start or its last sign of progress, by our clock. Its deadlines count from here.
    seen_at: datetime
    #: The caller's own id of it.
    key: str | None = None
    #: The occurrence that it satisfies; None for an extra run.
    scheduled_at: datetime | None = None
    #: True once people were told that it is overrunning.
    overran: bool = False
    #: True when it started later than the lateness tolerance allows.
    late: bool = False
    #: When its start arrived, where the job gave a time of its own for it.
    arrived_at: datetime | None = None
    #: True when its start arrived just after a finish without a start, which may have been its own.
    overtaken: bool = False
    #: True when a finish closed another run and may have been its own, as no usual duration was known yet.
    uncertain: bool = False
    #: True once a newer run succeeded: it no longer holds anything up.
    superseded: bool = False
    #: How long it may run, where that was found to be longer than the default limit.
    limit: timedelta | None = None
    #: After which time it is worth an alert that it is overrunning, where that is later than usual.
    overrun_after: timedelta | None = None

    @property
    def start_arrived_at(self) -> datetime:
        return self.arrived_at or self.started_at

    @property
    def holds_up(self) -> bool:
        """Whether dependants and the next occurrence wait for it."""
        return not self.overtaken and not self.superseded and not self.uncertain

    def answers_to(self, key: str) -> bool:
        return key in (self.id, self.key)

    def as_run(self, cron_id: str, status: RunStatus = RunStatus.RUNNING) -> Run:
        """Returns the record of it."""
        offset = None if self.scheduled_at is None else to_ms(self.started_at) - to_ms(self.scheduled_at)
        return Run(
            cron_id=cron_id,
            id=self.id,
            status=status,
            key=self.key,
            scheduled_at=self.scheduled_at,
            started_at=self.started_at,
            offset_ms=offset,
            late=self.late,
            heard_at=self.seen_at,
        )


class LastRun(NamedTuple):
    """The last finished run."""

    id: str
    status: RunStatus
    finished_at: datetime
    started_at: datetime | None = None
    duration_ms: int | None = None
    #: True when its start never arrived.
    unstarted: bool = False
    #: True when it timed out and a finish without a run id may still be its own.
    unfinished: bool = False


class LastSignal(NamedTuple):
    """The last signal, where it had no run id: by this a retry of it is recognized."""

    #: `Signal.digest` of it.
    digest: bytes
    #: The run that it counted for.
    run_id: str


class Noise(NamedTuple):
    """What people were told lately, so that they are not told too often."""

    #: When an anomaly was last alerted.
    anomaly_at: datetime | None = None
    #: When people were last told that the cron drifts, or is back on schedule.
    drift_at: datetime | None = None
    #: The last five times that the cron went down or up.
    changes: tuple[datetime, ...] = ()
    #: When people were last told that the cron keeps going down and up, while it does.
    flapping_announced_at: datetime | None = None
    #: How many changes came since then.
    unannounced: int = 0
    #: What people heard last: DOWN or UP; None: nothing yet.
    told: Status | None = None
    #: True from when people are told that the cron drifts until they are told that it is back.
    is_drifting: bool = False


class OpenIncident(NamedTuple):
    id: str
    #: The deadline that was broken, or when the failure arrived.
    opened_at: datetime
    #: How many occurrences were missed in it, the first included.
    missed: int = 0
    #: True while nobody was told, because it opened in maintenance.
    held: bool = False
    #: True once a person took it on: no reminders are sent.
    acknowledged: bool = False
    reminded_at: datetime | None = None
    #: What people are told about its opening.
    opening: Event | None = None


class Cron(NamedTuple):
    """A cron with its whole state: what one signal or one look at the clock needs to decide."""

    org_id: str
    id: str
    product: str
    service: str
    name: str
    settings: Settings
    created_at: datetime
    version: int = 0
    status: Status = Status.NEW
    reason: Reason | None = None
    #: The earliest occurrence that no run has satisfied yet; None when nothing is expected.
    expected_at: datetime | None = None
    #: True once `expected_at` was found to be late.
    late_alerted: bool = False
    #: When misses were last counted while the cron is down.
    looked_at: datetime | None = None
    open_runs: tuple[OpenRun, ...] = ()
    last_run: LastRun | None = None
    last_signal_at: datetime | None = None
    #: How many signals counted so far.
    signals: int = 0
    last_signal: LastSignal | None = None
    #: How many of the last runs succeeded.
    success_streak: int = 0
    #: How many of the last runs failed, timed out or were missed.
    failure_streak: int = 0
    baseline: Baseline = Baseline()
    #: Start minus occurrence, of the last 10 runs that satisfied one.
    offsets_ms: tuple[int, ...] = ()
    incident: OpenIncident | None = None
    #: The counts of the latest day.
    today: DailyCounts | None = None
    depends_on: tuple[str, ...] = ()
    #: True while its last start was refused, because a dependency was not completed.
    is_blocked: bool = False
    #: The occurrence whose start was refused last.
    refused_for: datetime | None = None
    #: The dependency's incident that explains its last misses.
    blamed_on: str | None = None
    #: Before this, its occurrence is not missed: the verdict on a dependency is still to come.
    waits_until: datetime | None = None
    #: The end of the maintenance that alerts wait for.
    held_until: datetime | None = None
    #: While paused: since when occurrences pass unwatched.
    skipped_from: datetime | None = None
    noise: Noise = Noise()
    #: The blackout that one of its deadlines fell into last.
    blackout: Blackout | None = None
    archived_at: datetime | None = None
    #: As its org has it: whether its ping URLs work. They need no key.
    keyless_signals: bool = True

    @property
    def is_watched(self) -> bool:
        """Whether its runs are judged: not while paused or archived."""
        return self.status is not Status.PAUSED and self.archived_at is None

    @property
    def is_running(self) -> bool:
        """Whether a run is open that dependants and the next occurrence wait for."""
        return any(run.holds_up for run in self.open_runs)
