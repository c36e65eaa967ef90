"""A status page as its form has it, and what the form means.

Each cron on the page is a row: a field `cron` with its id, and `name-<id>`, `group-<id>`, `place-<id>` and
`remove-<id>`. `pick` holds the id of a cron that comes behind them.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from chalicelib.api.http.reading import read
from chalicelib.api.pages.form import Form, shown
from chalicelib.api.schemas.status_pages import ChangeStatusPage, CreateStatusPage
from chalicelib.domain.errors import FieldError, Invalid
from chalicelib.domain.public.status_page import PageAddress, StatusPage

_SWITCHES = ("show_uptime", "show_incidents", "show_maintenance")


def page_values(page: StatusPage | None, usual: PageAddress) -> dict[str, str]:
    """The fields of the form; of a new page with the usual values."""
    values = {
        "title": page.title if page else "",
        "description": page.description if page else "",
        "address": (page.address if page else usual).value,
        **{name: "1" if page is None or getattr(page, name) else "" for name in _SWITCHES},
    }
    for one in page.crons if page else ():
        values |= shown({f"name-{one.cron_id}": one.name, f"group-{one.cron_id}": one.group})
    return values


def typed_values(form: Form) -> dict[str, str]:
    """What was typed. A box that is not checked is not sent."""
    return {**dict.fromkeys(_SWITCHES, ""), **form.values()}


def rows_of(form: Form) -> list[str]:
    """The crons of the rows, and those that were picked."""
    return [one for one in dict.fromkeys([*form.all("cron"), *form.all("pick")]) if one]


def arranged(form: Form) -> list[str]:
    """The crons that stay, in the order of their places. Raises Invalid for a place that is no number."""
    typed = form.values()
    placed: list[tuple[float, int, str]] = []
    errors: list[FieldError] = []
    for row, cron_id in enumerate(rows_of(form), 1):
        if typed.get(f"remove-{cron_id}"):
            continue
        place = typed.get(f"place-{cron_id}", "").strip() or str(row)
        if re.fullmatch(r"-?\d{1,9}", place):
            # At one place, what moves up comes before what was there, and what moves down behind it.
            placed.append((int(place), (int(place) > row) - (int(place) < row), cron_id))
        else:
            errors.append(FieldError(f"place-{cron_id}", "must be a whole number"))
    if errors:
        raise Invalid(*errors)
    return [cron_id for _, _, cron_id in sorted(placed, key=lambda one: one[:2])]


def new_page_of(form: Form, cron_ids: list[str]) -> CreateStatusPage:
    """Raises Invalid."""
    return read(CreateStatusPage, _fields(form, cron_ids))


def changes_of(form: Form, cron_ids: list[str]) -> ChangeStatusPage:
    """Raises Invalid."""
    return read(ChangeStatusPage, _fields(form, cron_ids))


def _fields(form: Form, cron_ids: list[str]) -> dict[str, Any]:
    typed = form.values()

    def optional(field: str) -> str | None:
        return typed.get(field, "").strip() or None

    return {
        "title": form.text("title"),
        "description": form.text("description"),
        "address": form.text("address"),
        "crons": [
            {"cron_id": one, "name": optional(f"name-{one}"), "group": optional(f"group-{one}")}
            for one in cron_ids
        ],
        **{name: form.is_set(name) for name in _SWITCHES},
    }


@contextmanager
def errors_in_rows(cron_ids: list[str]) -> Iterator[None]:
    """`crons[2].name` is about the name in the row of the third cron."""
    try:
        yield
    except Invalid as error:
        raise Invalid(*(FieldError(_field(one.field, cron_ids), one.message) for one in error.errors)) from None


def _field(field: str, cron_ids: list[str]) -> str:
    found = re.fullmatch(r"crons\[(\d+)\]\.(\w+)", field)
    return f"{found[2]}-{cron_ids[int(found[1])]}" if found else field
