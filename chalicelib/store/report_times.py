"""When each org's next report is due. One item names them all: the tick reads it, and no table is ever scanned."""

from datetime import datetime
from typing import NamedTuple

from pynamodb.exceptions import UpdateError

from chalicelib.domain.times import from_ms, to_ms
from chalicelib.store.errors import is_unmet, store_errors
from chalicelib.store.reading import get_or_none
from chalicelib.store.tables import OrgItem

_LIST = "reporting"


class ReportTime(NamedTuple):
    org_id: str
    at: datetime


def _text(time: ReportTime) -> str:
    return f"{time.org_id}#{to_ms(time.at)}"


def note(time: ReportTime) -> None:
    """Before the org is written: what the org does not say, the tick forgets."""
    with store_errors():
        OrgItem(_LIST).update([OrgItem.reporting.add({_text(time)})])


def forget(time: ReportTime) -> None:
    with store_errors():
        OrgItem(_LIST).update([OrgItem.reporting.delete({_text(time)})])


def due(now: datetime) -> list[ReportTime]:
    """Earliest first."""
    item = get_or_none(OrgItem, _LIST)
    texts = (text.partition("#") for text in (item and item.reporting) or ())
    found = (ReportTime(org_id, from_ms(int(at))) for org_id, _, at in texts)
    return sorted((one for one in found if one.at <= now), key=lambda one: one.at)


def move_on(time: ReportTime, following: datetime) -> None:
    """The org's next report is due then, unless it was changed meanwhile."""
    with store_errors():
        try:
            OrgItem(time.org_id).update(
                [OrgItem.report_at.set(to_ms(following))], OrgItem.report_at == to_ms(time.at)
            )
        except UpdateError as error:
            if not is_unmet(error):
                raise
