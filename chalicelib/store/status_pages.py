"""Status pages, found by their org and by their unguessable path."""

import json

from pynamodb.transactions import TransactWrite

from chalicelib.domain.public.status_page import PageCron, StatusPage
from chalicelib.domain.times import from_ms, to_ms
from chalicelib.store.errors import store_errors
from chalicelib.store.reading import get_or_none
from chalicelib.store.tables import StatusPageItem, connection

# The one item under a path.
_ONLY = "page"


def save_page(page: StatusPage, before: StatusPage | None) -> StatusPage:
    """Writes a page that is new, or was loaded; returns it as it now stands.

    Raises ConcurrentUpdate where it has changed since, or its random path is taken.
    """
    saved = page._replace(version=page.version + 1)
    condition = (
        StatusPageItem.page_id.does_not_exist() if before is None else StatusPageItem.version == page.version
    )
    old_path = None if before is None else before.path
    with store_errors(), TransactWrite(connection=connection()) as transaction:
        transaction.save(_item(saved), condition)
        if old_path is not None and old_path != saved.path:
            transaction.delete(path_item(old_path))
        if saved.path is not None and saved.path != old_path:
            leads_to = StatusPageItem(_under_path(saved.path), _ONLY, of_org=page.org_id, id=page.id)
            transaction.save(leads_to, StatusPageItem.page_id.does_not_exist())
    return saved


def delete_page(page: StatusPage) -> None:
    with store_errors(), TransactWrite(connection=connection()) as transaction:
        if page.path is not None:
            transaction.delete(path_item(page.path))
        transaction.delete(StatusPageItem(page.org_id, page.id))


def pages_of_org(org_id: str) -> list[StatusPage]:
    """All pages of an org, in the order they were made."""
    with store_errors():
        return [_page(item) for item in StatusPageItem.query(org_id, consistent_read=True)]


def find_page(org_id: str, page_id: str) -> StatusPage | None:
    item = get_or_none(StatusPageItem, org_id, page_id)
    return None if item is None else _page(item)


def find_page_by_path(path: str) -> StatusPage | None:
    item = get_or_none(StatusPageItem, _under_path(path), _ONLY)
    return None if item is None else find_page(item.of_org, item.id)


def path_item(path: str) -> StatusPageItem:
    """What makes a page public at its path: without it the path leads nowhere."""
    return StatusPageItem(_under_path(path), _ONLY)


def _under_path(path: str) -> str:
    return f"path#{path}"


def _item(page: StatusPage) -> StatusPageItem:
    return StatusPageItem(
        page.org_id,
        page.id,
        version=page.version,
        title=page.title,
        description=page.description,
        created_at=to_ms(page.created_at),
        path=page.path,
        crons=json.dumps(page.crons, ensure_ascii=False, separators=(",", ":")),
        show_uptime=page.show_uptime,
        show_incidents=page.show_incidents,
        show_maintenance=page.show_maintenance,
    )


def _page(item: StatusPageItem) -> StatusPage:
    return StatusPage(
        item.org_id,
        item.page_id,
        item.title,
        from_ms(int(item.created_at)),
        item.description or "",
        item.path,
        tuple(PageCron(*one) for one in json.loads(item.crons)),
        bool(item.show_uptime),
        bool(item.show_incidents),
        bool(item.show_maintenance),
        int(item.version),
    )
