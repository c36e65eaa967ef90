"""What a cron waits for: is it completed, and does nothing wait for itself?"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from chalicelib.domain.errors import CronHubError
from chalicelib.domain.monitor.cron import Cron
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
    """Those that are not completed. Archived ones, and ids of none, are the caller's to leave out."""
    reasons = ((cron, unmet(cron, now)) for cron in dependencies)
    return tuple(Blocker(cron.id, cron.name, reason) for cron, reason in reasons if reason is not None)


def unmet(cron: Cron, now: datetime) -> Unmet | None:
    """Why a cron is not completed; None: it is.

    It is when it is not running, and its last finished run succeeded and ended at or after its latest
    occurrence, less the early tolerance: by schedule or by hand.
    """
    last = cron.last_run
    if cron.open_runs:
        return Unmet.RUNNING
    if last is None:
        return Unmet.NEVER_RAN
    if last.status is not RunStatus.SUCCESS:
        return Unmet.TIMED_OUT if last.status is RunStatus.TIMEOUT else Unmet.FAILED
    since = _needed_since(cron, now)
    return Unmet.NOT_RUN_SINCE_DUE if since is not None and last.finished_at < since else None


def _needed_since(cron: Cron, now: datetime) -> datetime | None:
    """A run that ended before it does not count; None: any does."""
    if cron.settings.schedule is None:
        return None
    schedule = parse_schedule(cron.settings.schedule, cron.settings.timezone)
    if isinstance(schedule, Interval) and (cron.expected_at is None or now < cron.expected_at):
        # It counts from the last run: until it is over, that run was for the latest occurrence.
        return None
    times = times_of(schedule, cron.expected_at or now)
    latest = times.latest(now)
    return None if latest is None else latest - early_tolerance(times, latest)


def depending_on(cron: Cron, ids: tuple[str, ...]) -> Cron:
    """A cron that from now on depends on these; without any, nothing blocks it."""
    return cron._replace(depends_on=ids, is_blocked=cron.is_blocked and bool(ids))


def cycle(edges: Edges, new: Edges) -> tuple[str, ...] | None:
    """A path that comes back to where it began, as (a, b, a); None where there is none.

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
