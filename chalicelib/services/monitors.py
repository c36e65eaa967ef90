"""Crons by their slugs, as clients keep them that know no ids: made or changed, and paused for a time."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from chalicelib.domain.errors import NotFound
from chalicelib.domain.monitor.cron import Cron, Status
from chalicelib.domain.monitor.maintenance import MaintenanceWindow
from chalicelib.services import crons, maintenance, unnamed
from chalicelib.services.crons import Changes, Names, SettingsChanges
from chalicelib.services.first_contact import Home, Wanted, find
from chalicelib.services.maintenance import WindowChanges
from chalicelib.services.paging import Page

_ALL = Page(1000)
_PAUSED_BY_HOURS = "Paused for a time"


class Kept(NamedTuple):
    """How a cron of a slug is to be."""

    org_id: str
    slug: str
    home: Home
    name: str
    #: Its settings, from the cron as it was; None for a new one.
    settings: Callable[[Cron | None], SettingsChanges]


def keep(kept: Kept, now: datetime) -> Cron:
    """Makes the cron of a slug, or changes it. Raises Conflict where several have the slug."""
    cron_id = find(Wanted(kept.org_id, kept.slug, kept.home))
    before = None if cron_id is None else crons.find(kept.org_id, cron_id)
    if before is None or before.archived_at is not None:
        return unnamed.create(kept.org_id, (kept.home, kept.name), kept.settings(None), now)
    names = Names(name=kept.name) if kept.name != before.name else Names()
    return crons.change(kept.org_id, before.id, Changes(names, kept.settings(before)), now)


def find_by_slug(org_id: str, slug: str, home: Home) -> Cron:
    """Raises NotFound; Conflict where several have it."""
    cron_id = find(Wanted(org_id, slug, home))
    found = None if cron_id is None else crons.find(org_id, cron_id)
    if found is None or found.archived_at is not None:
        raise NotFound("not found")
    return found


def pause_for(cron: Cron, hours: float | None, now: datetime) -> None:
    """Pauses a cron; for some hours that is a maintenance window of its own. 0 resumes it."""
    for window in _own_windows(cron, now):
        maintenance.delete(cron.org_id, window.id, now)
    if hours is None:
        crons.pause(cron.org_id, cron.id, now)
        return
    if cron.status is Status.PAUSED:
        crons.resume(cron.org_id, cron.id, now)
    if hours:
        until = now + timedelta(hours=hours)
        span = WindowChanges(starts_at=now, ends_at=until, cron_ids=(cron.id,))
        maintenance.create(cron.org_id, _PAUSED_BY_HOURS, span, now)


def _own_windows(cron: Cron, now: datetime) -> list[MaintenanceWindow]:
    found, _ = maintenance.list_windows(cron.org_id, True, _ALL, now)
    return [one for one in found if one.name == _PAUSED_BY_HOURS and one.cron_ids == (cron.id,)]
