"""Whether an org's crons may be signalled without a key: a fact of the org that each cron's item holds as well.

A ping reads the cron alone, so the cron must know.
"""

from collections.abc import Iterator

from pynamodb.exceptions import UpdateError

from chalicelib.domain.times import to_ms
from chalicelib.store.errors import is_unmet, store_errors
from chalicelib.store.org_moments import OrgMoment, moments_of
from chalicelib.store.reading import get_or_none
from chalicelib.store.tables import CronItem, OrgItem

# One item names the orgs whose crons are to be told: the tick reads it, and no table is ever scanned.
_LIST = "switching"


def note(change: OrgMoment) -> None:
    with store_errors():
        OrgItem(_LIST).update([OrgItem.switching.add({change.text})])


def forget(change: OrgMoment) -> None:
    with store_errors():
        OrgItem(_LIST).update([OrgItem.switching.delete({change.text})])


def noted() -> list[OrgMoment]:
    item = get_or_none(OrgItem, _LIST)
    return moments_of(None if item is None else item.switching)


def untold_crons(org_id: str, keyless: bool) -> Iterator[str]:
    """Yields the ids of an org's crons, archived ones too, that have it otherwise."""
    otherwise = CronItem.keyless_off.exists() if keyless else CronItem.keyless_off.does_not_exist()
    with store_errors():
        for item in CronItem.query(org_id, filter_condition=otherwise, consistent_read=True):
            yield item.cron_id


def tell_cron(org_id: str, cron_id: str, keyless: bool) -> None:
    """Raises ConcurrentUpdate where the cron is being written at this moment."""
    setting = CronItem.keyless_off.remove() if keyless else CronItem.keyless_off.set(True)
    with store_errors():
        try:
            # With a new version: a signal that read the cron before loads it again, and does not undo this.
            CronItem(org_id, cron_id).update([setting, CronItem.version.add(1)], CronItem.cron_id.exists())
        except UpdateError as error:
            # Deleted meanwhile.
            if not is_unmet(error):
                raise


def note_all_told(change: OrgMoment) -> None:
    """Where it has not been changed again since."""
    with store_errors():
        try:
            OrgItem(change.org_id).update(
                [OrgItem.keyless_pending.set(False)], OrgItem.keyless_changed_at == to_ms(change.at)
            )
        except UpdateError as error:
            if not is_unmet(error):
                raise
