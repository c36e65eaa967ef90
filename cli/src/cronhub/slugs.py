"""What a ping by slug calls a cron whose name is this."""

from __future__ import annotations

import re
import unicodedata


def slug_from(name: str) -> str:
    """As CronHub makes it where none was set: `Nightly backup` → `nightly-backup`."""
    ascii_only = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    joined = re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", ascii_only))
    return joined.strip("-_")[:100]
