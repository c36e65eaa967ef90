"""Schedules against slow, plain implementations that share no code with them.

`daemon_looks` follows the main loop of Debian's cron (cron.c, 3.0pl1-162) minute by minute, and
`names_day` and `names_time` follow crontab(5).
"""

import random
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.schedule.schedule import CronSchedule, ScheduleError, parse_schedule
from chalicelib.domain.schedule.utc_offsets import zone_names

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))

# Zones with odd jumps, and how many of each are looked at.
ODD_ZONES = {
    "Africa/Cairo": 4,
    "Africa/Casablanca": 6,
    "Africa/El_Aaiun": 4,
    "America/Caracas": 2,
    "America/Havana": 4,
    "America/Nuuk": 4,
    "America/Scoresbysund": 4,
    "America/St_Johns": 6,
    "America/New_York": 4,
    "Antarctica/Casey": 10,
    "Antarctica/Troll": 4,
    "Antarctica/Vostok": 5,
    "Asia/Gaza": 6,
    "Asia/Kathmandu": 1,
    "Asia/Pyongyang": 2,
    "Asia/Tehran": 5,
    "Australia/Lord_Howe": 5,
    "Europe/Dublin": 4,
    "Europe/Paris": 4,
    "Pacific/Apia": 5,
    "Pacific/Chatham": 4,
    "Pacific/Kiritimati": 3,
    "Pacific/Kwajalein": 1,
}


class Look(NamedTuple):
    """One call of cron's `find_jobs`: at `at`, for the wall time `wall`, for which kinds of job."""

    at: datetime
    wall: datetime
    wild: bool
    fixed: bool


def daemon_looks(zone: str, start: datetime, minutes: int) -> Iterator[Look]:
    """What cron does in `minutes` real minutes from `start`, having run untroubled until then."""
    place = ZoneInfo(zone)
    virtual = start.astimezone(place).replace(tzinfo=None) - MINUTE
    for number in range(minutes):
        at = start + number * MINUTE
        wall = at.astimezone(place).replace(tzinfo=None)
        ahead = (wall - virtual) // MINUTE
        if 1 <= ahead <= 5:
            yield from (Look(at, virtual + n * MINUTE, True, True) for n in range(1, ahead + 1))
            virtual = wall
        elif 5 < ahead <= 180:
            yield Look(at, wall, True, False)
            yield from (Look(at, virtual + n * MINUTE, False, True) for n in range(1, ahead + 1))
            virtual = wall
        elif -180 < ahead <= 0:
            yield Look(at, wall, True, False)
        else:
            yield Look(at, wall, True, True)
            virtual = wall


@lru_cache(maxsize=4096)
def named(text: str, low: int, high: int) -> frozenset[int]:
    """The values a field of crontab(5) names."""
    names = {12: MONTHS, 7: WEEKDAYS}.get(high, [])
    values: set[int] = set()
    for item in text.lower().split(","):
        span, _, step = item.partition("/")
        ends = [str(low), str(high)] if span == "*" else span.split("-")
        first, last = (low + names.index(end) if end in names else int(end) for end in (ends[0], ends[-1]))
        values |= {value for value in range(first, last + 1) if (value - first) % int(step or 1) == 0}
    return frozenset(values)


def names_day(expression: str, day: datetime) -> bool:
    _, _, dom, month, dow = expression.split()
    if day.month not in named(month, 1, 12):
        return False
    in_month = day.day in named(dom, 1, 31)
    in_week = bool({day.isoweekday() % 7, day.isoweekday()} & named(dow, 0, 7))
    if dom[0] == "*" or dow[0] == "*":
        return in_month and in_week
    return in_month or in_week


def names_time(expression: str, wall: datetime) -> bool:
    minute, hour, *_ = expression.split()
    return wall.minute in named(minute, 0, 59) and wall.hour in named(hour, 0, 23)


def slow_walk(expression: str, start: datetime, step: timedelta, years: int) -> datetime | None:
    """The first minute from `start` on, or back in time for a negative step, that is named."""
    at = start
    while abs(at - start) < timedelta(days=366 * years):
        day = at.date()
        fires = names_day(expression, at)
        while at.date() == day:
            if not fires:
                at += DAY if step > timedelta() else -DAY
                break
            if names_time(expression, at):
                return at
            at += step
        else:
            continue
        at = at.replace(hour=0, minute=0) if step > timedelta() else at.replace(hour=23, minute=59)
    return None


def daemon_runs(expression: str, looks: list[Look]) -> list[datetime]:
    minute, hour, *_ = expression.split()
    wild = minute[0] == "*" or hour[0] == "*"
    return sorted(
        {
            look.at
            for look in looks
            if (look.wild if wild else look.fixed)
            and names_time(expression, look.wall)
            and names_day(expression, look.wall)
        }
    )


def random_field(rng: random.Random, low: int, high: int, stars: float) -> str:
    if rng.random() < stars:
        return "*" if rng.random() < 0.7 else f"*/{rng.randint(1, high + 2)}"
    return ",".join(random_item(rng, low, high) for _ in range(rng.choice((1, 1, 1, 2, 3))))


def random_item(rng: random.Random, low: int, high: int) -> str:
    first, last = sorted((rng.randint(low, high), rng.randint(low, high)))
    kind = rng.random()
    if high in (7, 12) and kind < 0.15:
        return rng.choice(WEEKDAYS if high == 7 else MONTHS).title()
    if kind < 0.5:
        return str(first)
    return f"{first}-{last}" + (f"/{rng.randint(1, 30)}" if rng.random() < 0.4 else "")


def random_expression(rng: random.Random) -> str:
    stars = (0.3, 0.4, 0.6, 0.75, 0.6)
    return " ".join(random_field(rng, low, high, star) for (low, high), star in zip(RANGES, stars, strict=True))


def night_expression(rng: random.Random) -> str:
    """One that fires often, and mostly in the hours in which clocks change."""
    hour = rng.choice(
        [
            "*",
            "*/2",
            "*/3",
            "0-23",
            "0-6",
            "0,1,2,3",
            "1-3",
            "*,4",
            "0-23/3",
            str(rng.randint(0, 4)),
        ]
    )
    day = rng.choice(["* * *"] * 4 + ["*/2 * *", "1-15 * 1-5", "* * */2", "1-31/3 * sun", "* 3-11 sat,sun"])
    return f"{random_field(rng, 0, 59, 0.3)} {hour} {day}"


def clock_changes(zone: str) -> list[datetime]:
    """Each moment from 1970 to 2037 at which the clocks of `zone` are changed."""
    place, changes, at = ZoneInfo(zone), [], datetime(1970, 1, 5, tzinfo=UTC)
    while at.year < 2038:
        low, high = at, at + DAY
        offset = high.astimezone(place).utcoffset()
        if low.astimezone(place).utcoffset() != offset:
            while high - low > MINUTE:
                middle = low + (high - low) // MINUTE // 2 * MINUTE
                low, high = (low, middle) if middle.astimezone(place).utcoffset() == offset else (middle, high)
            changes.append(high)
        at += DAY
    return changes


def random_schedule(rng: random.Random, zone: str = "UTC") -> CronSchedule:
    while True:
        try:
            schedule = parse_schedule(random_expression(rng), zone)
        except ScheduleError:
            continue  # a date that no month has
        assert isinstance(schedule, CronSchedule)
        return schedule


def test_next_and_latest_agree_with_a_walk_minute_by_minute() -> None:
    rng = random.Random(20261123)
    for _ in range(2200):
        schedule = random_schedule(rng)
        at = datetime(2000, 1, 1, tzinfo=UTC) + rng.randrange(60 * 24 * 366 * 60) * MINUTE
        ahead = slow_walk(schedule.expression, at + MINUTE, MINUTE, years=41)
        behind = slow_walk(schedule.expression, at, -MINUTE, years=29)
        assert schedule.next(at) == ahead, (schedule.expression, at)
        assert schedule.next(at + timedelta(seconds=59, microseconds=999999)) == ahead
        assert behind is None or schedule.latest(at) == behind, (schedule.expression, at)
        assert schedule.latest(at + timedelta(seconds=59)) == schedule.latest(at)


def test_count_agrees_with_a_walk_minute_by_minute() -> None:
    rng = random.Random(7)
    for _ in range(60):
        schedule = random_schedule(rng)
        after = datetime(2023, 11, 1, tzinfo=UTC) + rng.randrange(200_000) * MINUTE
        length = rng.randrange(60 * 24 * 40)
        minutes = (after + n * MINUTE for n in range(1, length + 1))
        days: dict[int, bool] = {}
        slow = 0
        for at in minutes:
            ordinal = at.toordinal()
            if ordinal not in days:
                days[ordinal] = names_day(schedule.expression, at)
            slow += days[ordinal] and names_time(schedule.expression, at)
        assert schedule.count(after, after + length * MINUTE) == slow, (schedule.expression, after)


def check_change(zone: str, change: datetime, expressions: list[str]) -> int:
    """Compare a day and a half context `change` with the daemon; return how many runs that were."""
    start = change - 15 * 60 * MINUTE
    looks = list(daemon_looks(zone, start, 36 * 60))
    end, compared = looks[-1].at, 0
    for expression in expressions:
        schedule = parse_schedule(expression, zone)
        assert isinstance(schedule, CronSchedule)
        runs = daemon_runs(expression, looks)
        told = (expression, zone, change)
        assert schedule.between(start - MINUTE, end, 10_000) == runs, told
        assert schedule.count(start - MINUTE, end) == len(runs), told
        for before, run in zip([None, *runs], runs, strict=False):
            assert schedule.latest(run) == run, told
            if before is not None:
                assert schedule.latest(run - timedelta(microseconds=1)) == before, told
        compared += len(runs)
    return compared


@pytest.mark.parametrize("zone", ODD_ZONES)
def test_clock_changes_are_met_as_the_daemon_meets_them(zone: str) -> None:
    rng = random.Random(zone)
    changes = clock_changes(zone)
    compared = 0
    for change in rng.sample(changes, min(ODD_ZONES[zone], len(changes))):
        compared += check_change(zone, change, [night_expression(rng) for _ in range(2)])
    assert compared > 0


@given(
    seed=st.integers(0, 2**32),
    zone=st.sampled_from(sorted(ODD_ZONES)),
    second=st.integers(0, 85 * 365 * 86400),
)
@settings(deadline=None, max_examples=300, derandomize=True)
def test_next_latest_count_and_between_agree_with_each_other(seed: int, zone: str, second: int) -> None:
    schedule = random_schedule(random.Random(seed), zone)
    moment = datetime(1975, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
    following = schedule.next(moment)
    assert following is not None
    assert following > moment
    assert schedule.latest(following) == following
    assert schedule.count(moment, following) == 1
    assert schedule.count(moment, following - timedelta(microseconds=1)) == 0
    before = schedule.latest(moment)
    if before is not None:
        assert before <= moment
        assert schedule.next(before) == following
        assert schedule.count(before, moment) == 0
    several = schedule.between(moment, moment + timedelta(days=300), 8)
    if several:
        assert schedule.count(moment, several[-1]) == len(several)


def transitions(zone: str) -> list[tuple[int, int]]:
    """Each moment of a zone's file (RFC 9636, the 64-bit part) and the offset that begins then."""
    data = files("tzdata").joinpath("zoneinfo", *zone.split("/")).read_bytes()
    isut, isstd, leap, times, types, chars = struct.unpack(">6l", data[20:44])
    at = 44 + times * 5 + types * 6 + chars + leap * 8 + isstd + isut
    _, _, _, times, types, _ = struct.unpack(">6l", data[at + 20 : at + 44])
    at += 44
    moments = struct.unpack(f">{times}q", data[at : at + 8 * times])
    kinds, at = data[at + 8 * times : at + 9 * times], at + 9 * times
    offsets = [struct.unpack(">l", data[at + 6 * n : at + 6 * n + 4])[0] for n in range(types)]
    return list(zip(moments, (offsets[kind] for kind in kinds), strict=True))


def test_no_zone_changes_its_clocks_twice_within_six_days() -> None:
    """What `zone_stretches` builds on: it looks every three days."""
    for zone in zone_names():
        known = [pair for pair in transitions(zone) if pair[0] > -365 * 86400]
        changes = [moment for (_, old), (moment, new) in pairwise(known) if old != new]
        assert all(later - sooner >= 6 * 86400 for sooner, later in pairwise(changes)), zone
