"""Taking an org away: in steps that can be cut off anywhere, and made again."""

from collections.abc import Callable, Iterator

from pynamodb.models import Model

from chalicelib.store.badges import token_item
from chalicelib.store.errors import store_errors
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


def mark(org_id: str) -> None:
    """From now on the org is to go."""
    with store_errors():
        OrgItem(_LIST).update([OrgItem.leaving.add({org_id})])


def unmark(org_id: str) -> None:
    with store_errors():
        OrgItem(_LIST).update([OrgItem.leaving.delete({org_id})])


def marked() -> list[str]:
    item = get_or_none(OrgItem, _LIST)
    return [] if item is None else sorted(item.leaving or ())


def revoke_keys(org_id: str) -> None:
    with store_errors():
        for item in list(KeyItem.of_org.query(org_id)):
            item.delete()


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
    for badge in BadgeItem.query(org_id, consistent_read=True):
        yield token_item(badge.token)
    for page in StatusPageItem.query(org_id, consistent_read=True):
        if page.path is not None:
            yield path_item(page.path)
    for model in _OF_ORG:
        yield from model.query(org_id, consistent_read=True)
    org = get_or_none(OrgItem, org_id)
    if org is not None:
        yield OrgItem(f"slug#{org.slug}")
        yield org
