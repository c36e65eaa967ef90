"""Orgs with a moment each, as texts in a set of one item: the tick reads it, and no table is ever scanned."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from chalicelib.domain.times import from_ms, to_ms


class OrgMoment(NamedTuple):
    """An org, and when something about it changed or is due. Another moment is another entry."""

    org_id: str
    at: datetime

    @property
    def text(self) -> str:
        return f"{self.org_id}#{to_ms(self.at)}"


def moments_of(texts: Iterable[str] | None) -> list[OrgMoment]:
    """Reads a set of texts, sorted by org."""
    parts = (text.partition("#") for text in sorted(texts or ()))
    return [OrgMoment(org_id, from_ms(int(at))) for org_id, _, at in parts]
