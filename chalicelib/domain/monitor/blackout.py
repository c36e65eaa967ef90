"""A gap: a time in which nobody looked at the crons. Blindness is not taken for death."""

from datetime import datetime, timedelta
from typing import NamedTuple

# The tick comes every minute; when none came for longer than this, CronHub was blind.
BLIND_AFTER = timedelta(minutes=5)
_KEPT_FOR = timedelta(days=7)
_MOST_KEPT = 20


class Gap(NamedTuple):
    since: datetime
    until: datetime

    def holds(self, at: datetime | None) -> bool:
        """Whether a deadline fell into it."""
        return at is not None and self.since < at <= self.until


class Watch(NamedTuple):
    """ticked_at: when the last good tick began · gaps: the last ones, earliest first."""

    ticked_at: datetime | None = None
    gaps: tuple[Gap, ...] = ()


def gaps_until(watch: Watch, now: datetime) -> tuple[Gap, ...]:
    """The gaps up to now: with the one that ends now, where there is one."""
    if watch.ticked_at is None or now - watch.ticked_at <= BLIND_AFTER:
        return watch.gaps
    earlier = (gap for gap in watch.gaps if gap.since < watch.ticked_at and now - gap.until < _KEPT_FOR)
    return (*earlier, Gap(watch.ticked_at, now))[-_MOST_KEPT:]
