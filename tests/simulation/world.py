"""What really happens on the hosts of a simulated fleet, and what of it reaches CronHub.

All times are milliseconds since the epoch, by a clock that is right.
"""

from dataclasses import dataclass, field
from enum import StrEnum

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class Kind(StrEnum):
    START = "start"
    SUCCESS = "success"
    FAIL = "fail"


class Style(StrEnum):
    """How a job reports."""

    PING = "only a ping at the end"
    CURL = "start and ping, no ids"
    IDS = "start and ping with ids"
    HEARTBEAT = "heartbeat with a duration"

    @property
    def has_start(self) -> bool:
        return self in (Style.CURL, Style.IDS)


class Action(StrEnum):
    """What a person does to a cron."""

    PAUSE = "pause"
    RESUME = "resume"
    CHANGE = "change"


@dataclass
class Sent:
    """A signal as it arrives."""

    at: int
    kind: Kind
    run: "Execution | None" = None
    key: str | None = None
    duration_ms: int | None = None
    repeated: bool = False


@dataclass
class Execution:
    """One execution of a job."""

    number: int
    occurrence: int | None
    succeeded: bool = True
    #: When these signals arrived first, None where they never did; `occurrence`: what it was run for.
    started_at: int | None = None
    #: When these signals arrived first, None where they never did; `occurrence`: what it was run for.
    ended_at: int | None = None
    duration: int | None = None
    key: str | None = None
    what: str = ""

    @property
    def first_heard_at(self) -> int | None:
        heard = [at for at in (self.started_at, self.ended_at) if at is not None]
        return min(heard, default=None)


@dataclass
class Change:
    at: int
    action: Action
    schedule: str | None = None


@dataclass
class Job:
    name: str
    style: Style
    schedule: str
    zone: str
    created_at: int
    #: Its times from its creation to beyond the end of the world.
    occurrences: list[int]
    grace_s: int | None = None
    max_runtime_s: int | None = None
    executions: list[Execution] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)

    def gap_after(self, index: int) -> int:
        return self.occurrences[index + 1] - self.occurrences[index]

    def grace_after(self, index: int) -> int:
        """As documented: given, or a tenth of the time to the next one, within a minute and an hour."""
        if self.grace_s is not None:
            return self.grace_s * SECOND
        return min(max(self.gap_after(index) // 10, MINUTE), HOUR)


@dataclass
class World:
    name: str
    seed: int
    since: int
    until: int
    jobs: list[Job]
    #: How far into each minute the tick comes.
    tick_phase: int = 0
    #: Maintenance of all its jobs, from and to.
    windows: list[tuple[int, int]] = field(default_factory=list)
    #: Times in which no tick comes, while other jobs signal.
    tick_outages: list[tuple[int, int]] = field(default_factory=list)
    #: Whether each tick comes twice.
    double_ticks: bool = False

    def window_at(self, at: int) -> tuple[int, int] | None:
        return next((window for window in self.windows if window[0] <= at < window[1]), None)

    def ticking_at(self, at: int) -> int:
        """When the next tick can come."""
        return next((end for start, end in self.tick_outages if start <= at < end), at)
