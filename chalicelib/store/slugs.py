"""Slugs: which crons of an org clients call so. Several may have one slug."""

from collections.abc import Iterable
from typing import NamedTuple

from chalicelib.domain.monitor.cron import Cron
from chalicelib.domain.monitor.slug import slug_of
from chalicelib.store.crons import crons_of_org
from chalicelib.store.errors import store_errors
from chalicelib.store.reading import get_or_none
from chalicelib.store.tables import CronNameItem

_ALL_HAVE_ONE = "slugs"


class Called(NamedTuple):
    """A cron that has a slug."""

    cron_id: str
    product: str
    service: str


def _key(slug: str, cron_id: str = "") -> str:
    return f"slug/{slug}/{cron_id}"


def slug_item(cron: Cron) -> CronNameItem | None:
    slug = slug_of(cron)
    if slug is None:
        return None
    return CronNameItem(
        cron.org_id, _key(slug, cron.id), cron_id=cron.id, product=cron.product, service=cron.service
    )


def slugs_to_move(before: Cron | None, after: Cron) -> list[tuple[CronNameItem, bool]]:
    """The items that a change of a cron writes (True) or deletes (False)."""
    old, new = None if before is None else slug_item(before), slug_item(after)
    if old is not None and new is not None and _told(old) == _told(new):
        return []
    moves: list[tuple[CronNameItem, bool]] = []
    if old is not None and (new is None or old.name_key != new.name_key):
        moves.append((old, False))
    if new is not None:
        moves.append((new, True))
    return moves


def _told(item: CronNameItem) -> tuple[str, str | None, str | None]:
    return item.name_key, item.product, item.service


def called(org_id: str, slug: str) -> list[Called]:
    """The crons of a slug, archived ones too: one read."""
    condition = CronNameItem.name_key.startswith(_key(slug))
    with store_errors():
        found = CronNameItem.query(org_id, condition, consistent_read=True)
        return [Called(item.cron_id, item.product or "", item.service or "") for item in found]


def fill_in(org_id: str) -> bool:
    """Gives crons that an earlier release made their slugs, once per org; returns whether it did just now."""
    if get_or_none(CronNameItem, org_id, _ALL_HAVE_ONE) is not None:
        return False
    with store_errors(), CronNameItem.batch_write() as batch:
        for item in _items(crons_of_org(org_id)):
            batch.save(item)
    with store_errors():
        CronNameItem(org_id, _ALL_HAVE_ONE, cron_id="").save()
    return True


def _items(crons: Iterable[Cron]) -> Iterable[CronNameItem]:
    return (item for cron in crons if (item := slug_item(cron)) is not None)
