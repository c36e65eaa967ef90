"""What the query of a list may hold."""

from chalicelib.api.schemas.values import Cursor, Limit, Request
from chalicelib.services.paging import Page


class PageQuery(Request):
    #: How many items to return at most.
    limit: Limit = 100
    #: `next_cursor` of the page before.
    cursor: Cursor | None = None

    @property
    def page(self) -> Page:
        return Page(self.limit, self.cursor)
