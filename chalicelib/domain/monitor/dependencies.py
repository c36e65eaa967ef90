"""Dependencies: whether they are completed, and whether they form a cycle."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from chalicelib.domain.errors import CronHubError
from chalicelib.domain.monitor.cron import Cron, LastRun, Status
from chalicelib.domain.monitor.deadlines import early_tolerance
from chalicelib.domain.runs.run import RunStatus
from chalicelib.domain.schedule.occurrences import times_of
from chalicelib.domain.schedule.schedule import Interval, parse_schedule

MOST_DEPENDENCIES = 50

# What each cron depends on, by ids.
Edges = Mapping[str, Collection[str]]


class Unmet(StrEnum):
    """Why a dependency is not completed."""

    RUNNING = "running"
    NEVER_RAN = "never_ran"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    NOT_RUN_SINCE_DUE = "not_run_since_its_last_occurrence"


class Blocker(NamedTuple):
    """A dependency that is not completed."""

    id: str
    name: str
    reason: Unmet


class Blocked(CronHubError):
    """A start must wait for what its cron depends on."""

    def __init__(self, blocked_by: tuple[Blocker, ...]) -> None:
        names = ", ".join(blocker.name for blocker in blocked_by)
        super().__init__(f"what this cron depends on is not completed: {names}")
        self.blocked_by = blocked_by


def blockers(dependencies: Iterable[Cron], now: datetime) -> tuple[Blocker, ...]:
    """Returns those that are not completed. The caller leaves out archived and unknown ones."""
    reasons = ((cron, unmet(cron, now)) for cron in dependencies)
    return tuple(Blocker(cron.id, cron.name, reason) for cron, reason in reasons if reason is not None)


def unmet(cron: Cron, now: datetime) -> Unmet | None:
    """Returns why a cron is not completed; None: it is.

    It is completed when no run is open and its latest run succeeded and ended at or after its latest occurrence,
    less the early tolerance. A killed run stops counting as open once a newer one succeeded.
    """
    last = cron.last_run
    if cron.is_running:
        return Unmet.RUNNING
    if last is None:
        return Unmet.NEVER_RAN
    if not _ended_well(cron, last):
        return Unmet.TIMED_OUT if last.status is RunStatus.TIMEOUT else Unmet.FAILED
    since = _needed_since(cron, now)
    return Unmet.NOT_RUN_SINCE_DUE if since is not None and last.finished_at < since else None


def _ended_well(cron: Cron, last: LastRun) -> bool:
    # A run that timed out and succeeded after all keeps the status of its timeout.
    return last.status is RunStatus.SUCCESS or (last.status is RunStatus.TIMEOUT and cron.success_streak > 0)


def is_undecided(cron: Cron, now: datetime) -> bool:
    """Whether it is still open if a dependency completes for its latest occurrence."""
    if not cron.is_watched or cron.status is Status.DOWN:
        return False
    match unmet(cron, now):
        case Unmet.RUNNING:
            return True
        case Unmet.NEVER_RAN:
            return cron.expected_at is not None
        case Unmet.NOT_RUN_SINCE_DUE:
            return cron.expected_at is not None and cron.expected_at <= now
        case _:
            return False


def _needed_since(cron: Cron, now: datetime) -> datetime | None:
    """Returns before when a run ended too early to count; None: any counts."""
    if cron.settings.schedule is None:
        return None
    schedule = parse_schedule(cron.settings.schedule, cron.settings.timezone)
    if isinstance(schedule, Interval) and (cron.expected_at is None or now < cron.expected_at):
        # It counts from the last run: until the interval is over, that run was for the latest occurrence.
        return None
    times = times_of(schedule, cron.expected_at or now)
    latest = times.latest(now)
    return None if latest is None else latest - early_tolerance(times, latest)


def depending_on(cron: Cron, ids: tuple[str, ...]) -> Cron:
    """Returns the cron depending on these; without any, nothing blocks it."""
    return cron._replace(depends_on=ids, is_blocked=cron.is_blocked and bool(ids))


def cycle(edges: Edges, new: Edges) -> tuple[str, ...] | None:
    """Returns a path that comes back to where it began, as (a, b, a); None where there is none.

    new: the edges of those crons whose edges are replaced. Only what can be reached from these is
    looked at, each once.
    """
    now = {**edges, **new}
    seen: set[str] = set()
    paths = (_closed_path(first, now, seen) for first in new)
    return next((path for path in paths if path is not None), None)


def _closed_path(first: str, edges: Edges, seen: set[str]) -> tuple[str, ...] | None:
    # Depth first, on a stack of our own: a chain may be longer than Python lets functions nest.
    path: dict[str, None] = {}
    to_visit = [iter((first,))]
    while to_visit:
        cron_id = next(to_visit[-1], None)
        if cron_id is None:
            to_visit.pop()
            if path:
                path.popitem()
        elif cron_id in path:
            ids = list(path)
            return (*ids[ids.index(cron_id) :], cron_id)
        elif cron_id not in seen:
            seen.add(cron_id)
            path[cron_id] = None
            to_visit.append(iter(edges.get(cron_id, ())))
    return None
