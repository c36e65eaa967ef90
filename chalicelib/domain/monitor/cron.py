"""A cron: its settings and the state that signals and the clock move."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from chalicelib.domain.monitor.blackout import Blackout
from chalicelib.domain.runs.anomaly import Baseline
from chalicelib.domain.runs.counts import DailyCounts
from chalicelib.domain.runs.run import RunStatus

MAX_OPEN_RUNS = 20


class Status(StrEnum):
    """What is stored. See `shown.py` for what is shown besides."""

    NEW = "new"
    UP = "up"
    DOWN = "down"
    PAUSED = "paused"


class Reason(StrEnum):
    """Why a cron is down, or a run was bad."""

    MISSED = "missed"
    FAILED = "failed"
    TIMEOUT = "timeout"


class Settings(NamedTuple):
    """What a cron's owner sets. `schedule` None: it runs at no set times, and is never missed."""

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


class OpenRun(NamedTuple):
    """A run that started and has not finished.

    seen_at: its start or its last sign of progress, from which its deadlines count · overran:
    whether it was called overrunning since · late: whether it began beyond the drift tolerance.
    """

    id: str
    started_at: datetime
    seen_at: datetime
    key: str | None = None
    scheduled_at: datetime | None = None
    overran: bool = False
    late: bool = False

    def answers_to(self, key: str) -> bool:
        return key in (self.id, self.key)


class LastRun(NamedTuple):
    """The last finished run."""

    id: str
    status: RunStatus
    finished_at: datetime
    started_at: datetime | None = None
    duration_ms: int | None = None


class Noise(NamedTuple):
    """What was told lately, so that it is not told too often.

    anomaly_at, drift_at: when these were last told · changes: the last five times it went down or up
    · flapping_announced_at: when it was last said that it goes up and down, while it does · unannounced: how
    many changes came since.
    """

    anomaly_at: datetime | None = None
    drift_at: datetime | None = None
    changes: tuple[datetime, ...] = ()
    flapping_announced_at: datetime | None = None
    unannounced: int = 0


class OpenIncident(NamedTuple):
    """missed: how many occurrences were missed since (and with) its opening · held: nobody was told
    of it yet, as it opened in maintenance · acknowledged: somebody has it in hand."""

    id: str
    opened_at: datetime
    missed: int = 0
    held: bool = False
    acknowledged: bool = False
    reminded_at: datetime | None = None


class Cron(NamedTuple):
    """A cron with its whole state: what one signal or one look at the clock needs to decide.

    expected_at: the earliest occurrence not yet satisfied · late_alerted: whether that one was called
    late · looked_at: when misses were last counted while down · success_streak, failure_streak: how many
    of the last runs were so · offsets_ms: of the last 10 runs that satisfied an occurrence ·
    today: what the runs of the latest day came to · is_blocked: its last start was refused, as what
    it depends on is not completed · blamed_on: the incident of what it depends on, to which its last
    misses were laid · held_until: till when maintenance holds what there is to tell · skipped_from:
    while paused, since when occurrences pass by · blind: the blackout in which a deadline of it fell last.
    """

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
    expected_at: datetime | None = None
    late_alerted: bool = False
    looked_at: datetime | None = None
    open_runs: tuple[OpenRun, ...] = ()
    last_run: LastRun | None = None
    last_signal_at: datetime | None = None
    success_streak: int = 0
    failure_streak: int = 0
    baseline: Baseline = Baseline()
    offsets_ms: tuple[int, ...] = ()
    incident: OpenIncident | None = None
    today: DailyCounts | None = None
    depends_on: tuple[str, ...] = ()
    is_blocked: bool = False
    blamed_on: str | None = None
    held_until: datetime | None = None
    skipped_from: datetime | None = None
    noise: Noise = Noise()
    blackout: Blackout | None = None
    archived_at: datetime | None = None

    @property
    def is_watched(self) -> bool:
        """Whether its runs are judged: not while paused or archived."""
        return self.status is not Status.PAUSED and self.archived_at is None
