"""The page of all crons, and what is done to several at once."""

import hashlib
from typing import Any, NamedTuple
from urllib.parse import urlencode

from chalice.app import Response
from msgspec import UNSET

from chalicelib import settings
from chalicelib.api.http.reading import read
from chalicelib.api.http.request import Call
from chalicelib.api.pages.cron_form import cron_values, new_cron_of
from chalicelib.api.pages.cron_rows import row_of, status_label
from chalicelib.api.pages.form import Form, without_prefix
from chalicelib.api.pages.language import chosen_language
from chalicelib.api.pages.visit import READS, WRITES, Visit, open_page, page, visit_of
from chalicelib.api.pages.words import Words
from chalicelib.api.routes.pages.sign_in import first_visit
from chalicelib.api.schemas.crons import ChangeCron
from chalicelib.domain.accounts.permissions import Action
from chalicelib.domain.errors import CronHubError
from chalicelib.domain.monitor.display_status import DisplayStatus
from chalicelib.services import access, overview, projects
from chalicelib.services.crons import CronFilters
from chalicelib.services.overview import Bulk, BulkChange, Group, Order, strip_of
from chalicelib.services.paging import Page
from chalicelib.services.register import create

#: How many crons a page holds whole; the script asks for the others as they come into view.
ROWS = 100
_REFRESH_SECONDS, _LARGE = 15, 300


class _Chosen(NamedTuple):
    """What the address asks for; what makes no sense of it is ignored."""

    status: str
    search: str
    tag: str
    project_id: str
    product: str
    service: str
    order: str

    @classmethod
    def of(cls, call: Call) -> "_Chosen":
        query = call.query
        status = query.get("status", "")
        order = query.get("order", "")
        return cls(
            status=status if status in set(DisplayStatus) else "",
            search=query.get("search", "").strip()[:200],
            tag=query.get("tag", "")[:128],
            project_id=query.get("project_id", "")[:128],
            product=query.get("product", "")[:128],
            service=query.get("service", "")[:128],
            order=order if order in set(Order) else Order.WORST.value,
        )

    def filters(self) -> CronFilters:
        return CronFilters(
            product=self.product or None,
            service=self.service or None,
            search=self.search or None,
            project_id=self.project_id or None,
            status=DisplayStatus(self.status) if self.status else None,
            tag=self.tag or None,
        )

    def address(self, **changes: object) -> str:
        """The same list, with something else chosen."""
        values = {**self._asdict(), "page": "", **{name: str(value) for name, value in changes.items()}}
        if values["order"] == Order.WORST.value:
            values["order"] = ""
        kept = {name: value for name, value in values.items() if value}
        return "?" + urlencode(kept) if kept else ""


@open_page(READS, "/")
def home(call: Call) -> Response:
    """The page of all crons; for who is not signed in, what this is."""
    visit = visit_of(call)
    return first_visit(call) if visit is None else _list(visit)


def _list(visit: Visit) -> Response:
    call, words, chosen = visit.call, visit.words, _Chosen.of(visit.call)
    # Read first: what changes after this is asked for again.
    changes = overview.changes_of(visit.org_id)
    found = overview.overview(visit.org_id, chosen.filters(), Order(chosen.order), call.now)
    number = _page_number(call)
    first = (number - 1) * ROWS
    whole = {one.cron.id for one in found.crons[first : first + ROWS]}
    listed, _ = projects.list_projects(visit.org_id, Page(1000))
    return visit.page(
        "crons/list.html",
        {
            "chosen": chosen,
            "address": chosen.address,
            "filtered": chosen.filters() != CronFilters(),
            "language_asked": chosen_language(call),
            "counters": _counters(words, found.counts),
            "counted": sum(found.counts.values()),
            "total": found.total,
            "down": found.down,
            "tags": found.tags,
            "projects": listed,
            "orders": _orders(words),
            "groups": [_group(words, group, whole) for group in found.groups],
            "pages": -(-len(found.crons) // ROWS),
            "page_number": number,
            "register_curl": _register_curl(),
            "live": _REFRESH_SECONDS,
            # Of many crons only those in view are refreshed, as long as all stand as they did.
            "changes": changes if found.total > _LARGE else None,
        },
    )


def _orders(words: Words) -> list[tuple[str, str]]:
    return [
        (Order.WORST.value, words._("Worst first")),
        (Order.NAME.value, words._("By name")),
        (Order.NEXT.value, words._("Next run first")),
        (Order.LAST.value, words._("Last signal first")),
    ]


def _page_number(call: Call) -> int:
    text = call.query.get("page", "1")
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text[:6]) < 10_000 else 1


def _counters(words: Words, counts: dict[DisplayStatus, int]) -> list[tuple[str, str, int]]:
    return [(status.value, status_label(words, status.value), number) for status, number in counts.items()]


def _group(words: Words, group: Group, whole: set[str]) -> dict[str, Any]:
    key = hashlib.sha256(f"{group.product}\0{group.service}".encode()).hexdigest()[:12]
    return {
        "key": key,
        "product": group.product,
        "service": group.service,
        "counters": _counters(words, group.counts),
        "rows": [row_of(words, one, strip_of(one.cron)) for one in group.crons if one.cron.id in whole],
        "later": [one.cron.id for one in group.crons if one.cron.id not in whole],
    }


def _register_curl() -> str:
    body = '{"product":"shop","service":"nightly","crons":[{"name":"backup","schedule":"0 2 * * *"}]}'
    return (
        f"curl -X POST {settings.base_url()}/api/crons/register -H 'Authorization: Bearer YOUR_KEY' "
        f"-H 'Content-Type: application/json' -d '{body}'"
    )


@page(READS, "/crons")
def named_cron(visit: Visit) -> Response:
    """To the cron of a product, service and name: what alerts link to, as who holds an id can signal with it."""
    query = visit.call.query
    names = [query.get(name, "") for name in ("product", "service", "name")]
    return visit.to(f"crons/{overview.find_named(visit.org_id, *names)}" if any(names) else "")


@page(READS, "/crons/rows")
def cron_rows(visit: Visit) -> Response:
    """Some crons as rows, for the page's script."""
    return _rows(visit, "")


def _rows(visit: Visit, changes: str) -> Response:
    words = visit.words
    ids = visit.call.query.get("ids", "").split(" ")[:ROWS]
    shown = overview.shown_of(visit.org_id, [one for one in ids if one], visit.call.now)
    rows = [row_of(words, one, strip_of(one.cron)) for one in shown]
    return visit.page("crons/fragment.html", {"found": rows, "changes": changes})


@page(READS, "/crons/changes")
def changed_rows(visit: Visit) -> Response:
    """The rows that are in view, for the script of a page with many crons.

    `since` is the number of changes that the page knows. Where it is another one by now, the rows are not enough:
    crons may have come, gone or moved, and the script asks for the whole page.
    """
    changes = str(overview.changes_of(visit.org_id))
    if visit.call.query.get("since", "") != changes:
        return visit.page("crons/fragment.html", {"found": [], "changes": changes})
    return _rows(visit, changes)


@page(READS, "/crons/new", action=Action.INGEST)
def new_cron(visit: Visit) -> Response:
    """The form of a new cron."""
    query = visit.call.query
    known = {name: query.get(name, "") for name in ("product", "service")}
    return _new_form(visit, {**cron_values(None), **{name: value for name, value in known.items() if value}}, None)


def _new_form(visit: Visit, values: dict[str, str], error: CronHubError | None) -> Response:
    listed, _ = projects.list_projects(visit.org_id, Page(1000))
    return visit.page(
        "crons/edit.html",
        {
            "cron": None,
            "values": values,
            "project_options": [(one.id, one.name) for one in listed],
        },
        error,
    )


@page(WRITES, "/crons", action=Action.INGEST)
def change_crons(visit: Visit) -> Response:
    """Creates a cron, or does something to several."""
    what = visit.form.text("do")
    if what == "create":
        return _create(visit)
    access.require(visit.key, Action.CHANGE)
    ids = visit.form.all("id")[:1000]
    if what not in set(Bulk) or not ids:
        return visit.to("")
    if what == Bulk.DELETE and not visit.form.is_set("sure"):
        found = overview.shown_of(visit.org_id, ids, visit.call.now)
        return visit.page("crons/confirm_delete.html", {"found": found, "back": ""})
    tags = _tags_of(visit.form) if what == Bulk.TAG else ()
    if what == Bulk.TAG and not tags:
        return visit.to("")
    overview.do_to_all(visit.org_id, ids, BulkChange(Bulk(what), tags), visit.call.now)
    done = {Bulk.PAUSE: "paused", Bulk.RESUME: "resumed", Bulk.TAG: "tagged", Bulk.DELETE: "deleted"}
    return visit.to("", done[Bulk(what)])


def _tags_of(form: Form) -> tuple[str, ...]:
    """Raises Invalid."""
    wanted = read(ChangeCron, {"tags": form.words("tags")}).tags
    return () if wanted is UNSET or wanted is None else tuple(wanted)


def _create(visit: Visit) -> Response:
    form = visit.form
    try:
        wanted = new_cron_of(form, visit.org.slug)
        cron = create(visit.org_id, wanted.registration(), visit.call.now)
    except CronHubError as error:
        return _new_form(visit, {**cron_values(None), **form.values()}, without_prefix(error, "crons[0]."))
    return visit.to(f"crons/{cron.id}/first") if form.is_set("first") else visit.to(f"crons/{cron.id}", "created")
