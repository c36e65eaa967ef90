"""Maintenance windows, against a slow model that walks through them minute by minute."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.monitor.cron import Cron, Settings
from chalicelib.domain.monitor.maintenance import (
    LONGEST,
    MaintenanceWindow,
    covering,
    covers,
    faults,
    in_maintenance,
    is_active,
    maintained_until,
    next_spans,
)
from chalicelib.domain.schedule.schedule import CronSchedule, Interval, parse_schedule

MINUTE = timedelta(minutes=1)
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def window(**fields: Any) -> MaintenanceWindow:
    return MaintenanceWindow("o", "w", "n", fields.pop("created_at", NOON), **fields)


def once(start: str, end: str) -> MaintenanceWindow:
    return window(starts_at=at(start), ends_at=at(end))


def repeating(schedule: str, minutes: int, **fields: Any) -> MaintenanceWindow:
    return window(schedule=schedule, duration_minutes=minutes, **fields)


CRON = Cron(
    org_id="o",
    id="c1",
    product="shop",
    service="nightly",
    name="backup",
    settings=Settings(tags=("db", "eu"), project_id="p1"),
    created_at=NOON,
)


@pytest.mark.parametrize(
    ("scope", "covered"),
    [
        ({}, True),
        ({"product": "shop"}, True),
        ({"product": "Shop"}, False),
        ({"service": "nightly"}, True),
        ({"service": "daily"}, False),
        ({"project_id": "p1"}, True),
        ({"project_id": "p2"}, False),
        ({"tags": ("us", "eu")}, True),
        ({"tags": ("us",)}, False),
        ({"cron_ids": ("c1", "c2")}, True),
        ({"cron_ids": ("c2",)}, False),
        ({"product": "shop", "service": "nightly", "tags": ("db",), "cron_ids": ("c1",)}, True),
        ({"product": "shop", "service": "nightly", "tags": ("db",), "cron_ids": ("c2",)}, False),
        ({"product": "shop", "tags": ("us",)}, False),
    ],
)
def test_all_that_a_scope_gives_must_fit(scope: dict[str, Any], covered: bool) -> None:
    one = window(**scope)

    assert covers(one, CRON) is covered
    assert covering([one, window(product="other")], CRON) == ((one,) if covered else ())


@pytest.mark.parametrize(
    "one",
    [
        once("2026-03-10T13:00", "2026-03-10T14:00"),
        repeating("0 13 * * *", 60),
        repeating("0 * * * *", 60, starts_at=at("2026-03-10T13:00"), ends_at=at("2026-03-10T14:00")),
    ],
)
def test_a_span_holds_its_start_and_not_its_end(one: MaintenanceWindow) -> None:
    start, end, instant = at("2026-03-10T13:00"), at("2026-03-10T14:00"), timedelta(milliseconds=1)
    seen = [is_active(one, moment) for moment in (start - instant, start, end - instant, end)]

    assert seen == [False, True, True, False]


def test_windows_that_overlap_or_touch_are_one_maintenance() -> None:
    chain = [
        once("2026-03-10T15:00", "2026-03-10T16:00"),
        once("2026-03-10T13:00", "2026-03-10T14:00"),
        once("2026-03-10T13:30", "2026-03-10T15:00"),
        once("2026-03-10T16:01", "2026-03-10T17:00"),
    ]

    assert maintained_until(chain, at("2026-03-10T13:00")) == at("2026-03-10T16:00")
    assert maintained_until(chain, at("2026-03-10T16:00")) is None
    assert maintained_until(chain, at("2026-03-10T16:01")) == at("2026-03-10T17:00")
    assert maintained_until([], NOON) is None


def test_a_repeating_window_begins_with_its_creation_and_may_be_bounded() -> None:
    free = repeating("0 * * * *", 30, created_at=at("2026-03-10T12:10"))
    bounded = free._replace(starts_at=at("2026-03-10T14:15"), ends_at=at("2026-03-10T15:10"))

    assert next_spans(free, at("2026-03-10T00:00"), 2) == [
        (at("2026-03-10T12:10"), at("2026-03-10T12:30")),
        (at("2026-03-10T13:00"), at("2026-03-10T13:30")),
    ]
    assert next_spans(bounded, at("2026-03-10T00:00"), 9) == [
        (at("2026-03-10T14:15"), at("2026-03-10T14:30")),
        (at("2026-03-10T15:00"), at("2026-03-10T15:10")),
    ]
    assert maintained_until([bounded], at("2026-03-10T15:05")) == at("2026-03-10T15:10")


def test_an_interval_counts_from_where_the_repetition_begins() -> None:
    one = repeating("@every 90m", 10, starts_at=at("2026-03-10T12:05"))

    assert next_spans(one, NOON, 3) == [
        (at("2026-03-10T12:05"), at("2026-03-10T12:15")),
        (at("2026-03-10T13:35"), at("2026-03-10T13:45")),
        (at("2026-03-10T15:05"), at("2026-03-10T15:15")),
    ]


def test_a_window_lasts_as_long_on_the_days_that_clocks_change() -> None:
    one = repeating("30 1 * * *", 120, timezone="Europe/Paris")

    assert next_spans(one, at("2026-03-28T12:00"), 1) == [(at("2026-03-29T00:30"), at("2026-03-29T02:30"))]
    assert next_spans(one, at("2026-10-24T12:00"), 1) == [(at("2026-10-24T23:30"), at("2026-10-25T01:30"))]


def test_a_window_in_the_hour_that_is_skipped_comes_as_the_clock_jumps() -> None:
    one = repeating("30 2 * * *", 15, timezone="Europe/Paris")

    assert next_spans(one, at("2026-03-28T12:00"), 1) == [(at("2026-03-29T01:00"), at("2026-03-29T01:15"))]


def test_maintenance_without_end_is_followed_for_ninety_days_at_most() -> None:
    assert maintained_until([repeating("0 0 * * *", 1440)], at("2026-03-11T07:00")) == at("2026-06-09T07:00")


def test_maintenance_of_very_many_spans_is_followed_for_a_while() -> None:
    until = maintained_until([repeating("* * * * *", 1)], NOON)

    assert until is not None
    assert NOON + 60 * MINUTE < until < NOON + LONGEST


def test_the_longest_window_is_followed_to_its_end() -> None:
    one = once("2026-03-10T13:00", "2026-06-08T13:00")

    assert maintained_until([one], at("2026-03-10T13:00")) == at("2026-06-08T13:00")
    assert faults(one) == ()


@pytest.mark.parametrize(
    ("fields", "fields_wrong"),
    [
        ({}, ["starts_at"]),
        ({"starts_at": NOON}, ["ends_at"]),
        ({"ends_at": NOON}, ["starts_at"]),
        ({"starts_at": NOON, "ends_at": NOON}, ["ends_at"]),
        ({"starts_at": NOON, "ends_at": NOON + MINUTE, "duration_minutes": 5}, ["duration_minutes"]),
        ({"starts_at": NOON, "ends_at": NOON + LONGEST + MINUTE}, ["ends_at"]),
        ({"schedule": "@daily"}, ["duration_minutes"]),
        ({"schedule": "@daily", "duration_minutes": 5}, []),
        ({"schedule": "@daily", "duration_minutes": 5, "ends_at": NOON}, ["ends_at"]),
        ({"schedule": "@daily", "duration_minutes": 5, "starts_at": NOON, "ends_at": NOON + LONGEST * 9}, []),
    ],
)
def test_what_is_wrong_with_a_window_as_a_whole(fields: dict[str, Any], fields_wrong: list[str]) -> None:
    assert [fault.field for fault in faults(window(**fields))] == fields_wrong


# The slow model: every span of a window, found by trying each minute of a few days for its start.

ZONES = ["UTC", "Europe/Paris", "Australia/Lord_Howe", "America/St_Johns"]
# Around the nights when clocks change in Paris; and in Lord Howe, where they do by half an hour.
BEGINS = [at("2026-03-10T00:00"), at("2026-03-28T12:00"), at("2026-04-04T06:00"), at("2026-10-24T12:00")]
LENGTH = 36 * 60
BEFORE = 12 * 60
SCHEDULES = [
    "0 * * * *",
    "*/7 * * * *",
    "30 1 * * *",
    "30 2 * * *",
    "15,45 0-3 * * *",
    "0 */5 * * *",
    "@every 37m",
]


def minutes_of(begin: datetime) -> list[datetime]:
    return [begin + number * MINUTE for number in range(-BEFORE, LENGTH)]


@cache
def cron_starts(schedule: CronSchedule, begin: datetime) -> list[datetime]:
    return [*counted_starts(schedule, minutes_of(begin))]


def counted_starts(schedule: CronSchedule, minutes: list[datetime]) -> Iterator[datetime]:
    """Those of the minutes at which it begins, by `count` alone: halves without any are left out."""
    just_before = timedelta(milliseconds=1)
    if not schedule.count(minutes[0] - just_before, minutes[-1]):
        return
    if len(minutes) == 1:
        yield minutes[0]
        return
    half = len(minutes) // 2
    yield from counted_starts(schedule, minutes[:half])
    yield from counted_starts(schedule, minutes[half:])


def model_starts(one: MaintenanceWindow, begin: datetime) -> list[datetime]:
    assert one.schedule is not None
    schedule = parse_schedule(one.schedule, one.timezone)
    if isinstance(schedule, CronSchedule):
        return cron_starts(schedule, begin)
    assert isinstance(schedule, Interval)
    step = timedelta(seconds=schedule.seconds)
    return [minute for minute in minutes_of(begin) if minute >= one.since and not (minute - one.since) % step]


def model_active(windows: list[MaintenanceWindow], begin: datetime) -> set[datetime]:
    """The minutes that are in maintenance."""
    active = set()
    for one in windows:
        if one.schedule is None:
            spans = [(one.since, one.until)]
        else:
            length = (one.duration_minutes or 0) * MINUTE
            spans = [(start, start + length) for start in model_starts(one, begin)]
        for start, end in spans:
            minute = max(start, one.since)
            while minute < min(end, one.until):
                active.add(minute)
                minute += MINUTE
    return active


@st.composite
def some_windows(draw: st.DrawFn) -> tuple[datetime, list[MaintenanceWindow]]:
    begin = draw(st.sampled_from(BEGINS))
    moments = st.integers(0, LENGTH).map(lambda number: begin + number * MINUTE)
    spans = st.tuples(moments, st.integers(1, 300)).map(
        lambda span: window(starts_at=span[0], ends_at=span[0] + span[1] * MINUTE)
    )
    repeated = st.builds(
        lambda schedule, zone, minutes, created, starts, ends: repeating(
            schedule, minutes, timezone=zone, created_at=created, starts_at=starts, ends_at=ends
        ),
        st.sampled_from(SCHEDULES),
        st.sampled_from(ZONES),
        st.integers(1, 400),
        moments,
        st.none() | moments,
        st.none() | moments,
    )
    return begin, draw(st.lists(spans | repeated, min_size=1, max_size=4))


@given(some_windows(), st.integers(0, LENGTH - 1))
@settings(max_examples=150, deadline=None)
def test_windows_are_as_the_slow_model_has_them(
    found: tuple[datetime, list[MaintenanceWindow]], number: int
) -> None:
    begin, windows = found
    now = begin + number * MINUTE
    active = model_active(windows, begin)
    until = now
    while until in active:
        until += MINUTE

    edges = active ^ {minute + MINUTE for minute in active}
    for minute in (now, *sorted(edges)[:20]):
        if begin <= minute < begin + LENGTH * MINUTE:
            assert in_maintenance(windows, minute) is (minute in active)
    reached = maintained_until(windows, now)
    if until == now:
        assert reached is None
    # The model sees no span that begins beyond its last minute.
    elif until < begin + LENGTH * MINUTE:
        assert reached is not None
        # Only so many spans are followed: at least a minute by each.
        assert reached == until or now + 100 * MINUTE <= reached < until


@given(some_windows(), st.integers(0, LENGTH - 1))
@settings(max_examples=150, deadline=None)
def test_spans_to_show_are_those_that_are_active(
    found: tuple[datetime, list[MaintenanceWindow]], number: int
) -> None:
    begin, windows = found
    now = begin + number * MINUTE
    for one in windows:
        spans = next_spans(one, now, 3)
        active = model_active([one], begin)
        assert spans == sorted(spans)
        assert all(max(start, begin) < end and end > now for start, end in spans)
        for start, end in spans:
            if end < begin + LENGTH * MINUTE:
                minutes = [start + offset * MINUTE for offset in range((end - start) // MINUTE)]
                assert set(minutes) <= active
        first_start = next((minute for minute in sorted(active) if minute >= now), None)
        if first_start is not None:
            assert spans[0][0] <= first_start < spans[0][1]
