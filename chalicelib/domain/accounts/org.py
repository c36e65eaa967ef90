"""An org, and when its first key can be claimed."""

from datetime import datetime, timedelta
from typing import NamedTuple

#: How long a new org's first key can be claimed without a key.
CLAIM_WITHIN = timedelta(hours=1)


class Org(NamedTuple):
    """had_key: whether there ever was a key."""

    id: str
    slug: str
    name: str
    created_at: datetime
    had_key: bool = False

    def lets_claim(self, now: datetime) -> bool:
        """Whether the first key can be had without a key."""
        return not self.had_key and now - self.created_at <= CLAIM_WITHIN
