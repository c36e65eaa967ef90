"""The pages on which status pages are composed."""

from collections.abc import Callable
from typing import NamedTuple

from chalice.app import Response

from chalicelib.api.pages.status_page_form import (
    arranged,
    changes_of,
    errors_in_rows,
    new_page_of,
    page_values,
    rows_of,
    typed_values,
)
from chalicelib.api.pages.visit import READS, WRITES, Visit, page
from chalicelib.domain.accounts.permissions import Action
from chalicelib.domain.errors import CronHubError
from chalicelib.domain.ids import org_of
from chalicelib.domain.monitor.cron import Cron
from chalicelib.domain.public.status_page import PageAddress, StatusPage
from chalicelib.services import overview, status_pages
from chalicelib.services.crons import CronFilters
from chalicelib.services.overview import Group, Order
from chalicelib.services.paging import Page
from chalicelib.settings import base_url

#: With more crons, the groups to pick from are folded.
_FEW_CRONS = 30


@page(READS, "/status-pages")
def status_pages_page(visit: Visit) -> Response:
    """The status pages of the org"""
    listed, _ = status_pages.list_pages(visit.org_id, Page(1000))
    return visit.page("status_pages/list.html", {"pages": [_view(visit, one) for one in listed]})


class View(NamedTuple):
    """A status page as our own pages show it."""

    id: str
    title: str
    #: Its path here, and its whole address.
    path: str
    url: str
    #: How many crons it shows.
    number: str


def _view(visit: Visit, found: StatusPage) -> View:
    path = f"status/{found.path or visit.org.slug}"
    number = visit.words.number_of("%(num)s cron", "%(num)s crons", len(found.crons))
    return View(found.id, found.title, path, f"{base_url()}/{path}", number)


@page(READS, "/status-pages/new", action=Action.ADMIN)
def new_status_page(visit: Visit) -> Response:
    """The form of a new status page"""
    listed, _ = status_pages.list_pages(visit.org_id, Page(1000))
    is_slug_taken = any(one.address is PageAddress.SLUG for one in listed)
    values = page_values(None, PageAddress.SECRET if is_slug_taken else PageAddress.SLUG)
    return _form(visit, None, Filled(values, []), None)


class Filled(NamedTuple):
    """A form with what is in its fields."""

    values: dict[str, str]
    #: The crons of its rows.
    cron_ids: list[str]


def _form(visit: Visit, held: StatusPage | None, filled: Filled, error: CronHubError | None) -> Response:
    groups = overview.overview(visit.org_id, CronFilters(), Order.NAME, visit.call.now).groups
    rows = _rows(visit, filled.cron_ids, groups)
    if error is None:
        # What is deleted is shown to nobody. It leaves the page when it is saved.
        rows = [(cron_id, cron) for cron_id, cron in rows if cron is not None]
    return visit.page(
        "status_pages/page.html",
        {
            "held": held,
            "view": _view(visit, held) if held else None,
            "slug_url": f"{base_url()}/status/{visit.org.slug}",
            "rows": rows,
            "groups": _to_pick(groups, filled.cron_ids),
            "is_open": sum(len(group.crons) for group in groups) <= _FEW_CRONS,
            "values": filled.values,
        },
        error,
    )


def _rows(visit: Visit, cron_ids: list[str], groups: list[Group]) -> list[tuple[str, Cron | None]]:
    """Each cron of the form with its id; None for one that is not there any more."""
    known = {one.cron.id: one.cron for group in groups for one in group.crons}
    # Archived ones are in no group. They stay on the page, and are shown again when they are watched again.
    others = [one for one in cron_ids if one not in known and org_of(one) == visit.org_id]
    if others:
        known |= {one.cron.id: one.cron for one in overview.shown_of(visit.org_id, others, visit.call.now)}
    return [(cron_id, known.get(cron_id)) for cron_id in cron_ids]


def _to_pick(groups: list[Group], cron_ids: list[str]) -> list[tuple[str, list[Cron]]]:
    """The crons that are not on the page, by product and service."""
    taken = set(cron_ids)
    named = (
        (f"{group.product} › {group.service}", [one.cron for one in group.crons if one.cron.id not in taken])
        for group in groups
    )
    return [(name, crons) for name, crons in named if crons]


@page(WRITES, "/status-pages", action=Action.ADMIN)
def create_status_page(visit: Visit) -> Response:
    """Creates a status page"""

    def create(cron_ids: list[str]) -> Response:
        wanted = new_page_of(visit.form, cron_ids)
        made = status_pages.create(visit.org_id, wanted.title, wanted.changes(), visit.call.now)
        return visit.to(f"status-pages/{made.id}", "created")

    return _added_or_saved(visit, None, create)


def _added_or_saved(visit: Visit, held: StatusPage | None, save: Callable[[list[str]], Response]) -> Response:
    """Shows the form with the crons that were picked, or saves it; what is wrong is shown in it."""
    form = visit.form
    try:
        cron_ids = arranged(form)
        if form.text("do") == "add":
            return _form(visit, held, _added(visit, cron_ids), None)
        with errors_in_rows(cron_ids):
            return save(cron_ids)
    except CronHubError as error:
        return _form(visit, held, Filled(typed_values(form), rows_of(form)), error)


def _added(visit: Visit, cron_ids: list[str]) -> Filled:
    """The form as it was sent, with its rows in order."""
    values = typed_values(visit.form)
    return Filled({name: text for name, text in values.items() if not name.startswith("place-")}, cron_ids)


@page(READS, "/status-pages/{page_id}")
def composed_status_page(visit: Visit, page_id: str) -> Response:
    """One status page, and the form to change it"""
    held = status_pages.find(visit.org_id, page_id)
    cron_ids = [one.cron_id for one in held.crons]
    return _form(visit, held, Filled(page_values(held, held.address), cron_ids), None)


@page(WRITES, "/status-pages/{page_id}", action=Action.ADMIN)
def change_status_page(visit: Visit, page_id: str) -> Response:
    """Changes or deletes a status page"""
    form = visit.form
    if form.text("do") == "delete":
        status_pages.delete(visit.org_id, page_id)
        return visit.to("status-pages", "deleted")
    held = status_pages.find(visit.org_id, page_id)
    if form.text("do") not in ("add", "save"):
        return visit.to(f"status-pages/{page_id}")

    def change(cron_ids: list[str]) -> Response:
        status_pages.change(visit.org_id, page_id, changes_of(form, cron_ids).changes())
        return visit.to(f"status-pages/{page_id}", "saved")

    return _added_or_saved(visit, held, change)
