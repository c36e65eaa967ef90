"""How many requests came lately, counted in the store so that it holds across functions."""

from datetime import datetime

from chalicelib.store.errors import store_errors
from chalicelib.store.tables import ThrottleItem


def add_uses(key: str, uses: int, expires_at: datetime) -> int:
    """Counts `uses` more under a key; returns how many that makes."""
    item = ThrottleItem(key)
    with store_errors():
        item.update(
            [
                ThrottleItem.used.set((ThrottleItem.used | 0) + uses),
                ThrottleItem.expires_at.set(expires_at),
            ]
        )
    return int(item.used)
