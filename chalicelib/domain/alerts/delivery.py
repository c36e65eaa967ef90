"""A delivery: one alert over one channel, tried until it arrives, is refused, or a day is over."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

GIVEN_UP_AFTER = timedelta(hours=24)
# After the first try, the second, …; later ones an hour apart.
_PAUSES = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10), timedelta(hours=1))
_LONGEST_PAUSE = _PAUSES[-1]


class DeliveryState(StrEnum):
    """How far a delivery is. MERGED: a later alert's message said it as well."""

    PENDING = "pending"
    DELIVERED = "delivered"
    MERGED = "merged"
    REFUSED = "refused"
    GIVEN_UP = "given_up"


class TryResult(StrEnum):
    """What came of one try. REFUSED: it will never be taken."""

    DELIVERED = "delivered"
    LATER = "later"
    REFUSED = "refused"


class Delivery(NamedTuple):
    state: DeliveryState = DeliveryState.PENDING
    #: Tries so far.
    attempts: int = 0
    #: When it is tried again, while pending.
    next_at: datetime | None = None
    tried_at: datetime | None = None
    error: str | None = None

    @property
    def is_pending(self) -> bool:
        return self.state is DeliveryState.PENDING


class Try(NamedTuple):
    """One try to deliver an alert."""

    result: TryResult
    at: datetime
    error: str | None = None
    #: How long the receiver asks to wait; heeded up to the day's end.
    retry_after: timedelta | None = None
    #: How many tries over the channel failed in a row, this one included. What takes the place of an earlier
    #: alert goes on with its pauses by that, and does not start over.
    failures: int = 0


def tried(delivery: Delivery, one: Try, first_due_at: datetime) -> Delivery:
    """Returns a delivery after one more try."""
    result, now, error, retry_after, failures = one
    attempts = delivery.attempts + 1
    if result is TryResult.DELIVERED:
        return Delivery(DeliveryState.DELIVERED, attempts, None, now)
    if result is TryResult.REFUSED:
        return Delivery(DeliveryState.REFUSED, attempts, None, now, error)
    pause = max(pause_after(max(attempts, failures)), retry_after or timedelta())
    last_try = first_due_at + GIVEN_UP_AFTER
    if now >= last_try:
        return given_up(delivery._replace(attempts=attempts), one)
    return Delivery(DeliveryState.PENDING, attempts, min(now + pause, last_try), now, error)


def given_up(delivery: Delivery, one: Try) -> Delivery:
    """Returns a delivery that is not tried again, after a try of it or of another over the same channel."""
    return Delivery(DeliveryState.GIVEN_UP, delivery.attempts, None, one.at, one.error)


def pause_after(attempts: int) -> timedelta:
    return _PAUSES[attempts - 1] if attempts <= len(_PAUSES) else _LONGEST_PAUSE
