"""How many crons of an org stand how, written in the transactions that change it: nobody has to read every cron.

The numbers are sums over many items. A cron writes one of a few that are its own, so that a thousand crons which
go down together do not wait for each other. Only differences are added, so it does not matter which one it is.
"""

import random
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from chalicelib.domain.ids import shard_of
from chalicelib.domain.monitor.cron import Cron
from chalicelib.domain.monitor.display_status import DisplayStatus
from chalicelib.domain.monitor.standing import STANDINGS, standing
from chalicelib.store.errors import store_errors
from chalicelib.store.tables import StandingCountsItem

# With 16 shards of the due index, two of them never write the same item; two threads of one seldom do, and then
# they try again. With more shards that is a little more often, and the sum is still read at once.
_SHARDS = 16
_ITEMS_PER_SHARD = 4
# Among the parts, what the crons were that are older than the counting: nothing in a new org.
_BASE = "base"

_ATTRIBUTES: dict[DisplayStatus, Any] = {status: getattr(StandingCountsItem, status.value) for status in STANDINGS}

#: A cron before and after a change; None: it was not there, or is there no more.
Move = tuple[Cron | None, Cron | None]


Numbers = Mapping[DisplayStatus, int]


class StandingCounts(NamedTuple):
    #: What changes have added up to since changes are counted.
    changed: Numbers
    #: How many changes those were. The same number twice: nothing changed in between.
    changes: int
    #: What has to be added to that; None where it was never found out.
    base: Numbers | None

    @property
    def numbers(self) -> Numbers:
        """How many crons stand how."""
        base = self.base or {}
        return {status: number + base.get(status, 0) for status, number in self.changed.items()}


def save_moves(transaction: TransactWrite, moves: Iterable[Move]) -> bool:
    """Adds the differences that changes of crons of one org make; returns whether there are any."""
    difference: Counter[DisplayStatus] = Counter()
    crons: list[Cron] = []
    for move in moves:
        stood, stands = (None if cron is None else standing(cron) for cron in move)
        if stood is not stands:
            difference.update({status: 1 for status in (stands,) if status})
            difference.subtract({status: 1 for status in (stood,) if status})
            crons.append(next(cron for cron in move if cron is not None))
    if not crons:
        return False
    actions: list[Action] = [_ATTRIBUTES[status].add(by) for status, by in difference.items() if by]
    actions.append(StandingCountsItem.changes.add(len(crons)))
    transaction.update(StandingCountsItem(crons[0].org_id, _part_of(crons)), actions)
    return True


def _part_of(crons: list[Cron]) -> str:
    """One cron's parts are few; of many crons at once it is any part."""
    shard = shard_of(crons[0].id, _SHARDS) if len(crons) == 1 else random.randrange(_SHARDS)  # noqa: S311
    return f"{shard:02}.{random.randrange(_ITEMS_PER_SHARD)}"  # noqa: S311 - not a secret


def read_standing_counts(org_id: str) -> StandingCounts:
    """Returns the sums: one query of at most 65 small items, however many crons there are."""
    changed: Counter[DisplayStatus] = Counter()
    changes, base = 0, None
    with store_errors():
        for item in StandingCountsItem.query(org_id, consistent_read=True):
            if item.part == _BASE:
                base = _numbers(item)
            else:
                changed.update(_numbers(item))
                changes += int(item.changes or 0)
    return StandingCounts({status: changed[status] for status in STANDINGS}, changes, base)


def save_base(org_id: str, base: Numbers) -> None:
    """Others that compute it at the same time find the same, so the last write does no harm."""
    numbers: dict[str, Any] = {status.value: base[status] for status in STANDINGS}
    with store_errors():
        StandingCountsItem(org_id, _BASE, **numbers).save()


def _numbers(item: StandingCountsItem) -> dict[DisplayStatus, int]:
    return {status: int(getattr(item, status.value) or 0) for status in STANDINGS}
