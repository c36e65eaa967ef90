"""Reading crons."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from pynamodb.exceptions import UpdateError
from pynamodb.expressions.condition import Condition

from chalicelib.domain.monitor.cron import Cron
from chalicelib.domain.monitor.display_status import DisplayStatus
from chalicelib.domain.times import to_ms
from chalicelib.store.cron_codec import to_cron
from chalicelib.store.errors import is_conflict, store_errors
from chalicelib.store.reading import get_or_none
from chalicelib.store.tables import CronItem, DueIndex

_PAGE = 200


def find_cron(org_id: str, cron_id: str) -> Cron | None:
    item = get_or_none(CronItem, org_id, cron_id)
    return None if item is None else to_cron(item)


def find_crons(org_id: str, ids: Iterable[str]) -> dict[str, Cron]:
    """Those of these crons that there are, by id."""
    keys = [(org_id, cron_id) for cron_id in ids]
    with store_errors():
        items = CronItem.batch_get(keys, consistent_read=True)
        return {item.cron_id: to_cron(item) for item in items}


def crons_at(keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Cron]:
    """Those of these crons that there are, of any orgs, by org id and cron id; 100 in one call."""
    with store_errors():
        items = CronItem.batch_get(list(keys), consistent_read=True)
        return {(item.org_id, item.cron_id): to_cron(item) for item in items}


def crons_of_org(org_id: str, after: str | None = None, first_page: int | None = None) -> Iterator[Cron]:
    """Yields an org's crons by id, those behind the id `after`; reads pages as they are used.

    first_page: how many the first read takes; the reads after it, and all without it, are as large as can be.
    """
    with store_errors():
        start = CronItem.cron_id > after if after else None
        page = CronItem.query(org_id, start, consistent_read=True, limit=first_page)
        yield from map(to_cron, page)
        if page.last_evaluated_key is not None:
            rest = CronItem.query(org_id, start, consistent_read=True, last_evaluated_key=page.last_evaluated_key)
            yield from map(to_cron, rest)


def has_standing(org_id: str, standing: DisplayStatus, tag: str | None = None) -> bool:
    """Whether a cron of the org, with this tag if one is given, stands so; reads none that is well."""
    condition = CronItem.standing == standing.value
    with store_errors():
        if tag is None:
            found = CronItem.by_standing.query(org_id, condition, limit=1)
        else:
            found = CronItem.by_standing.query(org_id, condition, CronItem.tags.contains(tag))
        return next(iter(found), None) is not None


def due_crons(shard: int, now: datetime) -> Iterator[tuple[str, str]]:
    """The (org id, cron id) of each cron of a shard that is due, earliest first."""
    with store_errors():
        condition = DueIndex.due_at <= to_ms(now)
        items = CronItem.due.query(shard, condition, page_size=_PAGE)
        for item in items:
            yield item.org_id, item.cron_id


def is_empty(shard: int) -> bool:
    """Whether no cron of a shard is due, now or later."""
    with store_errors():
        return next(iter(CronItem.due.query(shard, limit=1)), None) is None


def put_off_unchanged(cron: Cron, until: datetime) -> None:
    """Moves when a cron is looked at again, unless it has changed since it was read."""
    item = CronItem(cron.org_id, cron.id)
    _move_due(item, until, CronItem.due_at.exists() & (CronItem.version == cron.version))


def put_off(org_id: str, cron_id: str, until: datetime) -> None:
    """Moves when a cron is looked at again, whatever else its item holds, and nothing else.

    For a cron that cannot be worked on: it must not hold up the others every minute.
    """
    _move_due(CronItem(org_id, cron_id), until, CronItem.due_at.exists())


def _move_due(item: CronItem, until: datetime, condition: Condition) -> None:
    with store_errors():
        try:
            item.update([CronItem.due_at.set(to_ms(until))], condition)
        except UpdateError as error:
            if not is_conflict(error):
                raise
