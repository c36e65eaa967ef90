"""A blackout: a time in which nobody looked at the crons. Blindness is not taken for death."""

from datetime import datetime, timedelta
from typing import NamedTuple

# The tick comes every minute; when none came for longer than this, CronHub was blind.
BLACKOUT_AFTER = timedelta(minutes=5)
_KEPT_FOR = timedelta(days=7)
_MOST_KEPT = 20


class Blackout(NamedTuple):
    since: datetime
    until: datetime

    def holds(self, at: datetime | None) -> bool:
        """Whether a deadline fell into it."""
        return at is not None and self.since < at <= self.until


class Watch(NamedTuple):
    """ticked_at: when the last good tick began · blackouts: the last ones, earliest first."""

    ticked_at: datetime | None = None
    blackouts: tuple[Blackout, ...] = ()


def blackouts_until(watch: Watch, now: datetime) -> tuple[Blackout, ...]:
    """The blackouts up to now: with the one that ends now, where there is one."""
    if watch.ticked_at is None or now - watch.ticked_at <= BLACKOUT_AFTER:
        return watch.blackouts
    earlier = (
        blackout
        for blackout in watch.blackouts
        if blackout.since < watch.ticked_at and now - blackout.until < _KEPT_FOR
    )
    return (*earlier, Blackout(watch.ticked_at, now))[-_MOST_KEPT:]
