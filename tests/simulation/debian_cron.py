"""When Debian's cron would run a job: a slow, plain reading of its rules that shares nothing with CronHub.

Times are whole seconds since the epoch. Checked against the records of the real daemon in tests/data.
"""

import re
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

_NAMES = {
    name: number
    for names, first in (
        ("jan feb mar apr may jun jul aug sep oct nov dec", 1),
        ("sun mon tue wed thu fri sat", 0),
    )
    for number, name in enumerate(names.split(), first)
}
_SHORTHANDS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
}
_BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_EPOCH = date(1970, 1, 1).toordinal()
_DAY = 86400
# A change of the clock this large is a correction: the daemon makes up for nothing.
_CORRECTION = 3 * 3600


class _Stretch(NamedTuple):
    """From `since` to `until` the zone's offset is the same."""

    since: int
    until: int
    offset: int


class _Fields(NamedTuple):
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    both_days: bool
    fixed: bool

    def on_day(self, day: int) -> bool:
        """`day`: a local date, as days since the epoch."""
        at = date.fromordinal(_EPOCH + day)
        in_days, in_weekdays = at.day in self.days, at.isoweekday() % 7 in self.weekdays
        fits = in_days and in_weekdays if self.both_days else in_days or in_weekdays
        return at.month in self.months and fits


def run_times(schedule: str, zone: str, since: int, until: int) -> list[int]:
    """Every time in [since, until) at which the daemon would start the job."""
    if schedule.startswith("@every"):
        raise ValueError("an interval has no times of its own")
    fields = _fields(schedule)
    found: set[int] = set()
    walked_to = None
    for stretch in _stretches(zone, since - 2 * _DAY, until + 2 * _DAY):
        wall_since, wall_until = stretch.since + stretch.offset, stretch.until + stretch.offset
        first = wall_since
        if fields.fixed and walked_to is not None and abs(wall_since - walked_to) < _CORRECTION:
            if wall_since > walked_to and any(_wall_times(fields, walked_to, wall_since)):
                found.add(stretch.since)
            # Wall times that come a second time were served the first time.
            first = max(wall_since, walked_to)
        found.update(wall - stretch.offset for wall in _wall_times(fields, first, wall_until))
        walked_to = wall_until if walked_to is None else max(walked_to, wall_until)
        if not fields.fixed or wall_until < walked_to - _CORRECTION:
            walked_to = wall_until
    return sorted(at for at in found if since <= at < until)


def _wall_times(fields: _Fields, since: int, until: int) -> list[int]:
    times = []
    for day in range(since // _DAY, (until - 1) // _DAY + 1):
        if fields.on_day(day):
            walls = (day * _DAY + hour * 3600 + minute * 60 for hour in fields.hours for minute in fields.minutes)
            times += [wall for wall in walls if since <= wall < until]
    return times


def _fields(schedule: str) -> _Fields:
    texts = _SHORTHANDS.get(schedule, schedule).split()
    minutes, hours, days, months, weekdays = (
        frozenset(_values(text.lower(), low, high)) for text, (low, high) in zip(texts, _BOUNDS, strict=True)
    )
    return _Fields(
        minutes,
        hours,
        days,
        months,
        frozenset(day % 7 for day in weekdays),
        both_days=texts[2].startswith("*") or texts[4].startswith("*"),
        fixed=not texts[0].startswith("*") and not texts[1].startswith("*"),
    )


def _values(text: str, low: int, high: int) -> set[int]:
    found: set[int] = set()
    for item in text.split(","):
        span, _, step = item.partition("/")
        if span == "*":
            first, last = low, high
        else:
            first_text, _, last_text = span.partition("-")
            first = _number(first_text)
            last = _number(last_text) if last_text else first
        found.update(range(first, last + 1, int(step or 1)))
    return found


def _number(text: str) -> int:
    return int(text) if re.fullmatch(r"\d+", text) else _NAMES[text]


@cache
def _stretches(zone: str, since: int, until: int) -> tuple[_Stretch, ...]:
    info = ZoneInfo(zone)
    since -= since % 60
    found = []
    start, offset = since, _offset(info, since)
    for at in range(since, until + 900, 900):
        if _offset(info, at) != offset:
            change = next(minute for minute in range(at - 840, at + 60, 60) if _offset(info, minute) != offset)
            found.append(_Stretch(start, change, offset))
            start, offset = change, _offset(info, change)
    return (*found, _Stretch(start, until, offset))


def _offset(zone: ZoneInfo, at: int) -> int:
    offset = datetime.fromtimestamp(at, UTC).astimezone(zone).utcoffset()
    assert offset is not None
    return offset // timedelta(seconds=1)
