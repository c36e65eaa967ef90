"""Time zones as stretches of time in which the offset to UTC stays the same.

Names and offsets come from the pinned `tzdata` package alone, so that all machines agree.
"""

import zoneinfo
from bisect import bisect_right
from datetime import timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from chalicelib.domain.times import EPOCH

zoneinfo.reset_tzpath(to=[])

_NOT_PLACES = {"Factory", "localtime"}  # the offset of a machine nobody has set up
# No zone changes twice within 6 days (tests pin it), so two looks 3 days apart see every change.
_LOOK = 1 << 18
_BLOCK = _LOOK << 7


class Stretch(NamedTuple):
    """[start, end) in epoch seconds, its offset and the one just before it, in seconds east of UTC.

    Neighbours may have the same offset: stretches are found about a year at a time.
    """

    start: int
    end: int
    offset: int
    offset_before: int


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """Every IANA name of the pinned tzdata, links such as `US/Pacific` included."""
    return frozenset(zoneinfo.available_timezones() - _NOT_PLACES)


def stretch_at(zone: str, at: int) -> Stretch:
    """The stretch of `zone` (one of `zone_names`) that `at`, in epoch seconds, lies in."""
    stretches = _block(zone, at // _BLOCK)
    if len(stretches) == 1:
        return stretches[0]
    return stretches[bisect_right(stretches, at, key=lambda stretch: stretch.start) - 1]


@lru_cache(maxsize=4096)
def _block(zone: str, number: int) -> tuple[Stretch, ...]:
    place = ZoneInfo(zone)
    first, end = number * _BLOCK, (number + 1) * _BLOCK
    start, before, offset = first, _offset(place, first - 1), _offset(place, first)
    stretches = []
    for look in range(first, end, _LOOK):
        seen = _offset(place, look + _LOOK - 1)
        if seen != offset:
            change = _first_with(place, seen, look, look + _LOOK - 1)
            stretches.append(Stretch(start, change, offset, before))
            start, before, offset = change, offset, seen
    return (*stretches, Stretch(start, end, offset, before))


def _first_with(place: ZoneInfo, offset: int, low: int, high: int) -> int:
    """The moment in (low, high] from which `offset` holds, where `low` has another one."""
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(place, middle) == offset:
            high = middle
        else:
            low = middle
    return high


def _offset(place: ZoneInfo, at: int) -> int:
    offset = (EPOCH + timedelta(seconds=at)).astimezone(place).utcoffset() or timedelta()
    return offset.days * 86400 + offset.seconds
