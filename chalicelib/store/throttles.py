"""How many requests came lately, counted in the store so that it holds across functions."""

from datetime import datetime, timedelta

from chalicelib.store.errors import store_errors
from chalicelib.store.tables import ThrottleItem


def add_uses(subject: str, window_start: int, uses: int, window: timedelta, now: datetime) -> int:
    """Counts `uses` more in a subject's window; returns how many that makes."""
    item = ThrottleItem(f"{subject}#{window_start}")
    with store_errors():
        item.update(
            [
                ThrottleItem.used.set((ThrottleItem.used | 0) + uses),
                ThrottleItem.expires_at.set(now + 2 * window),
            ]
        )
    return int(item.used)
