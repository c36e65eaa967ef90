"""A badge: one word about a cron, a tag or an org that anyone may see who has its token."""

import re
from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from chalicelib.domain.monitor.display_status import DisplayStatus

_is_token = re.compile(r"[A-Za-z0-9_-]{24}").fullmatch
#: How many random bytes make a token.
TOKEN_BYTES = 18


class Badge(NamedTuple):
    org_id: str
    id: str
    #: Who has it sees the badge, and can do nothing else with it.
    token: str
    #: The text on its left side.
    label: str
    created_at: datetime
    #: The cron that it shows; None for a badge of a tag or of the whole org.
    cron_id: str | None = None
    #: The tag whose crons it shows; None for a badge of a cron or of the whole org.
    tag: str | None = None


class BadgeStatus(StrEnum):
    UP = "up"
    LATE = "late"
    DOWN = "down"
    NEW = "new"
    BLOCKED = "blocked"
    MAINTENANCE = "maintenance"
    PAUSED = "paused"
    ARCHIVED = "archived"


_OF_CRON = {
    DisplayStatus.NEW: BadgeStatus.NEW,
    DisplayStatus.UP: BadgeStatus.UP,
    # A job that runs is well: a badge that changes at every run would only distract.
    DisplayStatus.RUNNING: BadgeStatus.UP,
    DisplayStatus.LATE: BadgeStatus.LATE,
    DisplayStatus.BLOCKED: BadgeStatus.BLOCKED,
    DisplayStatus.DOWN: BadgeStatus.DOWN,
    DisplayStatus.IN_MAINTENANCE: BadgeStatus.MAINTENANCE,
    DisplayStatus.PAUSED: BadgeStatus.PAUSED,
    DisplayStatus.ARCHIVED: BadgeStatus.ARCHIVED,
}


def is_badge_token(text: str) -> bool:
    return _is_token(text) is not None


def status_of_cron(status: DisplayStatus) -> BadgeStatus:
    """Returns what the badge of a single cron says."""
    return _OF_CRON[status]


def status_of_many(troubles: Collection[DisplayStatus]) -> BadgeStatus:
    """Returns what a badge of many crons says, from the standings of those in trouble."""
    if DisplayStatus.DOWN in troubles:
        return BadgeStatus.DOWN
    return BadgeStatus.LATE if DisplayStatus.LATE in troubles else BadgeStatus.UP
