"""The context of a decision: what a cron's own item does not hold and some decisions need.

The rules do no I/O, and most decisions need none of this. So a rule asks the transition for what it needs. Where
that was not loaded, the decision says so (`not_loaded`); the caller discards it, loads that and decides again.
"""

from typing import NamedTuple

from chalicelib.domain.monitor.blackout import Blackout
from chalicelib.domain.monitor.cron import Cron
from chalicelib.domain.monitor.maintenance import MaintenanceWindow
from chalicelib.domain.runs.counts import DailyCounts

#: How far back `recent_days` reaches: three runs of a monthly job.
RECENT_DAYS = 100


class Context(NamedTuple):
    """None: not loaded."""

    #: The maintenance windows that cover the cron.
    windows: tuple[MaintenanceWindow, ...] | None = None
    #: The crons it depends on, without those that are deleted or archived.
    dependencies: tuple[Cron, ...] | None = None
    #: The times in which CronHub could not see.
    blackouts: tuple[Blackout, ...] | None = None
    #: The cron's counts of the last `RECENT_DAYS` days, without the day that its item holds.
    recent_days: tuple[DailyCounts, ...] | None = None


class NotLoaded(NamedTuple):
    """What a rule asked for that was not loaded."""

    windows: bool = False
    dependencies: bool = False
    blackouts: bool = False
    recent_days: bool = False
