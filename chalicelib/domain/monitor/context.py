"""What a cron's own item does not hold and some decisions turn on."""

from typing import NamedTuple

from chalicelib.domain.monitor.blackout import Blackout
from chalicelib.domain.monitor.cron import Cron
from chalicelib.domain.monitor.maintenance import MaintenanceWindow


class Context(NamedTuple):
    """windows: the maintenance windows that cover the cron · dependencies: the crons it depends on,
    without those that are gone or archived · blackouts: in which nobody looked. None: not loaded, as most
    decisions need none of these."""

    windows: tuple[MaintenanceWindow, ...] | None = None
    dependencies: tuple[Cron, ...] | None = None
    blackouts: tuple[Blackout, ...] | None = None


class NotLoaded(NamedTuple):
    """What a decision turned on without knowing it: it is to be made again with it."""

    windows: bool = False
    dependencies: bool = False
    blackouts: bool = False
