"""Maintenance windows: a handful an org, so that they are read all at once."""

from pynamodb.exceptions import DeleteError

from chalicelib.domain.monitor.maintenance import MaintenanceWindow
from chalicelib.domain.times import from_ms
from chalicelib.store.cron_codec import at_ms, ms
from chalicelib.store.errors import is_unmet, store_errors
from chalicelib.store.reading import get_or_none
from chalicelib.store.tables import MaintenanceWindowItem


def maintenance_windows_of_org(org_id: str) -> list[MaintenanceWindow]:
    """All windows of an org, in the order they were made."""
    with store_errors():
        return [_window(item) for item in MaintenanceWindowItem.query(org_id, consistent_read=True)]


def find_window(org_id: str, window_id: str) -> MaintenanceWindow | None:
    item = get_or_none(MaintenanceWindowItem, org_id, window_id)
    return None if item is None else _window(item)


def save_window(window: MaintenanceWindow) -> MaintenanceWindow:
    """Writes a window that is new, or was loaded; returns it as it now stands.

    Raises ConcurrentUpdate where it has changed since it was loaded.
    """
    saved = window._replace(version=window.version + 1)
    condition = MaintenanceWindowItem.version == window.version if window.version else None
    with store_errors():
        _item(saved).save(condition)
    return saved


def delete_window(org_id: str, window_id: str) -> bool:
    """Whether it was there."""
    with store_errors():
        try:
            MaintenanceWindowItem(org_id, window_id).delete(MaintenanceWindowItem.window_id.exists())
        except DeleteError as error:
            if not is_unmet(error):
                raise
            return False
    return True


def _item(window: MaintenanceWindow) -> MaintenanceWindowItem:
    return MaintenanceWindowItem(
        window.org_id,
        window.id,
        version=window.version,
        name=window.name,
        created_at=ms(window.created_at),
        starts_at=ms(window.starts_at),
        ends_at=ms(window.ends_at),
        schedule=window.schedule,
        timezone=window.timezone,
        duration_minutes=window.duration_minutes,
        product=window.product,
        service=window.service,
        project_id=window.project_id,
        tags=list(window.tags) or None,
        cron_ids=list(window.cron_ids) or None,
    )


def _window(item: MaintenanceWindowItem) -> MaintenanceWindow:
    return MaintenanceWindow(
        org_id=item.org_id,
        id=item.window_id,
        name=item.name,
        created_at=from_ms(int(item.created_at)),
        starts_at=at_ms(item.starts_at),
        ends_at=at_ms(item.ends_at),
        schedule=item.schedule,
        timezone=item.timezone or "UTC",
        duration_minutes=None if item.duration_minutes is None else int(item.duration_minutes),
        product=item.product,
        service=item.service,
        project_id=item.project_id,
        tags=tuple(item.tags or ()),
        cron_ids=tuple(item.cron_ids or ()),
        version=int(item.version),
    )
