"""The pages of maintenance."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from chalice.app import Response

from chalicelib.api.http.reading import read
from chalicelib.api.pages.cron_rows import schedule_words
from chalicelib.api.pages.form import Form
from chalicelib.api.pages.visit import READS, WRITES, Visit, page
from chalicelib.api.pages.words import Words, iso
from chalicelib.api.schemas.maintenance import ChangeWindow, CreateWindow
from chalicelib.domain.accounts.permissions import Action
from chalicelib.domain.errors import CronHubError
from chalicelib.domain.monitor.maintenance import MaintenanceWindow, next_spans, span_at
from chalicelib.services import maintenance, projects
from chalicelib.services.paging import Page

_STRIP_DAYS = 14
_DAY_WIDTH = 50
_MOST_SPANS = 60
_EMPTY = {
    "name": "",
    "kind": "once",
    "starts_at": "",
    "ends_at": "",
    "timezone": "UTC",
    "schedule": "",
    "duration_minutes": "",
    "product": "",
    "service": "",
    "project_id": "",
    "tags": "",
    "cron_ids": "",
}


@page(READS, "/maintenance")
def maintenance_page(visit: Visit) -> Response:
    """The maintenance windows of the org"""
    return _list(visit, _EMPTY, None)


def _list(visit: Visit, values: dict[str, str], error: CronHubError | None) -> Response:
    words, now = visit.words, visit.call.now
    found, _ = maintenance.list_windows(visit.org_id, None, Page(1000), now)
    views = sorted((_view(words, one) for one in found), key=lambda one: one["order"])
    return visit.page(
        "maintenance/list.html",
        {
            "windows": [one for one in views if not one["over"]],
            "past": [one for one in views if one["over"]][-20:][::-1],
            "strip": _strip(words, found),
            "days": _strip_days(words),
            **_form_values(visit, values),
        },
        error,
    )


def _form_values(visit: Visit, values: dict[str, str]) -> dict[str, Any]:
    listed, _ = projects.list_projects(visit.org_id, Page(1000))
    return {
        "values": values,
        "project_options": [(one.id, one.name) for one in listed],
    }


def _view(words: Words, window: MaintenanceWindow) -> dict[str, Any]:
    current = span_at(window, words.now)
    following = next((span for span in next_spans(window, words.now, 2) if span[0] > words.now), None)
    if current is not None:
        said, at = words._("until %(when)s UTC", when=words.when(current[1])), current[1]
    elif following is not None:
        said, at = words._("starts %(until)s", until=words.until(following[0])), following[0]
    else:
        said, at = words._("is over"), window.until
    return {
        "id": window.id,
        "name": window.name,
        "active": current is not None,
        "over": current is None and following is None,
        "order": words.now if current else at,
        "said": said,
        "at": iso(at),
        "times": _times(words, window),
        "scope": _scope(words, window),
    }


def _times(words: Words, window: MaintenanceWindow) -> str:
    if window.schedule is not None:
        length = words.duration((window.duration_minutes or 0) * 60_000)
        return words._(
            "%(schedule)s, for %(length)s",
            schedule=schedule_words(words, window.schedule, window.timezone),
            length=length,
        )
    return f"{words.when(window.starts_at)} – {words.when(window.ends_at)} UTC"


def _scope(words: Words, window: MaintenanceWindow) -> str:
    parts = [part for part in (window.product, window.service) if part]
    if window.project_id:
        parts.append(words._("project %(id)s", id=window.project_id))
    if window.tags:
        parts.append(words._("tags %(tags)s", tags=", ".join(window.tags)))
    if window.cron_ids:
        parts.append(words.number_of("%(num)s cron", "%(num)s crons", len(window.cron_ids)))
    return " › ".join(parts) or words._("all crons")


class _Bar(NamedTuple):
    x: float
    width: float
    title: str


class _Lane(NamedTuple):
    name: str
    bars: list[_Bar]


def _strip(words: Words, windows: Sequence[MaintenanceWindow]) -> list[_Lane]:
    """The next two weeks, one lane per window."""
    first = datetime.combine(words.now.date(), time(), words.now.tzinfo)
    last = first + timedelta(days=_STRIP_DAYS)
    lanes = []
    for window in windows:
        spans = [span for span in next_spans(window, first, _MOST_SPANS) if span[0] < last and span[1] > first]
        if spans:
            lanes.append(_Lane(window.name, [_bar(words, first, last, span) for span in spans]))
    return lanes[:20]


def _bar(words: Words, first: datetime, last: datetime, span: tuple[datetime, datetime]) -> _Bar:
    begin, end = max(span[0], first), min(span[1], last)
    scale = _DAY_WIDTH / timedelta(days=1).total_seconds()
    width = max(3.0, (end - begin).total_seconds() * scale)
    title = f"{words.when(span[0])} – {words.when(span[1])} UTC"
    return _Bar(round((begin - first).total_seconds() * scale, 1), round(width, 1), title)


def _strip_days(words: Words) -> list[tuple[int, str]]:
    days = (words.now.date() + timedelta(days=number) for number in range(_STRIP_DAYS))
    return [(place * _DAY_WIDTH, f"{day.day}.{day.month}.") for place, day in enumerate(days)]


@page(WRITES, "/maintenance", action=Action.CHANGE)
def create_maintenance(visit: Visit) -> Response:
    """Creates a maintenance window"""
    try:
        wanted = read(CreateWindow, {"name": visit.form.text("name"), **_window_of(visit.form)})
        made = maintenance.create(visit.org_id, wanted.name, wanted.changes(), visit.call.now)
    except CronHubError as error:
        return _list(visit, {**_EMPTY, **visit.form.values()}, error)
    return visit.to(f"maintenance/{made.id}", "created")


def _window_of(form: Form) -> dict[str, Any]:
    """What the form means for a request; what is not of its kind is cleared."""
    repeats = form.text("kind") == "repeating"
    zone = form.text("timezone") or "UTC"
    minutes = form.number("duration_minutes")
    return {
        "starts_at": _moment(form.text("starts_at"), zone),
        "ends_at": _moment(form.text("ends_at"), zone),
        "schedule": form.optional("schedule") if repeats else None,
        "duration_minutes": minutes if repeats else None,
        "timezone": zone,
        "product": form.optional("product"),
        "service": form.optional("service"),
        "project_id": form.optional("project_id"),
        "tags": form.words("tags") or None,
        "cron_ids": form.words("cron_ids") or None,
    }


def _moment(text: str, zone: str) -> str | None:
    """A field of date and time, in the form's zone; what makes no sense stays, for the API's words about it."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).isoformat()
    except (ValueError, OSError, LookupError):
        return text


@page(READS, "/maintenance/{window_id}")
def maintenance_window(visit: Visit, window_id: str) -> Response:
    """One maintenance window, and the form to change it"""
    window = maintenance.find(visit.org_id, window_id)
    return _window(visit, window, _values(window), None)


def _window(
    visit: Visit, window: MaintenanceWindow, values: dict[str, str], error: CronHubError | None
) -> Response:
    words = visit.words
    spans = [
        (words.when(start), iso(start), words.when(end), iso(end))
        for start, end in next_spans(window, words.now, 5)
    ]
    return visit.page(
        "maintenance/window.html",
        {"window": window, "view": _view(words, window), "spans": spans, **_form_values(visit, values)},
        error,
    )


def _values(window: MaintenanceWindow) -> dict[str, str]:
    zone = ZoneInfo(window.timezone)

    def local(at: datetime | None) -> str:
        return "" if at is None else f"{at.astimezone(zone):%Y-%m-%dT%H:%M}"

    return {
        "name": window.name,
        "kind": "repeating" if window.schedule else "once",
        "starts_at": local(window.starts_at),
        "ends_at": local(window.ends_at),
        "timezone": window.timezone,
        "schedule": window.schedule or "",
        "duration_minutes": str(window.duration_minutes or ""),
        "product": window.product or "",
        "service": window.service or "",
        "project_id": window.project_id or "",
        "tags": ", ".join(window.tags),
        "cron_ids": ", ".join(window.cron_ids),
    }


@page(WRITES, "/maintenance/{window_id}", action=Action.CHANGE)
def change_maintenance(visit: Visit, window_id: str) -> Response:
    """Changes, ends or deletes a maintenance window"""
    now = visit.call.now
    if visit.form.text("do") == "delete":
        maintenance.delete(visit.org_id, window_id, now)
        return visit.to("maintenance", "deleted")
    if visit.form.text("do") != "change":
        return visit.to(f"maintenance/{window_id}")
    window = maintenance.find(visit.org_id, window_id)
    try:
        wanted = read(ChangeWindow, {"name": visit.form.text("name"), **_window_of(visit.form)})
        maintenance.change(visit.org_id, window_id, wanted.changes(wanted.name), now)
    except CronHubError as error:
        return _window(visit, window, {**_values(window), **visit.form.values()}, error)
    return visit.to(f"maintenance/{window_id}", "saved")
