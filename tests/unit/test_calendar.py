"""systemd's calendar expressions: the same times as systemd-analyze computes, also where clocks change."""

import random
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from chalicelib.domain.schedule.calendar import CalendarSchedule, looks_like_calendar
from chalicelib.domain.schedule.description import describe
from chalicelib.domain.schedule.schedule import CronSchedule, ScheduleError, parse_schedule

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
ZONES = (
    *("UTC", "Europe/Paris", "America/New_York", "Australia/Lord_Howe", "America/St_Johns"),
    *("Asia/Kolkata", "Africa/Cairo"),
)
#: Around clock changes of these zones, and between.
STARTS = (
    *("2026-03-07 12:00", "2026-03-28 20:00", "2026-04-04 10:00"),
    *("2026-06-30 23:59", "2026-10-24 20:00", "2026-10-31 20:00"),
)
AROUND = (
    *("*:0/15", "*:0/5:30", "*-*-* 02:30", "*-*-* 01:59:59", "*-*-* 1..3:0/20", "Sun 02:00", "Sun *-*-* 02:15,45"),
    *("hourly", "daily", "weekly", "*-*-1,29,31 02:00", "*-03,10-* 02:30", "*-*-* 00:00", "*-*~1 23:59:59"),
    *("Sat,Sun *-*~07/1 02:00:01", "*-*-* *:59:0/29", "quarterly", "2027-*-01 03:00"),
)


#: In `make test`; 1,000 were compared by hand.
EXPRESSIONS = 40


def calendar(text: str, zone: str = "UTC") -> CalendarSchedule:
    found = parse_schedule(text, zone)
    assert isinstance(found, CalendarSchedule)
    return found


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def elapses(text: str, start: str, count: int) -> list[datetime] | None:
    """When systemd would start it; None: it refuses it."""
    done = subprocess.run(
        ["systemd-analyze", "calendar", f"--iterations={count}", f"--base-time={start}:00 UTC", text],
        env={"TZ": "UTC", "PATH": "/usr/bin:/bin", "LC_ALL": "C"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        return None
    found = re.findall(
        r"(?:elapse|Iter\. #\d+|Iteration #\d+): \w+ (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC", done.stdout
    )
    return [at(one) for one in found]


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


def random_part(chance: random.Random, low: int, high: int) -> str:
    first, size = chance.randint(low, high - 1), high - low + 1
    # Steps to the end divide evenly: of others systemd 252 leaves out the first time after midnight.
    evenly = chance.choice([step for step in range(1, size // 2 + 1) if size % step == 0])
    return chance.choice(
        (
            "*",
            str(first),
            f"{first:02}",
            f"{first}..{chance.randint(first + 1, high)}",
            f"{first}..{high}/{chance.randint(1, 5)}",
            f"{low}/{evenly}" if low == 0 else "*",
            ",".join(str(chance.randint(low, high)) for _ in range(3)),
        )
    )


def random_calendar(chance: random.Random) -> str:
    words = []
    if chance.random() < 0.3:
        words.append(chance.choice(("Mon", "sat,Sun", "Mon..Fri", "Tue..Thu,Sat", "WED", "Friday")))
    if chance.random() < 0.7:
        apart = chance.choice("---~")
        day = str(chance.randint(1, 28)) if apart == "~" else random_part(chance, 1, 31)
        words.append(f"{chance.choice(('*', '*', '2026', '2026..2028'))}-{random_part(chance, 1, 12)}{apart}{day}")
    if chance.random() < 0.9 or not words:
        time = f"{random_part(chance, 0, 23)}:{random_part(chance, 0, 59)}"
        words.append(time if chance.random() < 0.6 else f"{time}:{random_part(chance, 0, 59)}")
    return " ".join(words)


@needs_systemd
@pytest.mark.parametrize("zone", ZONES)
def test_systemd_computes_the_same_times_where_clocks_change(zone: str) -> None:
    wrong = []
    chance = random.Random(zone)
    for text in AROUND:
        start = chance.choice(STARTS)
        if ours(text, start, 12, zone) != elapses(f"{text} {zone}", start, 12):
            wrong.append((text, start))

    assert wrong == []


@needs_systemd
def test_systemd_computes_the_same_times_of_random_expressions() -> None:
    chance = random.Random(14)
    wrong = []
    for _ in range(EXPRESSIONS):
        text, zone, start = random_calendar(chance), chance.choice(ZONES), chance.choice(STARTS)
        theirs, own = elapses(f"{text} {zone}", start, 4), ours(text, start, 4, zone)
        # Systemd takes what never comes; here it is refused.
        if (theirs or None) != (own or None):
            wrong.append((text, zone, start, theirs, own))

    assert wrong == []


@pytest.mark.parametrize("text", [*AROUND, "Mon *-*-1..7 09:00", "*:*:0/20", "*-02-29 12:00"])
def test_latest_and_count_agree_with_next(text: str) -> None:
    for zone, start in zip(ZONES, (*STARTS, STARTS[0]), strict=True):
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
