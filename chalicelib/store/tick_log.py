"""What the ticks of a deployment leave for one another: when the last one was, and the blackouts between."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from pynamodb.exceptions import UpdateError

from chalicelib.domain.monitor.blackout import NOTHING_LEFT, Backlog, Blackout, Hearing, Shards, Watch
from chalicelib.domain.times import from_ms, to_ms
from chalicelib.store.cron_codec import at_ms
from chalicelib.store.errors import is_conflict, store_errors
from chalicelib.store.reading import get_or_none
from chalicelib.store.tables import WatchItem

_TICK = "tick"
_DUE = "due-"


def load_watch() -> Watch:
    item = get_or_none(WatchItem, _TICK)
    if item is None:
        return Watch()
    hearing = Hearing(
        address=item.heard_through,
        heard_at=at_ms(item.heard_at),
        sent_at=at_ms(item.canary_sent_at),
        silent_since=at_ms(item.silent_since),
        deaf=_from_flat(item.deaf),
    )
    backlog = Backlog(at_ms(item.handed_over_at), at_ms(item.behind_since))
    return Watch(at_ms(item.ticked_at), _from_flat(item.gaps), backlog, hearing, _shards(item))


def _shards(item: WatchItem) -> Shards | None:
    since = at_ms(item.shards_since)
    return None if since is None else Shards(int(item.shards_set), int(item.shards_read), since)


def note_shards(shards: Shards) -> None:
    actions: list[Any] = [
        WatchItem.shards_set.set(shards.written),
        WatchItem.shards_read.set(shards.read),
        WatchItem.shards_since.set(to_ms(shards.since)),
    ]
    with store_errors():
        WatchItem(_TICK).update(actions)


def _from_flat(flat: Sequence[int | float] | None) -> tuple[Blackout, ...]:
    times = [from_ms(int(at)) for at in flat or ()]
    return tuple(Blackout(since, until) for since, until in zip(times[::2], times[1::2], strict=True))


def _flat(blackouts: Iterable[Blackout]) -> list[int]:
    return [to_ms(at) for blackout in blackouts for at in blackout]


def note_blackouts(blackouts: tuple[Blackout, ...]) -> None:
    """Before anything is decided by them: a tick that dies leaves them to the next one."""
    with store_errors():
        WatchItem(_TICK).update([WatchItem.gaps.set(_flat(blackouts))])


def note_canary(canary_id: str, address: str, hearing: Hearing) -> None:
    """That a canary is being sent to this address, and what is known then."""
    actions = [
        WatchItem.canary_id.set(canary_id),
        WatchItem.canary_to.set(address),
        _set_or_remove(WatchItem.canary_sent_at, hearing.sent_at),
        _set_or_remove(WatchItem.silent_since, hearing.silent_since),
        WatchItem.deaf.set(_flat(hearing.deaf)),
    ]
    with store_errors():
        WatchItem(_TICK).update(actions)


def note_heard(canary_id: str, now: datetime) -> bool:
    """That a canary arrived; returns False for one that is not the last that was sent."""
    actions = [WatchItem.heard_at.set(to_ms(now)), WatchItem.heard_through.set(WatchItem.canary_to)]
    return _update(_TICK, actions, WatchItem.canary_id == canary_id)


def take_shard(shard: int, now: datetime, until: datetime) -> bool:
    """Claims a shard to work it off; returns False while another function has it."""
    is_free = WatchItem.taken_until.does_not_exist() | (WatchItem.taken_until <= to_ms(now))
    return _update(_due(shard), [WatchItem.taken_until.set(to_ms(until))], is_free)


def release_shard(shard: int, until: datetime, done_at: datetime | None) -> None:
    """Gives a claim back. done_at: as of when everything due in it was judged; None: something was left."""
    actions: list[Any] = [WatchItem.taken_until.remove()]
    if done_at is not None:
        actions.append(WatchItem.done_at.set(to_ms(done_at)))
    _update(_due(shard), actions, WatchItem.taken_until == to_ms(until))


def shards_done(shards: Iterable[int]) -> dict[int, datetime]:
    """Returns as of when everything due in a shard was judged last, for those that were ever handed over."""
    with store_errors():
        items = list(WatchItem.batch_get([_due(shard) for shard in shards], consistent_read=True))
    return {int(item.name.removeprefix(_DUE)): from_ms(int(item.done_at)) for item in items if item.done_at}


def note_tick(at: datetime, backlog: Backlog = NOTHING_LEFT) -> None:
    """That a tick that began then ran to its end; one that was overtaken by a later one notes nothing."""
    is_later = WatchItem.ticked_at.does_not_exist() | (WatchItem.ticked_at < to_ms(at))
    actions = [
        WatchItem.ticked_at.set(to_ms(at)),
        _set_or_remove(WatchItem.handed_over_at, backlog.handed_over_at),
        _set_or_remove(WatchItem.behind_since, backlog.behind_since),
    ]
    _update(_TICK, actions, is_later)


def _set_or_remove(attribute: Any, at: datetime | None) -> Any:
    return attribute.remove() if at is None else attribute.set(to_ms(at))


def _due(shard: int) -> str:
    return f"{_DUE}{shard}"


def _update(name: str, actions: list[Any], condition: Any) -> bool:
    with store_errors():
        try:
            WatchItem(name).update(actions, condition)
        except UpdateError as error:
            if not is_conflict(error):
                raise
            return False
    return True
