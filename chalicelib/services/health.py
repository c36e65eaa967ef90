"""Whether CronHub itself works: its store, its queue and its tick."""

from datetime import datetime, timedelta
from typing import NamedTuple

from chalicelib.domain.errors import Unavailable
from chalicelib.domain.monitor.blackout import Watch
from chalicelib.store.queue import is_there
from chalicelib.store.tick_log import load_watch

TICK_IS_OLD_AFTER = timedelta(minutes=3)


class Health(NamedTuple):
    store: bool
    queue: bool
    #: What the ticks left.
    watch: Watch
    now: datetime

    @property
    def tick(self) -> bool:
        ticked_at = self.watch.ticked_at
        is_recent = ticked_at is not None and self.now - ticked_at <= TICK_IS_OLD_AFTER
        return is_recent and self.watch.backlog.behind_since is None

    @property
    def is_well(self) -> bool:
        """Without the queue, alerts go out with the next tick."""
        return self.store and self.tick


def look(now: datetime) -> Health:
    """Returns how each part is. It never raises: a part that does not answer is reported as failing."""
    try:
        watch, store = load_watch(), True
    except Unavailable:
        watch, store = Watch(), False
    return Health(store, is_there(), watch, now)
