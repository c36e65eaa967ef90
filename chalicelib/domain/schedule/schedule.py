"""When a cron is due: cron expressions and plain intervals.

When clocks change, times of day behave as Debian's cron (3.0pl1-162) has them, in every IANA zone.
Its daemon keeps a virtual clock of wall minutes and decides by how far the real wall clock jumped
(cron.c, `main`; cron(8)):

- A job whose minute and hour both do not begin with `*` is a fixed-time job. Its skipped times are
  made up for at once when the clock has jumped, and its repeated ones are not run again.
- Any other job runs by the minutes there really are: skipped ones are skipped, repeated ones
  run twice.
- A jump of less than five minutes is a late wake-up: every job's skipped minutes are made up for.
- A jump of three hours forward, or more than three back, is a clock correction: nothing is made up
  for, nothing is held back.

So each stretch of constant offset answers for one range of wall minutes, and only where that range
begins depends on the jump before it. croniter finds the matching wall minutes and sees no zone.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from chalicelib.domain.schedule.calendar import CalendarSchedule, looks_like_calendar, parse_calendar
from chalicelib.domain.schedule.expression import CronFields, ScheduleError, parse_fields
from chalicelib.domain.schedule.utc_offsets import Stretch, stretch_at, zone_names
from chalicelib.domain.schedule.walk import epoch_seconds, listed, summed
from chalicelib.domain.schedule.wall_clock import MINUTE, count_matches, first_match, last_match
from chalicelib.domain.times import EPOCH

__all__ = [
    "CalendarSchedule",
    "CronSchedule",
    "Interval",
    "Schedule",
    "ScheduleError",
    "TimezoneError",
    "parse_schedule",
]

MAX_LENGTH = 160
MAX_INTERVAL = timedelta(days=366)

_NAMED = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_UNIT_SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_EVERY = re.compile(r"@every ((?:[0-9]+[dhms])+)")
_PRINTABLE = re.compile(r"[\t -~]*")

_END = int((datetime(2901, 1, 1, tzinfo=UTC) - EPOCH).total_seconds())

# Of cron.c's "normal case", "DST begins" and "DST ends": minutes the clock is ahead.
_LATE_WAKE_UP = 5
_CLOCK_CORRECTION = 180


class TimezoneError(ScheduleError):
    """A time zone that the pinned IANA database does not name."""


class Interval(NamedTuple):
    """`@every 10m`: `seconds` after the last run, 1 s to 366 days."""

    expression: str
    timezone: str
    seconds: int


class CronSchedule:
    """A cron expression in a time zone. Datetimes are aware, and in UTC where they come out.

    Only 1970 to 2900 is looked at: asked about a moment outside, `next` and `latest` are None.
    `expression` is as given, but for its blanks.
    """

    def __init__(self, expression: str, timezone: str, fields: CronFields) -> None:
        self.expression = expression
        self.timezone = timezone
        self.fields = fields

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CronSchedule) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def _key(self) -> tuple[str, str]:
        return self.expression, self.timezone

    def next(self, after: datetime) -> datetime | None:
        """The first occurrence after `after`."""
        return _next(self, epoch_seconds(after))

    def latest(self, until: datetime) -> datetime | None:
        """The last occurrence at or before `until`."""
        return _latest(self, epoch_seconds(until))

    def count(self, after: datetime, until: datetime) -> int:
        """How many occurrences there are in (after, until]; cheap, however many they are."""
        first, last = max(epoch_seconds(after), -1), min(epoch_seconds(until), _END - 1)
        return summed(self.timezone, first, last, self._count_within)

    def between(self, after: datetime, until: datetime, limit: int) -> list[datetime]:
        """The first `limit` occurrences in (after, until], in order."""
        return listed(self.next, after, until, limit)

    def _count_within(self, stretch: Stretch, after: int, until: int) -> int:
        """Occurrences in (after, until]: `until` is in `stretch`, `after` in it or just before."""
        first, last = self._first_minute(stretch), _minute(until + stretch.offset)
        if after >= stretch.start:
            first = max(first, _minute(after + stretch.offset) + MINUTE)
        opening = _minute(stretch.start + stretch.offset)
        if first >= opening:
            return count_matches(self.fields, first, last)
        made_up = count_matches(self.fields, first, opening)  # all in one run, as the stretch opens
        return min(made_up, 1) + count_matches(self.fields, opening + MINUTE, last)

    def _first_minute(self, stretch: Stretch) -> int:
        """The first wall minute that `stretch` answers for."""
        opening = _minute(stretch.start + stretch.offset)
        done = _minute(stretch.start - 1 + stretch.offset_before)
        ahead = (opening - done) // MINUTE
        late = 0 <= ahead <= _LATE_WAKE_UP
        caught_up = self.fields.fixed and -_CLOCK_CORRECTION < ahead <= _CLOCK_CORRECTION
        return done + MINUTE if late or caught_up else opening


# One decision asks for the same occurrences many times, and many crons share a schedule.
_MOST_REMEMBERED = 8192


@lru_cache(maxsize=_MOST_REMEMBERED)
def _next(schedule: CronSchedule, at: int) -> datetime | None:
    if not 0 <= at < _END:
        return None
    stretch = stretch_at(schedule.timezone, at)
    earliest = max(schedule._first_minute(stretch), _minute(at + stretch.offset) + MINUTE)
    match = first_match(schedule.fields, earliest)
    while match is not None and match >= stretch.end + stretch.offset:
        stretch = stretch_at(schedule.timezone, stretch.end)
        if stretch.start >= _END:
            return None
        resumed = schedule._first_minute(stretch)
        if not earliest <= resumed <= match:  # else the match stays the first one
            earliest, match = resumed, first_match(schedule.fields, resumed)
    return None if match is None else _occurrence(stretch, match)


@lru_cache(maxsize=_MOST_REMEMBERED)
def _latest(schedule: CronSchedule, at: int) -> datetime | None:
    if not 0 <= at < _END:
        return None
    stretch = stretch_at(schedule.timezone, at)
    newest = _minute(at + stretch.offset)
    match = last_match(schedule.fields, newest)
    while match is not None and match < schedule._first_minute(stretch):
        if stretch.start <= 0:
            return None
        stretch = stretch_at(schedule.timezone, stretch.start - 1)
        resumed = _last_minute(stretch)
        if not match <= resumed <= newest:  # else the match stays the last one
            newest, match = resumed, last_match(schedule.fields, resumed)
    return None if match is None else _occurrence(stretch, match)


Schedule: TypeAlias = CronSchedule | CalendarSchedule | Interval


def parse_schedule(expression: str, timezone: str = "UTC") -> Schedule:
    """Read five fields, a name such as `@daily`, `@every 1h30m`, or a calendar expression of systemd.

    The same arguments give the same object. Raises ScheduleError, or TimezoneError for the zone,
    which say in one line what is wrong. Takes bounded time, whatever it is given.
    """
    if not isinstance(expression, str):
        raise ScheduleError("a schedule must be text")
    if not isinstance(timezone, str):
        raise TimezoneError("a time zone must be text")
    if len(expression) > MAX_LENGTH:
        raise ScheduleError(f"a schedule has at most {MAX_LENGTH} characters")
    return _parse(expression, timezone)


@lru_cache(maxsize=2048)
def _parse(expression: str, timezone: str) -> Schedule:
    if timezone not in zone_names():
        raise TimezoneError(f"{timezone[:40]!r} is not the name of an IANA time zone")
    if not _PRINTABLE.fullmatch(expression):
        raise ScheduleError("a schedule is plain ASCII, its fields parted by blanks or tabs")
    text = " ".join(expression.replace("\t", " ").split())
    if not text:
        raise ScheduleError("the schedule is empty")
    if text.startswith("@every"):
        return Interval(text, timezone, _interval_seconds(text))
    if looks_like_calendar(text):
        return parse_calendar(text, timezone)
    return CronSchedule(text, timezone, parse_fields(_expanded(text)))


def _interval_seconds(text: str) -> int:
    match = _EVERY.fullmatch(text)
    if match is None:
        raise ScheduleError("@every: needs whole numbers with d, h, m or s, like 10m or 1h30m")
    parts = re.findall(r"([0-9]+)([dhms])", match[1])
    seconds = sum(int(number) * _UNIT_SECONDS[unit] for number, unit in parts)
    if not 1 <= seconds <= MAX_INTERVAL.total_seconds():
        raise ScheduleError("@every: the interval is not within 1 second and 366 days")
    return seconds


def _expanded(text: str) -> str:
    """The five fields behind a name such as `@daily`; names are lower case only, as in entry.c."""
    if not text.startswith("@"):
        return text
    if text == "@reboot":
        raise ScheduleError("@reboot: names no time, so nobody could say when a run is missed")
    if text not in _NAMED:
        raise ScheduleError(f"{text[:20]}: not one of {', '.join(_NAMED)} or @every")
    return _NAMED[text]


def _minute(wall: int) -> int:
    return wall - wall % MINUTE


def _last_minute(stretch: Stretch) -> int:
    return _minute(stretch.end - 1 + stretch.offset)


def _occurrence(stretch: Stretch, wall: int) -> datetime | None:
    """When `wall` comes in `stretch`; a skipped minute comes as the stretch opens."""
    at = max(stretch.start, wall - stretch.offset)
    return EPOCH + timedelta(seconds=at) if at < _END else None
