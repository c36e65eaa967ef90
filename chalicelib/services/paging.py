"""A page of a list that was read whole."""

from collections.abc import Iterable
from typing import Protocol, TypeVar


class _Listed(Protocol):
    @property
    def id(self) -> str: ...


Item = TypeVar("Item", bound=_Listed)


def page_of(found: Iterable[Item], limit: int, after: str | None) -> tuple[list[Item], str | None]:
    """The next `limit` of a list in the order of ids; and behind which id to go on, None at the end."""
    rest = [one for one in found if after is None or one.id > after]
    return rest[:limit], rest[limit - 1].id if len(rest) > limit else None
