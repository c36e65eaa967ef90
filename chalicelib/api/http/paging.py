"""Pages of the lists that are read whole."""

from collections.abc import Iterable

from chalicelib.api.http.request import Call
from chalicelib.api.routes.crons import require_cursor
from chalicelib.api.schemas.fields import load
from chalicelib.api.schemas.shapes import PAGE_QUERY
from chalicelib.domain.ids import is_timed_id
from chalicelib.services.paging import Item, page_of


def asked_page(call: Call, found: Iterable[Item]) -> tuple[list[Item], str | None]:
    """The page that a request asks for, and behind which id to go on. Raises Invalid."""
    query = load(PAGE_QUERY, call.query)
    cursor = query.get("cursor")
    require_cursor(cursor is None or is_timed_id(cursor))
    return page_of(found, query["limit"], cursor)
