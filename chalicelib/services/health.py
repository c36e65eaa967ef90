"""Whether CronHub itself works: its store, its queue and its tick."""

from datetime import datetime, timedelta
from typing import NamedTuple

from chalicelib.domain.errors import Unavailable
from chalicelib.store.queue import is_there
from chalicelib.store.tick_log import load_watch

TICK_IS_OLD_AFTER = timedelta(minutes=3)


class Health(NamedTuple):
    store: bool
    queue: bool
    #: When the last good tick began, None where none is known.
    ticked_at: datetime | None
    now: datetime

    @property
    def tick(self) -> bool:
        return self.ticked_at is not None and self.now - self.ticked_at <= TICK_IS_OLD_AFTER

    @property
    def is_well(self) -> bool:
        """Without the queue, alerts go out with the next tick."""
        return self.store and self.tick


def look(now: datetime) -> Health:
    """Returns how each part is. It never raises: a part that does not answer is reported as failing."""
    try:
        ticked_at, store = load_watch().ticked_at, True
    except Unavailable:
        ticked_at, store = None, False
    return Health(store, is_there(), ticked_at, now)
