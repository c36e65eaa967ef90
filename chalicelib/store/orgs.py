"""Orgs and their slugs."""

from typing import Any

from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from chalicelib.domain.accounts.api_key import ApiKey
from chalicelib.domain.accounts.org import Org
from chalicelib.domain.accounts.report_plan import ReportEvery, ReportPlan
from chalicelib.domain.times import from_ms, to_ms
from chalicelib.store.api_keys import key_item
from chalicelib.store.cron_codec import at_ms, ms
from chalicelib.store.errors import failed_at, store_errors
from chalicelib.store.reading import get_or_none
from chalicelib.store.tables import OrgItem, connection


class SlugTaken(Exception):
    pass


def _slug_key(slug: str) -> str:
    return f"slug#{slug}"


def create_org(org: Org) -> None:
    """Raises SlugTaken; ConcurrentUpdate where its random id is taken (draw again)."""
    with store_errors():
        try:
            with TransactWrite(connection=connection()) as transaction:
                transaction.save(_slug_item(org), OrgItem.key.does_not_exist())
                transaction.save(_org_item(org), OrgItem.key.does_not_exist())
        except TransactWriteError as error:
            if failed_at(error, 0):
                raise SlugTaken from error
            raise


def replace_abandoned_org(abandoned: Org, org: Org) -> None:
    """A new org takes the slug of one that nobody claimed. Raises ConcurrentUpdate where somebody did."""
    with store_errors(), TransactWrite(connection=connection()) as transaction:
        transaction.delete(OrgItem(abandoned.id), OrgItem.had_key == False)  # noqa: E712
        transaction.save(_slug_item(org), OrgItem.org_id == abandoned.id)
        transaction.save(_org_item(org), OrgItem.key.does_not_exist())


def _org_item(org: Org) -> OrgItem:
    return OrgItem(
        org.id,
        org_id=org.id,
        slug=org.slug,
        name=org.name,
        created_at=ms(org.created_at),
        had_key=org.had_key,
    )


def find_org_by_slug(slug: str) -> Org | None:
    item = get_or_none(OrgItem, _slug_key(slug))
    return None if item is None else find_org(item.org_id)


def find_org(org_id: str) -> Org | None:
    item = get_or_none(OrgItem, org_id)
    if item is None:
        return None
    return Org(
        id=item.org_id,
        slug=item.slug,
        name=item.name,
        created_at=from_ms(int(item.created_at)),
        had_key=bool(item.had_key),
        first_contact=item.first_contact is not False,
        keyless_signals=not item.keyless_off,
        keyless_changed_at=at_ms(item.keyless_changed_at),
        keyless_pending=bool(item.keyless_pending),
        allowed_origins=tuple(item.allowed_origins or ()),
        report=_report_plan(item.report),
        report_at=at_ms(item.report_at),
    )


def _report_plan(stored: dict[str, Any] | None) -> ReportPlan:
    if not stored:
        return ReportPlan()
    return ReportPlan(
        ReportEvery(stored["every"]),
        stored["day"],
        stored["hour"],
        stored["timezone"],
        tuple(stored["channel_ids"]),
    )


def change_org(before: Org, after: Org) -> None:
    """Writes an org's name, slug and settings. Raises SlugTaken; ConcurrentUpdate where it is not as it was."""
    moved = before.slug != after.slug
    changes: list[Action] = [
        OrgItem.name.set(after.name),
        OrgItem.slug.set(after.slug),
        OrgItem.first_contact.set(after.first_contact),
    ]
    if before.allowed_origins != after.allowed_origins:
        changes.append(OrgItem.allowed_origins.set(list(after.allowed_origins)))
    if before.report != after.report:
        changes.append(OrgItem.report.set(after.report._asdict()))
        at = OrgItem.report_at
        changes.append(at.remove() if after.report_at is None else at.set(to_ms(after.report_at)))
    if after.keyless_changed_at is not None and before.keyless_signals != after.keyless_signals:
        changes += [
            OrgItem.keyless_off.set(not after.keyless_signals),
            OrgItem.keyless_changed_at.set(to_ms(after.keyless_changed_at)),
            OrgItem.keyless_pending.set(after.keyless_pending),
        ]
    with store_errors():
        try:
            with TransactWrite(connection=connection()) as transaction:
                if moved:
                    transaction.save(_slug_item(after), OrgItem.key.does_not_exist())
                    transaction.delete(_slug_item(before))
                transaction.update(OrgItem(after.id), changes, OrgItem.slug == before.slug)
        except TransactWriteError as error:
            # pynamodb sends deletes before puts, and updates last.
            if moved and failed_at(error, 1):
                raise SlugTaken from error
            raise


def _slug_item(org: Org) -> OrgItem:
    return OrgItem(_slug_key(org.slug), org_id=org.id, slug=org.slug)


def claim_first_key(key: ApiKey, hashed: str) -> None:
    """Writes an org's first key. Raises ConcurrentUpdate where it has one: of two claims one wins."""
    with store_errors(), TransactWrite(connection=connection()) as transaction:
        transaction.save(key_item(key, hashed))
        transaction.update(
            OrgItem(key.org_id),
            [OrgItem.had_key.set(True)],
            OrgItem.had_key == False,  # noqa: E712
        )
