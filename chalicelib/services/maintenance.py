"""Maintenance windows as people handle them."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from msgspec import UNSET, UnsetType

from chalicelib.domain.errors import Conflict, FieldError, Invalid, NotFound
from chalicelib.domain.ids import is_timed_id, org_of, timed_id
from chalicelib.domain.monitor.maintenance import MaintenanceWindow, faults, is_active
from chalicelib.services import projects
from chalicelib.services.changes import changed
from chalicelib.services.paging import Page, page_of
from chalicelib.services.retries import retry_on_conflict
from chalicelib.store import crons, maintenance

MOST_WINDOWS = 200


class WindowChanges(NamedTuple):
    """UNSET: stays as it is. What a new window does not set has its usual value."""

    name: str | UnsetType = UNSET
    starts_at: datetime | UnsetType | None = UNSET
    ends_at: datetime | UnsetType | None = UNSET
    schedule: str | UnsetType | None = UNSET
    timezone: str | UnsetType = UNSET
    duration_minutes: int | UnsetType | None = UNSET
    product: str | UnsetType | None = UNSET
    service: str | UnsetType | None = UNSET
    project_id: str | UnsetType | None = UNSET
    tags: tuple[str, ...] | UnsetType = UNSET
    cron_ids: tuple[str, ...] | UnsetType = UNSET


def create(org_id: str, name: str, given: WindowChanges, now: datetime) -> MaintenanceWindow:
    """Raises Invalid; Conflict where the org has 200 windows that are not over.

    What is over makes room, the longest over first: who makes a window at each deployment, by a
    script, never has to clean up.
    """
    window = changed(MaintenanceWindow(org_id, timed_id(now, secrets.token_bytes(10)), name, now), given)
    _require_sound(window)
    _require_known(org_id, window.cron_ids, window.project_id)
    _make_room(org_id, now)
    return maintenance.save_window(window)


def _make_room(org_id: str, now: datetime) -> None:
    held = maintenance.maintenance_windows_of_org(org_id)
    if len(held) < MOST_WINDOWS:
        return
    first = min(held, key=lambda window: window.until)
    if first.until > now:
        raise Conflict(f"an organization has at most {MOST_WINDOWS} maintenance windows; delete some first")
    maintenance.delete_window(org_id, first.id)


def list_windows(
    org_id: str, active: bool | None, page: Page, now: datetime
) -> tuple[list[MaintenanceWindow], str | None]:
    """A page of windows, oldest first; and the next page's cursor, None at the end."""
    held = maintenance.maintenance_windows_of_org(org_id)
    return page_of((window for window in held if active in (None, is_active(window, now))), page)


def find(org_id: str, window_id: str) -> MaintenanceWindow:
    """Raises NotFound."""
    window = maintenance.find_window(org_id, window_id) if is_timed_id(window_id) else None
    if window is None:
        raise NotFound("no such maintenance window")
    return window


def change(org_id: str, window_id: str, given: WindowChanges, now: datetime) -> MaintenanceWindow:
    """Changes what is given. Raises NotFound, Invalid."""

    def once() -> MaintenanceWindow:
        window = changed(find(org_id, window_id), given)
        _require_sound(window)
        _require_known(org_id, given.cron_ids or (), given.project_id)
        return maintenance.save_window(window)

    after = retry_on_conflict(once)
    _look_again(org_id, now)
    return after


def delete(org_id: str, window_id: str, now: datetime) -> None:
    """Raises NotFound."""
    there = is_timed_id(window_id) and maintenance.delete_window(org_id, window_id)
    # Also where it is gone: an earlier try may have been cut off right after it.
    _look_again(org_id, now)
    if not there:
        raise NotFound("no such maintenance window")


def _look_again(org_id: str, now: datetime) -> None:
    """Lets the next tick decide again what to announce about crons that maintenance held."""
    for cron in crons.crons_of_org(org_id):
        if cron.held_until is not None:
            crons.put_off(org_id, cron.id, now)


def _require_sound(window: MaintenanceWindow) -> None:
    errors = faults(window)
    if errors:
        raise Invalid(*errors)


def _require_known(org_id: str, ids: Sequence[str], project_id: str | UnsetType | None) -> None:
    """Raises Invalid for crons and a project that this org does not have."""
    own = [cron_id for cron_id in ids if org_of(cron_id) == org_id]
    known = crons.find_crons(org_id, own) if own else {}
    errors = [
        FieldError(f"cron_ids[{place}]", "is not a cron of this organization")
        for place, cron_id in enumerate(ids)
        if cron_id not in known
    ]
    errors += projects.faults(org_id, [("project_id", project_id)])
    if errors:
        raise Invalid(*errors)
