"""systemd's calendar expressions: the same times as systemd-analyze computes, also where clocks change."""

import random
import shutil
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from chalicelib.domain.schedule.calendar import CalendarSchedule, looks_like_calendar
from chalicelib.domain.schedule.description import describe
from chalicelib.domain.schedule.schedule import CronSchedule, ScheduleError, parse_schedule
from tests.unit.systemd_calendar import (
    STARTS,
    UNEVEN,
    ZONES,
    Elapses,
    GaveUp,
    Refused,
    elapses,
    random_calendar,
    recorded,
)

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
AROUND = (
    *("*:0/15", "*:0/5:30", "*-*-* 02:30", "*-*-* 01:59:59", "*-*-* 1..3:0/20", "Sun 02:00", "Sun *-*-* 02:15,45"),
    *("hourly", "daily", "weekly", "*-*-1,29,31 02:00", "*-03,10-* 02:30", "*-*-* 00:00", "*-*~1 23:59:59"),
    *("Sat,Sun *-*~07/1 02:00:01", "*-*-* *:59:0/29", "quarterly", "2027-*-01 03:00"),
)


#: Asked of the systemd of this machine; more are recorded.
ASKED = 40


def calendar(text: str, zone: str = "UTC") -> CalendarSchedule:
    found = parse_schedule(text, zone)
    assert isinstance(found, CalendarSchedule)
    return found


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def ours(text: str, start: str, count: int, zone: str = "UTC") -> list[datetime] | None:
    try:
        times = calendar(text, zone)
    except ScheduleError:
        return None
    found: list[datetime] = []
    moment = times.next(at(start))
    while moment is not None and len(found) < count:
        found.append(moment)
        moment = times.next(moment)
    return found


def theirs(text: str, start: str, count: int) -> list[datetime] | None:
    """None: systemd refuses it."""
    try:
        return elapses(text, start, count)
    except Refused:
        return None


def test_every_time_is_the_one_that_systemd_computed() -> None:
    asked = list(recorded())

    assert len(asked) > 500
    assert [one for one in asked if not agrees(one)] == []


def agrees(asked: Elapses) -> bool:
    try:
        times = calendar(asked.expression, asked.zone)
    except ScheduleError:
        return asked.times is None
    if asked.times is None:
        return False
    end = asked.times[-1] if asked.times else asked.start + timedelta(days=80_000)
    found = times.between(asked.start, end, len(asked.times) + 1)
    return found == asked.times and times.count(asked.start, end) == len(found)


@needs_systemd
@pytest.mark.parametrize("zone", ZONES)
def test_systemd_computes_the_same_times_where_clocks_change(zone: str) -> None:
    wrong = []
    chance = random.Random(zone)
    for text in AROUND:
        start = chance.choice(STARTS)
        if ours(text, start, 12, zone) != theirs(f"{text} {zone}", start, 12):
            wrong.append((text, start))

    assert wrong == []


@needs_systemd
def test_systemd_computes_the_same_times_of_random_expressions() -> None:
    chance = random.Random(41)
    wrong = []
    for _ in range(ASKED):
        text, zone, start = random_calendar(chance), chance.choice(ZONES), chance.choice(STARTS)
        try:
            times = elapses(f"{text} {zone}", start, 5)
        except Refused:
            agree = ours(text, start, 1, zone) is None
        except GaveUp:
            continue
        else:
            # Systemd takes what never comes; here it is refused.
            agree = not times and not ours(text, start, 1, zone)
            agree = agree or agrees(Elapses(text, zone, times[0], times[1:]))
        if not agree:
            wrong.append((text, zone, start))

    assert wrong == []


def test_after_the_last_step_of_a_day_the_first_of_the_next_is_left_out() -> None:
    times = calendar("*:0/45", "Europe/Paris")

    night = times.between(at("2026-01-31 21:30"), at("2026-02-01 00:30"), 9)

    assert [f"{one:%H:%M}" for one in night] == ["21:45", "22:00", "22:45", "23:45", "00:00"]
    assert not times.count(at("2026-01-31 22:45"), at("2026-01-31 23:44"))
    assert times.latest(at("2026-01-31 23:15")) == at("2026-01-31 22:45")


def test_a_day_that_follows_no_matching_one_has_its_first_time() -> None:
    assert calendar("Mon *:0/45").next(at("2026-11-29 12:00")) == at("2026-11-30 00:00")


@pytest.mark.parametrize("text", [*AROUND, *UNEVEN, "Mon *-*-1..7 09:00", "*:*:0/20", "*-02-29 12:00"])
def test_latest_and_count_agree_with_next(text: str) -> None:
    for zone, start in zip(ZONES, STARTS, strict=False):
        times = calendar(text, zone)
        moments = times.between(at(start), at(start) + timedelta(days=900), 150)
        for before, moment in pairwise(moments):
            assert times.latest(moment) == moment
            assert times.latest(moment - timedelta(milliseconds=1)) == before
        if moments:
            assert times.count(at(start), moments[-1]) == len(moments)
            assert times.count(moments[0], moments[-1]) == len(moments) - 1


WRONG = (
    *("25:00", "*:60", "*-13-01", "*-*-32 1:00", "*-*-0", "Foo 08:00", "1:2:3:4", "*-*-* 10:00 10:00", "*:0/0"),
    *("Mon.. 08:00", "Fri..Mon 1:00", "*-02-30", "Mars/Olympus 1:00", "1:00 Mars/Olympus", "*-*~5..1", "-", "*:"),
    *(
        ":",
        "~",
        "a-b-c",
        "*-*-*..3 1:00",
        "99999-01-01",
        "*-*-* 1:00:00.5",
        "*:*/5",
        "*/2:00",
        "22/2:00",
        "*-*~7/7",
    ),
)


@pytest.mark.parametrize("text", WRONG)
def test_what_is_none_is_refused_in_a_line(text: str) -> None:
    with pytest.raises(ScheduleError) as refused:
        parse_schedule(text)

    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 150


@pytest.mark.parametrize("text", ["* * * * *", "@daily", "0 0 * * mon-fri", "1 2 3", "@every 5m", "0 0 1-7 * *"])
def test_cron_expressions_stay_what_they_were(text: str) -> None:
    assert not looks_like_calendar(text)


def test_a_zone_in_the_expression_counts_before_the_crons_own() -> None:
    assert calendar("*-*-* 09:00 Asia/Tokyo", "Europe/Paris").next(at("2026-01-01 01:00")) == at(
        "2026-01-02 00:00"
    )
    assert isinstance(parse_schedule("0 9 * * *", "Europe/Paris"), CronSchedule)


def test_it_is_said_in_words() -> None:
    assert describe("Mon 09:00") == "At Mon 09:00, a calendar expression of systemd"


def test_a_year_that_is_over_has_no_next_time() -> None:
    times = calendar("2027-01-01 00:00")
    assert times.next(at("2026-01-01")) == at("2027-01-01")
    assert times.next(at("2027-01-01")) is None
    assert times.latest(at("2030-01-01")) == at("2027-01-01")
