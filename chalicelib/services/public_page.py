"""A status page as anyone sees it: names and states, and nothing that leads to a cron."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from chalicelib.domain.errors import NotFound
from chalicelib.domain.monitor.cron import Cron, Reason
from chalicelib.domain.monitor.incident import NamedIncident
from chalicelib.domain.monitor.maintenance import MaintenanceWindow, covering, in_maintenance, next_spans
from chalicelib.domain.public.badge import BadgeStatus, status_of_cron
from chalicelib.domain.public.status_page import StatusPage, is_secret_path
from chalicelib.domain.public.uptime import DAYS, Uptime, uptime
from chalicelib.domain.runs.counts import DailyCounts
from chalicelib.services.crons import shown_in
from chalicelib.store import crons, incidents, orgs, status_pages
from chalicelib.store.daily_counts import days_between
from chalicelib.store.maintenance import maintenance_windows_of_org

#: How far back incidents are shown, and how far ahead maintenance is.
LOOKS_BACK = LOOKS_AHEAD = timedelta(days=14)
_MOST_INCIDENTS = 300
_SPANS_PER_WINDOW = 3
_MOST_SPANS = 20
# Days that are over hardly change: they are read again after a while, and not for every visitor.
_DAYS_KEPT = timedelta(minutes=10)
_MOST_KEPT = 2000


class ShownCron(NamedTuple):
    name: str
    group: str | None
    status: BadgeStatus
    #: Since when it is down; None while it is not.
    down_since: datetime | None
    #: None: the page does not show it.
    uptime: Uptime | None


class ShownIncident(NamedTuple):
    #: The same each time, and nothing that the API knows.
    key: str
    name: str
    reason: Reason
    opened_at: datetime
    resolved_at: datetime | None


class ShownMaintenance(NamedTuple):
    key: str
    #: Of the crons that it covers.
    names: tuple[str, ...]
    starts_at: datetime
    ends_at: datetime


class PublicPage(NamedTuple):
    page: StatusPage
    #: When this was so.
    at: datetime
    crons: tuple[ShownCron, ...]
    #: Latest first; open ones among them.
    incidents: tuple[ShownIncident, ...]
    #: Earliest first; what is going on among it.
    maintenance: tuple[ShownMaintenance, ...]

    def count(self, *statuses: BadgeStatus) -> int:
        return sum(one.status in statuses for one in self.crons)


def find_page(path: str) -> StatusPage:
    """The page at an unguessable path, or at an org's slug. Raises NotFound."""
    page = status_pages.find_page_by_path(path) if is_secret_path(path) else None
    if page is None:
        # A slug may look like a path.
        org = orgs.find_org_by_slug(path) if len(path) <= _LONGEST_SLUG else None
        pages = [] if org is None else status_pages.pages_of_org(org.id)
        page = next((one for one in pages if one.path is None), None)
    if page is None:
        raise NotFound("no such status page")
    return page


_LONGEST_SLUG = 63


def look(path: str, now: datetime, *, with_uptime: bool = True) -> PublicPage:
    """Returns what a page shows now. Raises NotFound."""
    page = find_page(path)
    found = crons.find_crons(page.org_id, (one.cron_id for one in page.crons))
    known = {cron_id: cron for cron_id, cron in found.items() if cron.archived_at is None}
    names = {one.cron_id: one.name or known[one.cron_id].name for one in page.crons if one.cron_id in known}
    windows = maintenance_windows_of_org(page.org_id) if known else []
    look = _Look(page, now, known, names, windows)
    return PublicPage(
        page,
        now,
        tuple(_crons(look, with_uptime=with_uptime and page.show_uptime)),
        tuple(_incidents(look)) if page.show_incidents and known else (),
        tuple(_maintenance(look)) if page.show_maintenance else (),
    )


class _Look(NamedTuple):
    page: StatusPage
    now: datetime
    #: The crons of the page that are there, by id.
    crons: Mapping[str, Cron]
    #: The names that are shown, by id of the cron.
    names: Mapping[str, str]
    windows: Sequence[MaintenanceWindow]

    def key(self, *parts: str) -> str:
        """Of what an id says, nothing is left."""
        text = "\0".join((self.page.id, *parts))
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _crons(look: _Look, *, with_uptime: bool) -> Iterable[ShownCron]:
    for entry in look.page.crons:
        cron = look.crons.get(entry.cron_id)
        if cron is not None:
            status = status_of_cron(shown_in(cron, look.now, look.windows))
            is_down = status is BadgeStatus.DOWN and cron.incident is not None
            yield ShownCron(
                look.names[cron.id],
                entry.group,
                status,
                cron.incident.opened_at if is_down and cron.incident else None,
                uptime(_days(cron, look.now), look.now.date()) if with_uptime else None,
            )


def _incidents(look: _Look) -> Iterable[ShownIncident]:
    recent = incidents.incidents_since(look.page.org_id, look.now - LOOKS_BACK, _MOST_INCIDENTS)
    there = {one.incident.id for one in recent}
    # An incident that is open is shown however long ago it opened.
    older = [
        _Opened(cron.id, cron.incident.id, cron.reason, cron.incident.opened_at, None)
        for cron in look.crons.values()
        if cron.incident is not None and cron.reason is not None and cron.incident.id not in there
    ]
    opened = [*map(_opened, recent), *older]
    for one in sorted(opened, key=lambda one: (one.opened_at, one.id), reverse=True):
        cron = look.crons.get(one.cron_id)
        # What maintenance hid when it happened stays hidden.
        if cron is not None and not _was_hidden(look, cron, one):
            key = look.key("incident", one.id)
            yield ShownIncident(key, look.names[cron.id], one.reason, one.opened_at, one.resolved_at)


class _Opened(NamedTuple):
    cron_id: str
    id: str
    reason: Reason
    opened_at: datetime
    resolved_at: datetime | None


def _opened(one: NamedIncident) -> _Opened:
    incident = one.incident
    return _Opened(incident.cron_id, incident.id, incident.reason, incident.opened_at, incident.resolved_at)


def _was_hidden(look: _Look, cron: Cron, one: _Opened) -> bool:
    if cron.incident is not None and cron.incident.id == one.id:
        return cron.incident.held
    return in_maintenance(covering(look.windows, cron), one.opened_at)


def _maintenance(look: _Look) -> Sequence[ShownMaintenance]:
    found = []
    for window in look.windows:
        names = tuple(look.names[cron.id] for cron in look.crons.values() if covering([window], cron))
        if not names:
            continue
        for starts_at, ends_at in next_spans(window, look.now, _SPANS_PER_WINDOW):
            if starts_at <= look.now + LOOKS_AHEAD:
                key = look.key("maintenance", window.id, starts_at.isoformat())
                found.append(ShownMaintenance(key, names, starts_at, ends_at))
    return sorted(found, key=lambda one: (one.starts_at, one.ends_at))[:_MOST_SPANS]


class _Kept(NamedTuple):
    read_at: datetime
    #: The day that was still in the cron then.
    today: date | None
    days: list[DailyCounts]


_kept: dict[str, _Kept] = {}


def _days(cron: Cron, now: datetime) -> list[DailyCounts]:
    """Returns the counts of the last 90 days; today's are in the cron."""
    today = None if cron.today is None else cron.today.day
    kept = _kept.get(cron.id)
    if kept is None or kept.today != today or not kept.read_at <= now < kept.read_at + _DAYS_KEPT:
        if len(_kept) >= _MOST_KEPT:
            _kept.clear()
        first = now.date() - timedelta(days=DAYS - 1)
        kept = _kept[cron.id] = _Kept(now, today, days_between(cron.id, first, now.date()))
    rest = [day for day in kept.days if day.day != today]
    return rest if cron.today is None else [*rest, cron.today]


def forget() -> None:
    """Forgets the days that were kept, as a new function would start."""
    _kept.clear()
