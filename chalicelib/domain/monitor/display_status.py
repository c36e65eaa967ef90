"""The one word that people see about a cron at a moment."""

from datetime import datetime
from enum import StrEnum

from chalicelib.domain.monitor.cron import Cron, Status
from chalicelib.domain.monitor.deadlines import late_at


class DisplayStatus(StrEnum):
    NEW = "new"
    UP = "up"
    LATE = "late"
    RUNNING = "running"
    BLOCKED = "blocked"
    DOWN = "down"
    IN_MAINTENANCE = "in_maintenance"
    PAUSED = "paused"
    ARCHIVED = "archived"


#: Worst first: what somebody must look at comes before what is well, and that before what is not watched.
WORST_FIRST = (
    DisplayStatus.DOWN,
    DisplayStatus.LATE,
    DisplayStatus.BLOCKED,
    DisplayStatus.RUNNING,
    DisplayStatus.NEW,
    DisplayStatus.IN_MAINTENANCE,
    DisplayStatus.UP,
    DisplayStatus.PAUSED,
    DisplayStatus.ARCHIVED,
)


def display_status(cron: Cron, now: datetime, *, in_maintenance: bool = False) -> DisplayStatus:
    """Returns what matters most: that it is not watched, is in trouble, soon will be, or is running.

    Trouble that maintenance holds is not shown as such until that ends.
    """
    if cron.archived_at is not None:
        return DisplayStatus.ARCHIVED
    if cron.status is Status.PAUSED:
        return DisplayStatus.PAUSED
    if cron.status is Status.DOWN and not (cron.incident and cron.incident.held):
        return DisplayStatus.DOWN
    if in_maintenance or (cron.held_until is not None and now < cron.held_until):
        return DisplayStatus.IN_MAINTENANCE
    return _at_work(cron, now)


def _at_work(cron: Cron, now: datetime) -> DisplayStatus:
    if cron.is_blocked:
        return DisplayStatus.BLOCKED
    if is_late(cron, now):
        return DisplayStatus.LATE
    if any(not run.superseded for run in cron.open_runs):
        return DisplayStatus.RUNNING
    return DisplayStatus(cron.status.value)


def is_late(cron: Cron, now: datetime) -> bool:
    """Whether it is past its time by more than the lateness tolerance, and not yet missed."""
    if cron.expected_at is None or cron.is_running:
        return False
    return now >= late_at(cron, cron.expected_at)
