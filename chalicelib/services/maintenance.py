"""Maintenance windows as people handle them."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from chalicelib.domain.errors import Conflict, FieldError, Invalid, NotFound
from chalicelib.domain.ids import is_timed_id, org_of, timed_id
from chalicelib.domain.monitor.maintenance import MaintenanceWindow, faults, is_active
from chalicelib.services.paging import page_of
from chalicelib.services.retries import retry_on_conflict
from chalicelib.store import crons, maintenance

MOST_WINDOWS = 200


def create(org_id: str, given: dict[str, Any], now: datetime) -> MaintenanceWindow:
    """Raises Invalid; Conflict where the org has 200 windows that are not over.

    What is over makes room, the longest over first: who makes a window at each deployment, by a
    script, never has to clean up.
    """
    window = MaintenanceWindow(org_id, timed_id(now, secrets.token_bytes(10)), created_at=now, **given)
    _require_sound(window)
    _require_crons(org_id, window.cron_ids)
    _make_room(org_id, now)
    return maintenance.save_window(window)


def _make_room(org_id: str, now: datetime) -> None:
    held = maintenance.maintenance_windows_of_org(org_id)
    if len(held) < MOST_WINDOWS:
        return
    first = min(held, key=lambda window: window.until)
    if first.until > now:
        raise Conflict(f"an org has at most {MOST_WINDOWS} maintenance windows")
    maintenance.delete_window(org_id, first.id)


def list_windows(
    org_id: str, active: bool | None, limit: int, after: str | None, now: datetime
) -> tuple[list[MaintenanceWindow], str | None]:
    """The next `limit` windows, oldest first; and behind which id to go on, None at the end."""
    held = maintenance.maintenance_windows_of_org(org_id)
    return page_of((window for window in held if active in (None, is_active(window, now))), limit, after)


def find(org_id: str, window_id: str) -> MaintenanceWindow:
    """Raises NotFound."""
    window = maintenance.find_window(org_id, window_id) if is_timed_id(window_id) else None
    if window is None:
        raise NotFound("no such maintenance window")
    return window


def change(org_id: str, window_id: str, given: dict[str, Any], now: datetime) -> MaintenanceWindow:
    """Changes what is given. Raises NotFound, Invalid."""

    def once() -> MaintenanceWindow:
        window = find(org_id, window_id)._replace(**given)
        _require_sound(window)
        _require_crons(org_id, given.get("cron_ids", ()))
        return maintenance.save_window(window)

    changed = retry_on_conflict(once)
    _look_again(org_id, now)
    return changed


def delete(org_id: str, window_id: str, now: datetime) -> None:
    """Raises NotFound."""
    there = is_timed_id(window_id) and maintenance.delete_window(org_id, window_id)
    # Also where it is gone: an earlier try may have been cut off right after it.
    _look_again(org_id, now)
    if not there:
        raise NotFound("no such maintenance window")


def _look_again(org_id: str, now: datetime) -> None:
    """The next tick decides again what is to be told of crons that maintenance held."""
    for cron in crons.crons_of_org(org_id):
        if cron.held_until is not None:
            crons.put_off(org_id, cron.id, now)


def _require_sound(window: MaintenanceWindow) -> None:
    errors = faults(window)
    if errors:
        raise Invalid(*errors)


def _require_crons(org_id: str, ids: Sequence[str]) -> None:
    """Raises Invalid for those that are no crons of this org."""
    own = [cron_id for cron_id in ids if org_of(cron_id) == org_id]
    known = crons.find_crons(org_id, own) if own else {}
    errors = [
        FieldError(f"cron_ids[{place}]", "is not a cron of this org")
        for place, cron_id in enumerate(ids)
        if cron_id not in known
    ]
    if errors:
        raise Invalid(*errors)
