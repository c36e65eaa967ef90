"""Taking an org away: in steps that can be cut off anywhere, and made again."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple

from pynamodb.exceptions import UpdateError
from pynamodb.expressions.update import Action
from pynamodb.models import Model

from chalicelib.domain.times import to_ms
from chalicelib.store.badges import token_item
from chalicelib.store.errors import is_unmet, store_errors
from chalicelib.store.org_moments import OrgMoment, moments_of
from chalicelib.store.reading import get_or_none
from chalicelib.store.status_pages import path_item
from chalicelib.store.tables import (
    MODELS,
    AlertItem,
    BadgeItem,
    ChannelItem,
    CronItem,
    DailyCountsItem,
    KeyItem,
    OrgItem,
    RunItem,
    StatusPageItem,
)

# One item names the orgs that are to go: the tick reads it, and no table is ever scanned.
_LIST = "leaving"
# Whatever is keyed by org goes with it; crons first, as what is theirs is found by them.
_OF_ORG = [model for model in MODELS if model is not CronItem and model._hash_keyname == "org_id"]


def mark(deletion: OrgMoment) -> None:
    """From now on the org is to go."""
    with store_errors():
        OrgItem(_LIST).update(
            [OrgItem.leaving.add({deletion.org_id}), OrgItem.looked_at_again.add({deletion.text})]
        )


def unmark(org_id: str) -> None:
    with store_errors():
        OrgItem(_LIST).update([OrgItem.leaving.delete({org_id})])


def forget(deletion: OrgMoment) -> None:
    """Nothing of the org can come any more."""
    with store_errors():
        OrgItem(_LIST).update([OrgItem.looked_at_again.delete({deletion.text})])


class Marked(NamedTuple):
    #: The orgs that are still to go.
    leaving: list[str]
    #: Those to look at once more, when all requests of that time have ended.
    looked_at_again: list[OrgMoment]


def marked() -> Marked:
    item = get_or_none(OrgItem, _LIST)
    if item is None:
        return Marked([], [])
    return Marked(sorted(item.leaving or ()), moments_of(item.looked_at_again))


def revoke_keys(org_id: str) -> None:
    with store_errors():
        for item in list(KeyItem.of_org.query(org_id)):
            item.delete()


def open_crons(org_id: str) -> Iterator[str]:
    """Yields the ids of the org's crons that still take signals."""
    with store_errors():
        for item in CronItem.query(
            org_id, filter_condition=CronItem.archived_at.does_not_exist(), consistent_read=True
        ):
            yield item.cron_id


def close_cron(org_id: str, cron_id: str, now: datetime) -> None:
    """Has a cron take no signals and never be due, as an archived one. Raises ConcurrentUpdate where it is being
    written at this moment."""
    closed: list[Action] = [
        CronItem.archived_at.set(to_ms(now)),
        CronItem.due_at.remove(),
        CronItem.due_shard.remove(),
        # A signal or a tick that read the cron before loads it again, and does not undo this.
        CronItem.version.add(1),
    ]
    with store_errors():
        try:
            CronItem(org_id, cron_id).update(closed, CronItem.cron_id.exists())
        except UpdateError as error:
            # Deleted meanwhile.
            if not is_unmet(error):
                raise


def remove(org_id: str, in_time: Callable[[], bool]) -> bool:
    """Removes all of an org, as far as there is time; whether it is gone."""
    with store_errors():
        for step in _steps(org_id):
            if not in_time():
                return False
            step.delete()
        return True


def _steps(org_id: str) -> Iterator[Model]:
    yield from KeyItem.of_org.query(org_id)
    # What strangers can see goes before what may take long.
    for badge in BadgeItem.query(org_id, consistent_read=True):
        yield token_item(badge.token)
    for page in StatusPageItem.query(org_id, consistent_read=True):
        if page.path is not None:
            yield path_item(page.path)
    for cron in CronItem.query(org_id, consistent_read=True):
        # Last the cron itself, by which the others are found.
        yield from RunItem.query(cron.cron_id)
        yield from DailyCountsItem.query(cron.cron_id)
        yield from AlertItem.query(cron.cron_id)
        yield cron
    yield from AlertItem.query(org_id)
    for channel in ChannelItem.query(org_id, consistent_read=True):
        # The notices about the channel itself.
        yield from AlertItem.query(channel.channel_id)
    for model in _OF_ORG:
        yield from model.query(org_id, consistent_read=True)
    org = get_or_none(OrgItem, org_id)
    if org is not None:
        yield OrgItem(f"slug#{org.slug}")
        yield org
