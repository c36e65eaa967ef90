"""Which schedules are taken, and when they are due."""

import pickle
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.schedule.schedule import (
    CronSchedule,
    Interval,
    ScheduleError,
    TimezoneError,
    parse_schedule,
)
from chalicelib.domain.schedule.utc_offsets import zone_names

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


def cron(expression: str, timezone: str = "UTC") -> CronSchedule:
    schedule = parse_schedule(expression, timezone)
    assert isinstance(schedule, CronSchedule)
    return schedule


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def first_runs(expression: str, number: int, timezone: str = "UTC") -> list[str]:
    runs = cron(expression, timezone).between(NEW_YEAR, NEW_YEAR.replace(year=2099), number)
    return [f"{run:%Y-%m-%d %H:%M}" for run in runs]


@pytest.mark.parametrize(
    "expression",
    [
        "* * * * *",
        "*/5 0-23/2 1,15 * 1-5",
        "0 9 * JAN-mar,Dec mON",
        "0 0 * * 0-7",
        "5-5 9-9 * * sun-SUN",
        "5-5/10 * * * *",
        "007 08 * * *",
        "*/90 * * * *",
        "*,5 5,* * * *",
        "0 0 31 2 1",
        "0 0 29 2 */7",
        "0 0 30 1,2 *",
        "0 0 * * mon-7",
        "  0\t9 *   * *\t ",
        ",".join(str(minute) for minute in range(50)) + " * * * *",
        "@hourly",
        " @daily ",
    ],
)
def test_what_cron_takes_is_taken(expression: str) -> None:
    following = cron(expression).next(NEW_YEAR)
    assert following is not None
    assert following > NEW_YEAR


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("", "the schedule is empty"),
        (" \t ", "the schedule is empty"),
        ("* * * *", "a cron expression has 5 fields (no seconds, no year), this one has 4"),
        ("0 * * * * *", "a cron expression has 5 fields (no seconds, no year), this one has 6"),
        (
            "0 0 * * * * 2030",
            "a cron expression has 5 fields (no seconds, no year), this one has 7",
        ),
        ("61 * * * *", "minute: 61 is not within 0-59"),
        ("* 24 * * *", "hour: 24 is not within 0-23"),
        ("* * 0 * *", "day of month: 0 is not within 1-31"),
        ("* * 32 * *", "day of month: 32 is not within 1-31"),
        ("* * * 13 *", "month: 13 is not within 1-12"),
        ("* * * * 8", "day of week: 8 is not within 0-7"),
        ("5-64/30 * * * *", "minute: 64 is not within 0-59"),
        ("10/5 * * * *", "minute: a step needs * or a range before it, not 10"),
        ("*/0 * * * *", "minute: the step is 0, it must be 1 or more"),
        ("*/99999999999 * * * *", "minute: the step 99999999999 is too large"),
        ("*/ * * * *", "minute: the step (nothing) is not a number"),
        ("*/mon * * * *", "minute: the step mon is not a number"),
        ("*/-5 * * * *", "minute: the step -5 is not a number"),
        ("*/5/5 * * * *", "minute: the step 5/5 is not a number"),
        ("1,,2 * * * *", "minute: an item of the list is empty"),
        ("1, * * * *", "minute: an item of the list is empty"),
        ("-5 * * * *", "minute: (nothing) is not a number"),
        ("5- * * * *", "minute: (nothing) is not a number"),
        ("1-2-3 * * * *", "minute: 2-3 is not a number"),
        ("1.5 * * * *", "minute: 1.5 is not a number"),
        ("5.0 * * * *", "minute: 5.0 is not a number"),
        ("1_0 * * * *", "minute: 1_0 is not a number"),
        ("+1 * * * *", "minute: +1 is not a number"),
        ("*5 * * * *", "minute: *5 is not a number"),
        ("**/5 * * * *", "minute: ** is not a number"),
        ("*-5 * * * *", "minute: * is not a number"),
        ("0~30 * * * *", "minute: 0~30 is not a number"),
        ("H * * * *", "minute: H is not a number"),
        ("R * * * *", "minute: R is not a number"),
        ("0 jan * * *", "hour: jan is not a number"),
        ("0 0 L * *", "day of month: L is not a number"),
        ("0 0 15W * *", "day of month: 15W is not a number"),
        ("0 0 ? * *", "day of month: ? is not a number"),
        ("0 0 * january *", "month: january is not a number or a name like JAN"),
        ("0 0 * * 5#2", "day of week: 5#2 is not a number or a name like SUN"),
        ("0 0 * * L5", "day of week: L5 is not a number or a name like SUN"),
        ("0 22-2 * * *", "hour: the range 22-2 runs backwards, so it never fires"),
        ("0 0 * * FRI-MON", "day of week: the range FRI-MON runs backwards, so it never fires"),
        ("0 0 * * fri-sun", "day of week: the range fri-sun runs backwards, so it never fires"),
        ("0 0 30 2 *", "day of month: no month of this schedule has a day 30, so it never fires"),
        (
            "0 0 31 4,6,9,11 *",
            "day of month: no month of this schedule has a day 31, so it never fires",
        ),
        (
            "0 0 30-31 feb */7",
            "day of month: no month of this schedule has a day 30, so it never fires",
        ),
        ("* * *\n* *", "a schedule is plain ASCII, its fields parted by blanks or tabs"),
        ("* * * * *\n", "a schedule is plain ASCII, its fields parted by blanks or tabs"),
        ("*\f* * * *", "a schedule is plain ASCII, its fields parted by blanks or tabs"),
        ("*\u00a0* * * *", "a schedule is plain ASCII, its fields parted by blanks or tabs"),
        ("\u0665 * * * *", "a schedule is plain ASCII, its fields parted by blanks or tabs"),
        ("@reboot", "@reboot: names no time, so nobody could say when a run is missed"),
        ("0," * 64 + "0 * * * *", "minute: more than 64 items in a list"),
        ("0 " * 100, "a schedule has at most 160 characters"),
        ("@every", "@every: needs whole numbers with d, h, m or s, like 10m or 1h30m"),
        ("@every 0s", "@every: the interval is not within 1 second and 366 days"),
        ("@every 367d", "@every: the interval is not within 1 second and 366 days"),
    ],
)
def test_what_is_refused_says_why(expression: str, reason: str) -> None:
    with pytest.raises(ScheduleError) as refused:
        parse_schedule(expression)
    assert str(refused.value) == reason


@pytest.mark.parametrize(
    "expression",
    [
        "@Daily",
        "@DAILY",
        "@fortnightly",
        "@",
        "@daily x",
        "@ daily",
        "@every_minute",
        "@EVERY 1h",
    ]
    + [
        f"@every {text}"
        for text in ("10", "1.5h", "-5m", "+5m", "1w", "10ms", "1h 30m", "m", "1H", "9" * 99 + "d")
    ],
)
def test_names_and_intervals_of_another_kind_are_refused(expression: str) -> None:
    with pytest.raises(ScheduleError):
        parse_schedule(expression)


@pytest.mark.parametrize(
    ("expression", "seconds"),
    [
        ("@every 1s", 1),
        ("@every 10m", 600),
        ("@every 1h30m", 5400),
        ("@every 90s", 90),
        ("@every 1d2h3m4s", 93784),
        (" @every\t 366d ", 366 * 86400),
    ],
)
def test_an_interval_is_so_many_seconds(expression: str, seconds: int) -> None:
    assert parse_schedule(expression, "Asia/Tokyo") == Interval(
        " ".join(expression.split()), "Asia/Tokyo", seconds
    )


@pytest.mark.parametrize("not_text", [None, 5, b"* * * * *", ["*"], {}, object()])
def test_only_text_is_a_schedule_or_a_time_zone(not_text: object) -> None:
    with pytest.raises(ScheduleError, match="must be text"):
        parse_schedule(not_text)  # type: ignore[arg-type]
    with pytest.raises(TimezoneError, match="must be text"):
        parse_schedule("* * * * *", not_text)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "timezone",
    [
        "",
        " UTC",
        "utc",
        "europe/paris",
        "Europe/Atlantis",
        "Europe",
        "../../etc/passwd",
        "/etc/localtime",
        "Europe/../Europe/Paris",
        "Europe//Paris",
        "Europe\\Paris",
        "Europe/Paris\0",
        "posix/Europe/Paris",
        "right/Europe/Paris",
        "posixrules",
        "localtime",
        "Factory",
        "zones",
        "tzdata.zi",
        "__init__.py",
        "UTC+2",
        "\ud800",
        "A" * 100_000,
    ],
)
def test_only_names_of_the_pinned_iana_database_are_time_zones(timezone: str) -> None:
    with pytest.raises(TimezoneError) as refused:
        parse_schedule("* * * * *", timezone)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 300


def test_every_iana_zone_is_taken_whatever_its_history() -> None:
    for zone in zone_names():
        schedule = cron("30 2 * * *", zone)
        for moment in (utc("1970-01-02"), utc("1972-01-07"), utc("2026-03-29"), utc("2899-12-30")):
            following = schedule.next(moment)
            assert following is not None
            assert schedule.latest(following) == following


def test_an_expression_is_kept_with_its_blanks_normalised() -> None:
    assert cron(" 0\t\t9  * * MON ").expression == "0 9 * * MON"
    assert cron("@daily").expression == "@daily"


def test_the_same_text_gives_the_same_equal_hashable_schedule() -> None:
    assert cron("0 9 * * *") is cron("0 9 * * *")
    assert cron("0 9 * * *") != cron("0 9 * * *", "Europe/Paris")
    assert pickle.loads(pickle.dumps(cron("0 9 * * *"))) == cron("0 9 * * *")
    assert len({cron("0 9 * * *"), cron("0  9 * * *")}) == 1


@pytest.mark.parametrize(
    ("expression", "runs"),
    [
        ("@yearly", ["2027-01-01 00:00", "2028-01-01 00:00"]),
        ("@annually", ["2027-01-01 00:00", "2028-01-01 00:00"]),
        ("@monthly", ["2026-02-01 00:00", "2026-03-01 00:00"]),
        ("@weekly", ["2026-01-04 00:00", "2026-01-11 00:00"]),
        ("@daily", ["2026-01-02 00:00", "2026-01-03 00:00"]),
        ("@midnight", ["2026-01-02 00:00", "2026-01-03 00:00"]),
        ("@hourly", ["2026-01-01 01:00", "2026-01-01 02:00"]),
        ("0 0 13 * 5", ["2026-01-02 00:00", "2026-01-09 00:00", "2026-01-13 00:00"]),
        ("0 0 1-31 * 5", ["2026-01-02 00:00", "2026-01-03 00:00"]),
        ("0 0 13 * 0-7", ["2026-01-02 00:00", "2026-01-03 00:00"]),
        ("0 0 */2 * 5", ["2026-01-09 00:00", "2026-01-23 00:00"]),
        ("0 0 13 * */5", ["2026-02-13 00:00", "2026-03-13 00:00", "2026-09-13 00:00"]),
        ("0 0 13 * *,5", ["2026-01-13 00:00", "2026-02-13 00:00"]),
        ("0 0 13 * 5,*", ["2026-01-02 00:00", "2026-01-03 00:00"]),
        ("0 0 31 2 1", ["2026-02-02 00:00", "2026-02-09 00:00"]),
        ("0 0 29 2 */7", ["2032-02-29 00:00", "2060-02-29 00:00", "2088-02-29 00:00"]),
        ("0 0 * * */2", ["2026-01-03 00:00", "2026-01-04 00:00", "2026-01-06 00:00"]),
        ("0 0 * * 1-7/3", ["2026-01-04 00:00", "2026-01-05 00:00", "2026-01-08 00:00"]),
        (
            "*/25 3 * * *",
            ["2026-01-01 03:00", "2026-01-01 03:25", "2026-01-01 03:50", "2026-01-02 03:00"],
        ),
    ],
)
def test_when_it_is_due(expression: str, runs: list[str]) -> None:
    assert first_runs(expression, len(runs)) == runs


def test_next_is_strictly_after_and_latest_may_be_now() -> None:
    every_minute, noon = cron("* * * * *"), utc("2026-05-01 12:00")
    half = timedelta(milliseconds=500)
    assert every_minute.next(noon) == noon + timedelta(minutes=1)
    assert every_minute.next(noon + half) == noon + timedelta(minutes=1)
    assert every_minute.next(noon - half) == noon
    assert every_minute.latest(noon) == noon
    assert every_minute.latest(noon + half) == noon
    assert every_minute.latest(noon - half) == noon - timedelta(minutes=1)


@pytest.mark.parametrize(
    ("expression", "zone", "day", "runs"),
    [
        ("30 2 * * *", "Europe/Paris", "2026-03-29", ["01:00"]),  # 02:30 is skipped, so at 03:00
        ("0,30 0-23 * * 0", "Europe/Paris", "2026-03-29", ["00:00", "00:30", "01:00", "01:30"]),
        (
            "30 */2 * * *",
            "Europe/Paris",
            "2026-03-29",
            ["02:30", "04:30", "06:30", "08:30"],
        ),  # runs by the real minutes
        ("*/30 2 * * *", "Europe/Paris", "2026-03-29", []),
        ("30 2 * * *", "Europe/Paris", "2026-10-25", ["00:30"]),  # the first of two 02:30
        ("*/30 2 * * *", "Europe/Paris", "2026-10-25", ["00:00", "00:30", "01:00", "01:30"]),
        ("0 2 * * *", "Australia/Lord_Howe", "2025-10-04", ["15:30"]),  # half an hour
        ("0 12 30 12 *", "Pacific/Apia", "2011-12-30", []),  # a day that never was
        ("30 23 * * *", "Antarctica/Casey", "2010-03-04", ["12:30"]),  # three hours back: not again
        (
            "30 23 * * *",
            "Antarctica/Vostok",
            "1994-01-31",
            ["16:30", "23:30"],
        ),  # seven: a correction
        ("15 0 * * *", "Africa/Monrovia", "1972-01-07", ["00:44"]),  # offsets with seconds
    ],
)
def test_when_clocks_change(expression: str, zone: str, day: str, runs: list[str]) -> None:
    start = utc(day) - timedelta(seconds=1)
    found = cron(expression, zone).between(start, start + timedelta(days=1), 4)
    assert [f"{run:%H:%M}" for run in found] == runs


@pytest.mark.parametrize("expression", ["* * * * *", "0 0 29 2 *", "0 0 1 1 *"])
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "America/New_York"])
def test_beyond_1970_and_2900_there_is_nothing(expression: str, zone: str) -> None:
    schedule = cron(expression, zone)
    for moment in (
        datetime.min.replace(tzinfo=UTC),
        utc("1969-12-31 23:59"),
        utc("2901-01-01"),
        utc("9999-12-31"),
    ):
        assert schedule.next(moment) is None
        assert schedule.latest(moment) is None
    schedule.latest(utc("1970-01-01"))
    assert schedule.next(utc("2900-12-31 23:59:59")) is None
    ever = schedule.count(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
    assert ever > 200


def test_nothing_is_due_in_a_time_that_ends_before_it_starts() -> None:
    schedule, later = cron("* * * * *"), NEW_YEAR + timedelta(hours=1)
    assert schedule.count(later, NEW_YEAR) == 0
    assert schedule.between(later, NEW_YEAR, 5) == []
    assert schedule.between(NEW_YEAR, later, 0) == []


def test_counting_every_minute_of_ten_years_is_quick_and_knows_clock_changes() -> None:
    schedule, end = cron("* * * * *", "Europe/Paris"), NEW_YEAR.replace(year=2036)
    schedule.count(NEW_YEAR, end)
    start = time.perf_counter()
    assert schedule.count(NEW_YEAR, end) == 3652 * 24 * 60
    assert time.perf_counter() - start < 0.05
    assert cron("0 1-3 * * *", "Europe/Paris").count(NEW_YEAR, end) == 3652 * 3 - 10


def test_threads_share_a_schedule() -> None:
    schedule = cron("*/7 3-5 * * *", "Europe/Paris")
    moments = [NEW_YEAR + timedelta(minutes=random.Random(n).randrange(10**6)) for n in range(400)]
    alone = [(schedule.next(moment), schedule.latest(moment)) for moment in moments]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda at: (schedule.next(at), schedule.latest(at)), moments * 3))
    assert together == alone * 3


@given(st.text(max_size=200) | st.text("0123456789*/,-@ \tadefhilmnoruvy", max_size=200))
@settings(deadline=None, max_examples=400, derandomize=True)
def test_any_text_is_taken_or_refused_with_one_line(text: str) -> None:
    try:
        schedule = parse_schedule(text)
    except ScheduleError as refused:
        reason = str(refused)
        assert reason
        assert reason.isprintable()
        return
    assert isinstance(schedule, Interval) or schedule.next(NEW_YEAR) is not None


@given(st.text(max_size=40))
@settings(deadline=None, max_examples=200, derandomize=True)
def test_any_text_is_a_time_zone_or_a_time_zone_error(text: str) -> None:
    try:
        parse_schedule("* * * * *", text)
    except TimezoneError:
        return
    assert text in zone_names()


@pytest.mark.parametrize(
    "expression",
    [
        "0 0 29 2 */7",
        "59 23 31 12 */6",
        "0," * 63 + "0 * * * *",
        "*" * 200,
        "0 0 30 2 " * 20,
        "1-" * 80,
        "@every " + "9d" * 70,
    ],
)
def test_any_schedule_costs_little(expression: str) -> None:
    start = time.process_time()
    try:
        schedule = parse_schedule(expression, "Asia/Gaza")
        assert isinstance(schedule, CronSchedule)
        schedule.next(utc("2089-01-01"))
    except ScheduleError:
        pass
    assert time.process_time() - start < 0.1


def test_zones_do_not_depend_on_the_files_of_the_machine() -> None:
    code = "import chalicelib.domain.schedule.schedule, sys, zoneinfo; sys.exit(zoneinfo.TZPATH != ())"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
