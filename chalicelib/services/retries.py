"""Load, decide and commit again, a few times, when another request wrote first."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from chalicelib.domain.errors import CHANGED_MEANWHILE, ConcurrentUpdate, Unavailable

T = TypeVar("T")

TRIES = 10
_LONGEST_PAUSE_SECONDS = 0.4


def retry_on_conflict(attempt: Callable[[], T]) -> T:
    """Returns the result of the first attempt without a conflict. Raises Unavailable after ten."""
    for tried in range(TRIES):
        try:
            return attempt()
        except ConcurrentUpdate:
            # Full jitter, so that those who raced once do not race again in step.
            longest = min(_LONGEST_PAUSE_SECONDS, 0.01 * 2**tried)
            time.sleep(random.uniform(0, longest))  # noqa: S311 - not a secret
    raise Unavailable(CHANGED_MEANWHILE)
