"""The pages on which status pages are composed."""

from collections.abc import Callable
from typing import Any, NamedTuple

from chalice.app import Response

from chalicelib.api.http.reading import read
from chalicelib.api.pages.form import errors_by_field, sentence
from chalicelib.api.pages.language import language_of
from chalicelib.api.pages.status_page_form import (
    arranged,
    errors_in_rows,
    page_values,
    request_of,
    rows_of,
    typed_values,
)
from chalicelib.api.pages.visit import READS, WRITES, Visit, page
from chalicelib.api.pages.words import Words
from chalicelib.api.schemas.status_pages import ChangeStatusPage, CreateStatusPage, StatusPageOut
from chalicelib.domain.accounts.permissions import Action
from chalicelib.domain.errors import CronHubError, Invalid
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
    words = Words(language_of(visit.call), visit.call.now)
    listed, _ = status_pages.list_pages(visit.org_id, Page(1000))
    views = [{**_view(visit, one), "crons": _number(words, one)} for one in listed]
    return visit.page("status_pages/list.html", {"pages": views})


def _view(visit: Visit, found: StatusPage) -> dict[str, Any]:
    out = StatusPageOut.of(found, visit.org.slug)
    path = f"status/{found.path or visit.org.slug}"
    return {"id": out.id, "title": out.title, "url": out.url, "feed_url": out.feed_url, "path": path}


def _number(words: Words, found: StatusPage) -> str:
    return words.number_of("%(num)s cron", "%(num)s crons", len(found.crons))


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
    words = Words(language_of(visit.call), visit.call.now)
    groups = overview.overview(visit.org_id, CronFilters(), Order.NAME, visit.call.now).groups
    rows = _rows(visit, filled.cron_ids, groups)
    if error is None:
        # What is deleted is shown to nobody. It leaves the page when it is saved.
        rows = [(cron_id, cron) for cron_id, cron in rows if cron is not None]
    wrong = error if isinstance(error, Invalid) else None
    return visit.page(
        "status_pages/page.html",
        {
            "held": held,
            "view": _view(visit, held) if held else None,
            "number": _number(words, held) if held else "",
            "slug_url": f"{base_url()}/status/{visit.org.slug}",
            "rows": rows,
            "groups": _to_pick(groups, filled.cron_ids),
            "is_open": sum(len(group.crons) for group in groups) <= _FEW_CRONS,
            "values": filled.values,
            "errors": errors_by_field(wrong) if wrong else {},
            "trouble": sentence(words._(str(error))) if error and not wrong else None,
        },
        200 if error is None else 422,
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

    def create(request: dict[str, Any]) -> Response:
        wanted = read(CreateStatusPage, request)
        made = status_pages.create(visit.org_id, wanted.title, wanted.changes(), visit.call.now)
        return visit.to(f"status-pages/{made.id}", "created")

    return _added_or_saved(visit, None, create)


def _added_or_saved(visit: Visit, held: StatusPage | None, save: Callable[[dict[str, Any]], Response]) -> Response:
    """Shows the form with the crons that were picked, or saves it; what is wrong is shown in it."""
    form = visit.form
    try:
        cron_ids = arranged(form)
        if form.text("do") == "add":
            return _form(visit, held, _added(visit, cron_ids), None)
        with errors_in_rows(cron_ids):
            return save(request_of(form, cron_ids))
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

    def change(request: dict[str, Any]) -> Response:
        status_pages.change(visit.org_id, page_id, read(ChangeStatusPage, request).changes())
        return visit.to(f"status-pages/{page_id}", "saved")

    return _added_or_saved(visit, held, change)
