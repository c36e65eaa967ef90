"""What the ticks of a deployment leave for one another: when the last one was, and the blackouts between."""

from datetime import datetime
from typing import Any

from pynamodb.exceptions import UpdateError

from chalicelib.domain.monitor.blackout import Blackout, Watch
from chalicelib.domain.times import from_ms, to_ms
from chalicelib.store.cron_codec import at_ms
from chalicelib.store.errors import is_conflict, store_errors
from chalicelib.store.reading import get_or_none
from chalicelib.store.tables import WatchItem

_TICK = "tick"


def load_watch() -> Watch:
    item = get_or_none(WatchItem, _TICK)
    if item is None:
        return Watch()
    times = [from_ms(int(at)) for at in item.gaps or ()]
    blackouts = tuple(Blackout(since, until) for since, until in zip(times[::2], times[1::2], strict=True))
    return Watch(at_ms(item.ticked_at), blackouts)


def note_blackouts(blackouts: tuple[Blackout, ...]) -> None:
    """Before anything is decided by them: a tick that dies leaves them to the next one."""
    with store_errors():
        flat = [to_ms(at) for blackout in blackouts for at in blackout]
        WatchItem(_TICK).update([WatchItem.gaps.set(flat)])


def take_shard(shard: int, now: datetime, until: datetime) -> bool:
    """Claims a shard to work it off; returns False while another function has it."""
    is_free = WatchItem.taken_until.does_not_exist() | (WatchItem.taken_until <= to_ms(now))
    return _update(f"due-{shard}", WatchItem.taken_until.set(to_ms(until)), is_free)


def release_shard(shard: int, until: datetime) -> None:
    _update(f"due-{shard}", WatchItem.taken_until.remove(), WatchItem.taken_until == to_ms(until))


def note_tick(at: datetime) -> None:
    """That a tick that began then went well; one that was overtaken by a later one notes nothing."""
    is_later = WatchItem.ticked_at.does_not_exist() | (WatchItem.ticked_at < to_ms(at))
    _update(_TICK, WatchItem.ticked_at.set(to_ms(at)), is_later)


def _update(name: str, action: Any, condition: Any) -> bool:
    with store_errors():
        try:
            WatchItem(name).update([action], condition)
        except UpdateError as error:
            if not is_conflict(error):
                raise
            return False
    return True
