"""What a cron's own item does not hold and some decisions turn on."""

from typing import NamedTuple

from chalicelib.domain.monitor.blackout import Gap
from chalicelib.domain.monitor.cron import Cron
from chalicelib.domain.monitor.maintenance import Window


class Surroundings(NamedTuple):
    """windows: the maintenance windows that cover the cron · dependencies: the crons it depends on,
    without those that are gone or archived · gaps: in which nobody looked. None: not loaded, as most
    decisions need none of these."""

    windows: tuple[Window, ...] | None = None
    dependencies: tuple[Cron, ...] | None = None
    gaps: tuple[Gap, ...] | None = None


class Wanted(NamedTuple):
    """What a decision turned on without knowing it: it is to be made again with it."""

    windows: bool = False
    dependencies: bool = False
    gaps: bool = False
