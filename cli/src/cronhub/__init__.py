"""CronHub's command line tool, and a decorator and context manager for jobs in Python.

>>> import cronhub
>>> with cronhub.monitor("shop/nightly/backup"):
...     back_up()
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cronhub.monitoring import Blocked, monitor

__version__ = "0.3.0"
__all__ = ["Blocked", "__version__", "monitor"]


def __getattr__(name: str) -> object:
    """Loads what a job uses only where it is used: the command line tool must start quickly."""
    if name in ("Blocked", "monitor"):
        from cronhub import monitoring

        return getattr(monitoring, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
