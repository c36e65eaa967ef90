"""When each org's next report is due. One item names them all: the tick reads it, and no table is ever scanned."""

from datetime import datetime

from pynamodb.exceptions import UpdateError

from chalicelib.domain.times import to_ms
from chalicelib.store.errors import is_unmet, store_errors
from chalicelib.store.org_moments import OrgMoment, moments_of
from chalicelib.store.reading import get_or_none
from chalicelib.store.tables import OrgItem

_LIST = "reporting"


def note(time: OrgMoment) -> None:
    """Before the org is written: what the org does not say, the tick forgets."""
    with store_errors():
        OrgItem(_LIST).update([OrgItem.reporting.add({time.text})])


def forget(time: OrgMoment) -> None:
    with store_errors():
        OrgItem(_LIST).update([OrgItem.reporting.delete({time.text})])


def due(now: datetime) -> list[OrgMoment]:
    """Earliest first."""
    item = get_or_none(OrgItem, _LIST)
    found = moments_of(None if item is None else item.reporting)
    return sorted((one for one in found if one.at <= now), key=lambda one: one.at)


def move_on(time: OrgMoment, following: datetime) -> None:
    """The org's next report is due then, unless it was changed meanwhile."""
    with store_errors():
        try:
            OrgItem(time.org_id).update(
                [OrgItem.report_at.set(to_ms(following))], OrgItem.report_at == to_ms(time.at)
            )
        except UpdateError as error:
            if not is_unmet(error):
                raise
