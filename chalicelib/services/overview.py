"""All crons of an org at a glance: counted by status, filtered, in order."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from chalicelib.domain.errors import NotFound
from chalicelib.domain.monitor.cron import Cron
from chalicelib.domain.monitor.display_status import WORST_FIRST, DisplayStatus
from chalicelib.domain.runs.run import Run
from chalicelib.services import crons
from chalicelib.services.crons import CronFilters, Shown, shown_with
from chalicelib.store import crons as stored
from chalicelib.store import runs
from chalicelib.store.cron_names import find_ids
from chalicelib.store.maintenance import maintenance_windows_of_org
from chalicelib.store.standing_counts import read_standing_counts

#: How many of a cron's latest runs are shown beside it.
STRIP = 30
#: About 10 KB each.
_STRIPS_KEPT = 1024
_RANKS = {status: rank for rank, status in enumerate(WORST_FIRST)}
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class Order(StrEnum):
    WORST = "worst"
    NAME = "name"
    NEXT = "next"
    LAST = "last"


class Group(NamedTuple):
    product: str
    service: str
    crons: list[Shown]
    counts: dict[DisplayStatus, int]


class Overview(NamedTuple):
    groups: list[Group]
    #: By status, of those that the other filters admit.
    counts: dict[DisplayStatus, int]
    #: Of all crons that are not archived.
    down: int
    total: int
    #: All tags in use.
    tags: list[str]

    @property
    def crons(self) -> list[Shown]:
        """In the order they are shown in."""
        return [one for group in self.groups for one in group.crons]


def overview(org_id: str, filters: CronFilters, order: Order, now: datetime) -> Overview:
    windows = maintenance_windows_of_org(org_id)
    found = [shown_with(cron, now, windows) for cron in stored.crons_of_org(org_id)]
    watched = [one for one in found if one.status is not DisplayStatus.ARCHIVED]
    of_any_status = filters._replace(status=None)
    admitted = [one for one in found if filters.admit(one)]
    counted = [one for one in watched if of_any_status.admit(one)]
    return Overview(
        groups=_grouped(admitted, order),
        counts=counts_by_status(counted),
        down=sum(one.status is DisplayStatus.DOWN for one in watched),
        total=len(watched),
        tags=sorted({tag for one in watched for tag in one.cron.settings.tags}),
    )


def counts_by_status(found: Iterable[Shown]) -> dict[DisplayStatus, int]:
    """How many there are of each status, worst first."""
    counted = Counter(one.status for one in found)
    return {status: counted[status] for status in WORST_FIRST if counted[status]}


def _grouped(found: list[Shown], order: Order) -> list[Group]:
    """Groups of product and service; each begins where its first cron is."""
    groups: dict[tuple[str, str], list[Shown]] = {}
    for one in sorted(found, key=lambda each: _place(each, order)):
        groups.setdefault((one.cron.product, one.cron.service), []).append(one)
    listed = [Group(*names, crons, counts_by_status(crons)) for names, crons in groups.items()]
    if order is Order.NAME:
        return sorted(listed, key=lambda group: (group.product.casefold(), group.service.casefold()))
    return sorted(listed, key=lambda group: _place(group.crons[0], order)[:1])


def _place(one: Shown, order: Order) -> tuple[object, ...]:
    cron, name = one.cron, one.cron.name.casefold()
    match order:
        case Order.NAME:
            return (name, cron.id)
        case Order.NEXT:
            return (one.next_expected_at or _NEVER, name)
        case Order.LAST:
            return (-(cron.last_signal_at or _LONG_AGO).timestamp(), name)
        case Order.WORST:
            return (_RANKS[one.status], cron.product.casefold(), cron.service.casefold(), name)


def shown_of(org_id: str, ids: list[str], now: datetime) -> list[Shown]:
    """Those of these crons that there are, in the order of their ids."""
    windows = maintenance_windows_of_org(org_id)
    known = stored.find_crons(org_id, dict.fromkeys(ids))
    return [shown_with(known[cron_id], now, windows) for cron_id in dict.fromkeys(ids) if cron_id in known]


def find_named(org_id: str, product: str, service: str, name: str) -> str:
    """Returns the id of the cron that people know by these names. Raises NotFound."""
    found = find_ids(org_id, product, service, [name]).get(name)
    if found is None:
        raise NotFound("there is no such cron")
    return found


def strip_of(cron: Cron) -> tuple[Run, ...]:
    """Returns how a cron's latest runs ended, earliest first."""
    return _strip(cron.id, cron.version)


# A page that refreshes itself asks for the same strips again and again. A run is only ever written together with
# its cron, so a cron of the same version has the same strip.
@lru_cache(maxsize=_STRIPS_KEPT)
def _strip(cron_id: str, _version: int) -> tuple[Run, ...]:
    return tuple(runs.latest_outcomes(cron_id, STRIP)[::-1])


def changes_of(org_id: str) -> int:
    """Returns a number that is another one as soon as any cron stands otherwise, is new or is gone: one read."""
    return read_standing_counts(org_id).changes


class Bulk(StrEnum):
    """What can be done to several crons at once."""

    PAUSE = "pause"
    RESUME = "resume"
    TAG = "tag"
    DELETE = "delete"


class BulkChange(NamedTuple):
    what: Bulk
    #: With TAG: the tags to add.
    tags: tuple[str, ...] = ()


def do_to_all(org_id: str, ids: list[str], change: BulkChange, now: datetime) -> int:
    """Does it to each cron that is there; returns to how many."""
    done = 0
    for cron_id in dict.fromkeys(ids):
        try:
            _do(org_id, cron_id, change, now)
        except NotFound:
            continue  # deleted meanwhile
        done += 1
    return done


def _do(org_id: str, cron_id: str, change: BulkChange, now: datetime) -> None:
    match change.what:
        case Bulk.PAUSE:
            crons.pause(org_id, cron_id, now)
        case Bulk.RESUME:
            crons.resume(org_id, cron_id, now)
        case Bulk.DELETE:
            crons.delete(org_id, cron_id, now)
        case Bulk.TAG:
            held = crons.find(org_id, cron_id).settings.tags
            wanted = tuple(dict.fromkeys((*held, *change.tags)))
            settings = crons.SettingsChanges(tags=wanted)
            crons.change(org_id, cron_id, crons.Changes(crons.Names(), settings), now)
