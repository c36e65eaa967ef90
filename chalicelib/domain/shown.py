"""The one word that is shown of a cron at a moment."""

from datetime import datetime
from enum import StrEnum

from chalicelib.domain.cron import Cron, Status
from chalicelib.domain.deadlines import tolerance_of


class Shown(StrEnum):
    NEW = "new"
    UP = "up"
    LATE = "late"
    RUNNING = "running"
    DOWN = "down"
    PAUSED = "paused"
    ARCHIVED = "archived"


def shown(cron: Cron, now: datetime) -> Shown:
    """What matters most first: that it is not watched, is in trouble, will be, is at work."""
    if cron.archived_at is not None:
        return Shown.ARCHIVED
    if cron.status in (Status.PAUSED, Status.DOWN):
        return Shown(cron.status.value)
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
