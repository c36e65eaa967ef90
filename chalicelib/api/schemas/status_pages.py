"""Status pages."""

from datetime import datetime
from typing import Annotated, Self

from msgspec import UNSET, Meta, UnsetType

from chalicelib.api.schemas.values import Answer, Description, Name, Request
from chalicelib.domain.public.status_page import MOST_CRONS, PageAddress, PageCron, StatusPage
from chalicelib.services.status_pages import PageChanges
from chalicelib.settings import base_url


class PageCronIn(Request):
    #: The cron. Its id is not shown.
    cron_id: str
    #: The name that is shown; null: the cron's own.
    name: Name | None = None
    #: The heading that it is shown under; null: none.
    group: Name | None = None


PageCrons = Annotated[tuple[PageCronIn, ...], Meta(max_length=MOST_CRONS)]


class CreateStatusPage(Request):
    #: The title that is shown.
    title: Name
    #: The text below the title.
    description: Description = ""
    #: `slug`: at the organization's slug; it has one such page. `secret`: at a path that nobody can guess.
    address: PageAddress = PageAddress.SLUG
    #: The crons, in the order in which they are shown.
    crons: PageCrons = ()
    #: Whether to show how each cron did on the last 90 days.
    show_uptime: bool = True
    #: Whether to show open incidents and those of the last 14 days.
    show_incidents: bool = True
    #: Whether to show maintenance that goes on or begins within 14 days.
    show_maintenance: bool = True

    def changes(self) -> PageChanges:
        return _changes(self)


class ChangeStatusPage(Request):
    #: The title that is shown.
    title: Name | UnsetType = UNSET
    #: The text below the title.
    description: Description | UnsetType = UNSET
    #: `slug`: at the organization's slug. `secret`: at a new path that nobody can guess, unless it has one.
    address: PageAddress | UnsetType = UNSET
    #: All crons, in the order in which they are shown.
    crons: PageCrons | UnsetType = UNSET
    #: Whether to show how each cron did on the last 90 days.
    show_uptime: bool | UnsetType = UNSET
    #: Whether to show open incidents and those of the last 14 days.
    show_incidents: bool | UnsetType = UNSET
    #: Whether to show maintenance that goes on or begins within 14 days.
    show_maintenance: bool | UnsetType = UNSET

    def changes(self) -> PageChanges:
        return _changes(self)


def _changes(body: CreateStatusPage | ChangeStatusPage) -> PageChanges:
    given = body.crons
    crons = given if isinstance(given, UnsetType) else tuple(PageCron(*_values(one)) for one in given)
    return PageChanges(
        title=body.title,
        description=body.description,
        address=body.address,
        crons=crons,
        show_uptime=body.show_uptime,
        show_incidents=body.show_incidents,
        show_maintenance=body.show_maintenance,
    )


def _values(one: PageCronIn) -> tuple[str, str | None, str | None]:
    return one.cron_id, one.name, one.group


class PageCronOut(Answer):
    #: The cron. Its id is not shown.
    cron_id: str
    #: The name that is shown; null: the cron's own.
    name: str | None
    #: The heading that it is shown under; null: none.
    group: str | None


class StatusPageOut(Answer):
    #: The id, for use in paths. It is not shown.
    id: str
    #: The title that is shown.
    title: str
    #: The text below the title.
    description: str
    #: Where it is.
    address: PageAddress
    #: The page.
    url: str
    #: Its Atom feed.
    feed_url: str
    #: The crons, in the order in which they are shown.
    crons: tuple[PageCronOut, ...]
    #: Whether it shows how each cron did on the last 90 days.
    show_uptime: bool
    #: Whether it shows open incidents and those of the last 14 days.
    show_incidents: bool
    #: Whether it shows maintenance that goes on or begins within 14 days.
    show_maintenance: bool
    #: When it was created.
    created_at: datetime

    @classmethod
    def of(cls, page: StatusPage, slug: str) -> Self:
        url = f"{base_url()}/status/{page.path or slug}"
        return cls(
            id=page.id,
            title=page.title,
            description=page.description,
            address=page.address,
            url=url,
            feed_url=f"{url}/feed",
            crons=tuple(PageCronOut(*one) for one in page.crons),
            show_uptime=page.show_uptime,
            show_incidents=page.show_incidents,
            show_maintenance=page.show_maintenance,
            created_at=page.created_at,
        )


class StatusPageList(Answer):
    #: The status pages of this page of the list.
    status_pages: tuple[StatusPageOut, ...]
    #: Send it as `cursor` for the next page; null at the end.
    next_cursor: str | None
