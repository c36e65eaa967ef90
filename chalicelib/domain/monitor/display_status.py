"""The one word that is shown of a cron at a moment."""

from datetime import datetime
from enum import StrEnum

from chalicelib.domain.monitor.cron import Cron, Status
from chalicelib.domain.monitor.deadlines import tolerance_of


class Shown(StrEnum):
    NEW = "new"
    UP = "up"
    LATE = "late"
    RUNNING = "running"
    BLOCKED = "blocked"
    DOWN = "down"
    IN_MAINTENANCE = "in_maintenance"
    PAUSED = "paused"
    ARCHIVED = "archived"


def shown(cron: Cron, now: datetime, *, in_maintenance: bool = False) -> Shown:
    """What matters most first: that it is not watched, is in trouble, will be, is at work.

    Trouble that maintenance holds is not shown as such until that ends.
    """
    if cron.archived_at is not None:
        return Shown.ARCHIVED
    if cron.status is Status.PAUSED:
        return Shown.PAUSED
    if cron.status is Status.DOWN and not (cron.incident and cron.incident.held):
        return Shown.DOWN
    if in_maintenance or (cron.held_until is not None and now < cron.held_until):
        return Shown.IN_MAINTENANCE
    return _at_work(cron, now)


def _at_work(cron: Cron, now: datetime) -> Shown:
    if cron.is_blocked:
        return Shown.BLOCKED
    if is_late(cron, now):
        return Shown.LATE
    if cron.open_runs:
        return Shown.RUNNING
    return Shown(cron.status.value)


def is_late(cron: Cron, now: datetime) -> bool:
    """Past its time by more than the drift tolerance, and not yet missed."""
    if cron.expected_at is None or now < cron.expected_at:
        return False
    return cron.late_told or now >= cron.expected_at + tolerance_of(cron)
