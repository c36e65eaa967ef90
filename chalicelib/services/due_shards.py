"""How many shards of the due index are read: as many as the setting says, and more after it was lowered.

A cron moves to its new shard when it is written next, so a setting may be changed on a live deployment.
"""

import logging
from datetime import datetime, timedelta

from chalicelib import settings
from chalicelib.domain.errors import ConcurrentUpdate, CronHubError
from chalicelib.domain.monitor.blackout import Shards, Watch
from chalicelib.store.crons import is_empty
from chalicelib.store.tick_log import note_shards

log = logging.getLogger("cronhub.tick")

# What releases before the setting wrote to.
_BEFORE = 16
# While a deployment replaces the functions, some still write as the earlier setting said.
_SETTLED_AFTER = timedelta(minutes=10)
_LOOKED_AT = 8


class _Remembered:
    """What the last tick of this process found out."""

    read = 0


def to_read() -> range:
    """Returns the shards that may hold crons, as of the last tick of this process."""
    return range(max(settings.due_shards(), _Remembered.read))


def look(watch: Watch, now: datetime) -> None:
    """Finds out which shards are to be read from now on."""
    shards = _shards(watch.shards, settings.due_shards(), now)
    if shards != watch.shards:
        _note(shards)
    _Remembered.read = shards.read


def _note(shards: Shards) -> None:
    try:
        note_shards(shards)
    except (CronHubError, ConcurrentUpdate) as error:
        # The next tick finds it out again: no reason not to look at the crons.
        log.warning("how many shards are read could not be noted: %s", error)


def forget() -> None:
    """Forgets what was found out, as a new function would start."""
    _Remembered.read = 0


def _shards(known: Shards | None, written: int, now: datetime) -> Shards:
    if known is None:
        return Shards(written, max(written, _BEFORE), now)
    if known.written != written:
        return Shards(written, max(written, known.read), now)
    if known.read > written and now - known.since >= _SETTLED_AFTER:
        return known._replace(read=_still_read(known))
    return known


def _still_read(known: Shards) -> int:
    """Lets go of the highest shards that are empty, a few at each tick."""
    read = known.read
    while read > max(known.written, known.read - _LOOKED_AT) and is_empty(read - 1):
        read -= 1
    return read
