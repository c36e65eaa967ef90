"""Which alerts share a message, and how long the first of them wait for the others.

When a machine dies, its crons go down within seconds of each other, and are found by functions that work side by
side. A few are told at once. From the fifth on within ten seconds, they wait until ten seconds after the first of
them, and then share one message, whatever found them. It is the same for crons that come up again.
"""

from collections.abc import Collection, Iterable, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from chalicelib.domain.alerts.alert import Alert, is_down, is_recovery

GROUPED_FROM = 5
TOGETHER = timedelta(seconds=10)
# How long the first recovery of an outage waits for the others: their jobs run at times of their own.
RECOVERED_TOGETHER = timedelta(minutes=2)
# What a receiver takes in one request, and a function sends in its time.
MOST_IN_A_MESSAGE = 1000

AlertKey = tuple[str, str]


class Side(StrEnum):
    DOWN = "down"
    UP = "up"


class Gathering(NamedTuple):
    """What a channel gathers of one side, and what it told of it just before."""

    #: When the message that is being gathered is due; None while none is.
    until: datetime | None = None
    #: When the last message was sent.
    told_at: datetime | None = None
    #: How many crons it told of, with those of the messages just before it.
    told: int = 0

    def is_over(self, now: datetime) -> bool:
        """Whether what was gathered is to be sent now."""
        return self.until is not None and self.until <= now

    def told_lately(self, now: datetime) -> int:
        return self.told if self.told_at is not None and now - self.told_at < TOGETHER else 0


class Shared(NamedTuple):
    """What one message tells, and all that it told when it was tried first: its id is made of these."""

    alerts: tuple[Alert, ...]
    members: tuple[AlertKey, ...]


def side_of(alert: Alert) -> Side | None:
    if is_down(alert):
        return Side.DOWN
    return Side.UP if is_recovery(alert) else None


def waits_until(gathering: Gathering, count: int, now: datetime) -> datetime | None:
    """When so many new alerts are sent together with others; None when they are sent at once."""
    if gathering.is_over(now):
        return None
    if gathering.until is not None and gathering.until <= now + TOGETHER:
        return gathering.until
    if count + gathering.told_lately(now) < GROUPED_FROM:
        return None
    return now + TOGETHER


def recovery_waits_until(gathering: Gathering, now: datetime) -> datetime | None:
    """When the recoveries of an outage are sent; None when they are sent at once."""
    if gathering.is_over(now):
        return None
    return gathering.until or now + RECOVERED_TOGETHER


def after_telling(gathering: Gathering, count: int, now: datetime) -> Gathering:
    return gathering._replace(told_at=now, told=gathering.told_lately(now) + count)


def messages_for(
    alerts: Iterable[Alert],
    groups: Sequence[tuple[AlertKey, ...]],
    tried_alone: AbstractSet[AlertKey],
    gathered: Collection[Side],
) -> list[Shared]:
    """Returns what each message tells of alerts that are to be sent now, in order.

    groups: what shared a message that was, or may have been, tried: it stays together and takes in no other, as a
    receiver knows it by its id. gathered: the sides whose alerts have waited for each other.
    """
    left = {alert.key: alert for alert in sorted(alerts, key=_place)}
    of_groups = ([left.pop(key) for key in members if key in left] for members in groups)
    found = [
        Shared(tuple(of_group), members) for of_group, members in zip(of_groups, groups, strict=True) if of_group
    ]
    for side in Side:
        new = [alert for key, alert in left.items() if key not in tried_alone and side_of(alert) is side]
        if len(new) >= (2 if side in gathered else GROUPED_FROM):
            found += _in_messages(new)
    told = {key for one in found for key in one.members}
    found += [Shared((alert,), (key,)) for key, alert in left.items() if key not in told]
    return sorted(found, key=lambda one: one.alerts[0].place)


def _in_messages(alerts: Sequence[Alert]) -> Iterable[Shared]:
    for start in range(0, len(alerts), MOST_IN_A_MESSAGE):
        together = tuple(alerts[start : start + MOST_IN_A_MESSAGE])
        yield Shared(together, tuple(alert.key for alert in together))


def _place(alert: Alert) -> tuple[str, str]:
    return alert.place
