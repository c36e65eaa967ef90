"""Pages of lists."""

from collections.abc import Iterable
from typing import NamedTuple, Protocol, TypeVar


class Page(NamedTuple):
    """At most `limit` items, from behind the one that `cursor` names; None: from the first."""

    limit: int
    cursor: str | None = None


class _Listed(Protocol):
    @property
    def id(self) -> str: ...


Item = TypeVar("Item", bound=_Listed)


def page_of(found: Iterable[Item], page: Page) -> tuple[list[Item], str | None]:
    """Returns a page of a list that was read whole, by id, and the next page's cursor, None at the end."""
    rest = [one for one in found if page.cursor is None or one.id > page.cursor]
    return rest[: page.limit], rest[page.limit - 1].id if len(rest) > page.limit else None
