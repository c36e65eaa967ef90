"""Whether CronHub itself works: its store, its queue, its tick and its ears."""

from datetime import datetime, timedelta
from typing import NamedTuple

from chalicelib import settings
from chalicelib.domain.errors import Unavailable
from chalicelib.domain.monitor.blackout import Watch
from chalicelib.domain.monitor.hearing import deaf_since, is_proven
from chalicelib.services.hearing import reason_of_silence
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
    def hears(self) -> bool | None:
        """Whether canaries arrive; None: no public address is known, or no tick came yet."""
        hearing, address = self.watch.hearing, settings.public_address()
        if address is None or hearing.sent_at is None:
            return None
        return is_proven(hearing, address) and self.deaf_since is None

    @property
    def deaf_since(self) -> datetime | None:
        return deaf_since(self.watch.hearing, self.now, settings.public_address())

    @property
    def why_deaf(self) -> str | None:
        return (
            None if self.hears is not False else reason_of_silence(self.watch.hearing, settings.public_address())
        )

    @property
    def is_well(self) -> bool:
        """Without the queue, alerts go out with the next tick. An address that never worked is a wrong setting."""
        return self.store and self.tick and self.deaf_since is None

    @property
    def is_perfect(self) -> bool:
        return self.is_well and self.queue and self.hears is not False


def look(now: datetime) -> Health:
    """Returns how each part is. It never raises: a part that does not answer is reported as failing."""
    try:
        watch, store = load_watch(), True
    except Unavailable:
        watch, store = Watch(), False
    return Health(store, is_there(), watch, now)
