"""Badges."""

from datetime import datetime
from typing import Self

from chalicelib.api.schemas.values import Answer, Name, Request
from chalicelib.domain.public.badge import Badge, BadgeStatus
from chalicelib.services.badges import NewBadge, ShownBadge
from chalicelib.settings import base_url


class CreateBadge(Request):
    """Of a cron, or of a tag, or of the whole organization where neither is given."""

    #: The cron that it shows.
    cron_id: str | None = None
    #: The tag whose crons it shows: down while one of them is down, late while one is late.
    tag: Name | None = None
    #: The text on its left side. By default the name of the cron, the tag or the organization. Anyone can see it.
    label: Name | None = None

    def wanted(self) -> NewBadge:
        return NewBadge(self.cron_id, self.tag, self.label)


class BadgeOut(Answer):
    #: What it is revoked by.
    id: str
    #: The cron that it shows; null for others.
    cron_id: str | None
    #: The tag whose crons it shows; null for others.
    tag: str | None
    #: The text on its left side.
    label: str
    #: The badge as an image.
    svg_url: str
    #: The badge as JSON, such as `{"label": "backup", "status": "up"}`.
    json_url: str
    #: The badge as an endpoint of shields.io.
    shields_url: str
    #: When it was created.
    created_at: datetime

    @classmethod
    def of(cls, badge: Badge) -> Self:
        url = f"{base_url()}/badge/{badge.token}"
        return cls(
            id=badge.id,
            cron_id=badge.cron_id,
            tag=badge.tag,
            label=badge.label,
            svg_url=f"{url}.svg",
            json_url=f"{url}.json",
            shields_url=f"{url}.shields",
            created_at=badge.created_at,
        )


class BadgeList(Answer):
    #: The badges of this page.
    badges: tuple[BadgeOut, ...]
    #: Send it as `cursor` for the next page; null at the end.
    next_cursor: str | None


class BadgeJson(Answer):
    """What `.json` answers."""

    label: str
    status: BadgeStatus


class ShieldsEndpoint(Answer):
    """What `.shields` answers: shields.io, "Endpoint Badge"."""

    label: str
    message: str
    color: str
    #: True: shields.io draws it in this color whatever the address says.
    isError: bool  # noqa: N815 - shields.io's own spelling
    schemaVersion: int = 1  # noqa: N815


_COLORS = {
    BadgeStatus.UP: "brightgreen",
    BadgeStatus.LATE: "orange",
    BadgeStatus.BLOCKED: "orange",
    BadgeStatus.DOWN: "red",
    BadgeStatus.MAINTENANCE: "blue",
}


def shields_endpoint(badge: ShownBadge) -> ShieldsEndpoint:
    color = _COLORS.get(badge.status, "lightgrey")
    return ShieldsEndpoint(badge.label, badge.status.value, color, badge.status is BadgeStatus.DOWN)
