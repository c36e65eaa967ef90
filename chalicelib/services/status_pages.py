"""Status pages: composed by an org's admins."""

import secrets
from collections import Counter
from datetime import datetime
from typing import NamedTuple

from msgspec import UNSET, UnsetType

from chalicelib.domain.errors import Conflict, FieldError, Invalid, NotFound
from chalicelib.domain.ids import is_timed_id, org_of, timed_id
from chalicelib.domain.public.status_page import PATH_BYTES, PageAddress, PageCron, StatusPage
from chalicelib.services.paging import Page, page_of
from chalicelib.services.retries import retry_on_conflict
from chalicelib.store import crons, orgs, status_pages

MOST_PAGES = 20


class PageChanges(NamedTuple):
    """UNSET: stays as it is. What a new page does not set has its usual value."""

    title: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    address: PageAddress | UnsetType = UNSET
    crons: tuple[PageCron, ...] | UnsetType = UNSET
    show_uptime: bool | UnsetType = UNSET
    show_incidents: bool | UnsetType = UNSET
    show_maintenance: bool | UnsetType = UNSET


def create(org_id: str, title: str, given: PageChanges, now: datetime) -> StatusPage:
    """Raises Invalid; Conflict where the org has 20, or one at its slug already."""
    page_id = timed_id(now, secrets.token_bytes(10))

    def once() -> StatusPage:
        page = _changed(StatusPage(org_id, page_id, title, now), given)
        others = status_pages.pages_of_org(org_id)
        if len(others) >= MOST_PAGES:
            raise Conflict(f"an organization has at most {MOST_PAGES} status pages; delete some first")
        _require_free_address(page, others)
        return status_pages.save_page(page, None)

    _require_crons(org_id, given)
    return retry_on_conflict(once)


def change(org_id: str, page_id: str, given: PageChanges) -> StatusPage:
    """Raises NotFound, Invalid; Conflict where another page is at the org's slug."""

    def once() -> StatusPage:
        before = find(org_id, page_id)
        page = _changed(before, given)
        if page.path is None and before.path is not None:
            _require_free_address(page, status_pages.pages_of_org(org_id))
        return status_pages.save_page(page, before)

    _require_crons(org_id, given)
    return retry_on_conflict(once)


def _changed(page: StatusPage, given: PageChanges) -> StatusPage:
    fields = {name: value for name, value in given._asdict().items() if name != "address" and value is not UNSET}
    after = page._replace(**fields)
    if given.address is PageAddress.SLUG:
        return after._replace(path=None)
    if given.address is PageAddress.SECRET and page.path is None:
        return after._replace(path=secrets.token_urlsafe(PATH_BYTES))
    return after


def _require_free_address(page: StatusPage, others: list[StatusPage]) -> None:
    if page.path is None and any(other.path is None and other.id != page.id for other in others):
        raise Conflict("another status page is at the organization's slug; give this one a secret address")


def _require_crons(org_id: str, given: PageChanges) -> None:
    """Raises Invalid for those that are no crons of this org, or there twice."""
    listed = [] if given.crons is UNSET else [one.cron_id for one in given.crons or ()]
    own = {cron_id for cron_id in listed if org_of(cron_id) == org_id}
    known = crons.find_crons(org_id, own) if own else {}
    times = Counter(listed)
    errors = [
        FieldError(
            f"crons[{place}].cron_id",
            "is there twice" if cron_id in known else "is not a cron of this organization",
        )
        for place, cron_id in enumerate(listed)
        if cron_id not in known or (times[cron_id] > 1 and cron_id in listed[:place])
    ]
    if errors:
        raise Invalid(*errors)


def list_pages(org_id: str, page: Page) -> tuple[list[StatusPage], str | None]:
    return page_of(status_pages.pages_of_org(org_id), page)


def find(org_id: str, page_id: str) -> StatusPage:
    """Raises NotFound."""
    found = status_pages.find_page(org_id, page_id) if is_timed_id(page_id) else None
    if found is None:
        raise NotFound("no such status page")
    return found


def delete(org_id: str, page_id: str) -> None:
    """It is public no more. Raises NotFound."""
    status_pages.delete_page(find(org_id, page_id))


def slug_of(org_id: str) -> str:
    """Returns the slug that a page without an own path is at. Raises NotFound."""
    org = orgs.find_org(org_id)
    if org is None:
        raise NotFound("no such organization")
    return org.slug
