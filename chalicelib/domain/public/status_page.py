"""A status page: what an org shows to anyone about some of its crons, under names of its choice."""

import re
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

MOST_CRONS = 100
#: How many random bytes make an unguessable path.
PATH_BYTES = 18
_is_path = re.compile(r"[A-Za-z0-9_-]{24}").fullmatch


class PageAddress(StrEnum):
    """Where a page is."""

    #: At the org's slug. An org has one such page.
    SLUG = "slug"
    #: At a path that nobody can guess.
    SECRET = "secret"  # noqa: S105 - a word, not a secret


class PageCron(NamedTuple):
    """A cron on a page."""

    cron_id: str
    #: The name that is shown; None: the cron's own.
    name: str | None = None
    #: The heading that it is shown under; None: none.
    group: str | None = None


class StatusPage(NamedTuple):
    org_id: str
    id: str
    title: str
    created_at: datetime
    description: str = ""
    #: Its unguessable path; None: it is at the org's slug.
    path: str | None = None
    crons: tuple[PageCron, ...] = ()
    show_uptime: bool = True
    show_incidents: bool = True
    show_maintenance: bool = True
    version: int = 0

    @property
    def address(self) -> PageAddress:
        return PageAddress.SLUG if self.path is None else PageAddress.SECRET


def is_secret_path(text: str) -> bool:
    return _is_path(text) is not None
