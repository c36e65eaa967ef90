"""Missed occurrences: each recorded once, however long nobody looked."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.monitor.cron import Reason, Status
from chalicelib.domain.monitor.deadlines import due_at
from chalicelib.domain.monitor.decision import Decision
from chalicelib.domain.monitor.event import EventKind
from chalicelib.domain.monitor.misses import RECORDS_AT_ONCE
from chalicelib.domain.runs.run import RunStatus
from tests.unit.watched import HOUR, MINUTE, SECOND, Watched, at


def test_a_missed_occurrence_is_a_run_an_incident_and_an_event() -> None:
    watched = Watched(since="09:30")

    watched.look("10:06")

    [run] = watched.runs.values()
    assert (run.status, run.scheduled_at, run.occurrences) == (RunStatus.MISSED, at("10:00"), 1)
    assert watched.cron.reason is Reason.MISSED
    [incident] = watched.incidents.values()
    assert incident.missed == 1
    [event] = watched.events
    assert (event.kind, event.about, event.run_id) == (EventKind.MISSED, at("10:00"), run.id)
    assert event.detail == "expected 2026-06-15 10:00:00 UTC"


def test_an_occurrence_still_in_its_grace_is_not_missed_with_the_ones_before_it() -> None:
    watched = Watched(since="09:30")

    watched.look("12:05")

    assert watched.missed == [at("10:00"), at("11:00")]
    assert watched.cron.expected_at == at("12:00")


@pytest.mark.parametrize(
    ("missed", "records"),
    [(1, 1), (24, 24), (25, 25), (26, 25), (27, 25), (500, 25), (10_080, 25)],
)
def test_of_a_long_outage_the_earliest_share_one_record_and_all_are_counted(missed: int, records: int) -> None:
    watched = Watched(since="09:59:30", schedule="* * * * *")

    decision = watched.look(at("10:00") + missed * MINUTE)

    runs = [write.run for write in decision.writes]
    assert len(runs) == records <= RECORDS_AT_ONCE
    assert sum(run.occurrences for run in runs) == missed
    assert [run.occurrences for run in runs[1:]] == [1] * (records - 1)
    last = runs[-1].scheduled_until or runs[-1].scheduled_at
    assert last == at("10:00") + (missed - 1) * MINUTE
    assert watched.cron.incident is not None
    assert watched.cron.incident.missed == missed


def test_the_shared_record_and_the_single_ones_follow_each_other_without_gap_or_overlap() -> None:
    watched = Watched(since="09:59:30", schedule="* * * * *")

    watched.look("12:00")

    assert watched.missed == [at("10:00") + number * MINUTE for number in range(120)]


def test_a_summary_record_spends_the_tolerance_by_all_that_it_stands_for() -> None:
    watched = Watched(since="09:59:30", schedule="* * * * *", failure_tolerance=10)

    watched.look("12:00")

    assert watched.status() is Status.DOWN
    assert watched.cron.incident is not None
    assert watched.cron.incident.missed == 110


def test_an_incident_counts_what_was_missed_since_its_opening_and_not_what_was_forgiven() -> None:
    prompt = Watched(since="09:30", failure_tolerance=2)
    late = Watched(since="09:30", failure_tolerance=2)

    for hour in range(10, 15):
        prompt.look(f"{hour}:06")
    late.look("14:06")

    assert prompt.cron.incident is not None
    assert late.cron.incident is not None
    assert prompt.cron.incident.missed == late.cron.incident.missed == 3


def test_while_down_it_is_counted_once_an_hour_and_told_to_nobody() -> None:
    watched = Watched(since="09:59:30", schedule="*/10 * * * *")
    looks = 0

    while (due := due_at(watched.cron)) is not None and due < at("16 10:00"):
        watched.look(due)
        looks += 1

    assert looks <= 26  # late, missed, and then once an hour
    assert len(watched.missed) == len(set(watched.missed)) == 23 * 6 + 1
    assert watched.told == [EventKind.LATE, EventKind.MISSED]


def test_failed_runs_leave_misses_to_be_seen_at_once() -> None:
    watched = Watched(since="09:30")
    watched.fail("10:00")

    assert due_at(watched.cron) == at("11:06")


def test_a_look_between_signals_records_what_the_signal_would_have() -> None:
    watched = Watched(since="09:30")
    watched.look("12:03")

    watched.success("12:04")

    assert watched.missed == [at("10:00"), at("11:00")]


def test_with_a_grace_longer_than_the_period_misses_wait_for_it() -> None:
    watched = Watched(since="09:59:30", schedule="*/5 * * * *", grace_seconds=3600)

    watched.look("10:59:59")
    assert watched.missed == []

    watched.look("11:05")
    assert watched.missed == [at("10:00"), at("10:05")]


def test_each_occurrence_has_the_grace_of_its_own_period() -> None:
    # From 10:00 to 10:01 it is a minute, so 60 s; from 10:01 to tomorrow a day, so an hour.
    watched = Watched(since="09:30", schedule="0,1 10 * * *")

    watched.look("10:01")
    assert watched.missed == [at("10:00")]

    watched.look("11:00:59")
    assert watched.missed == [at("10:00")]

    watched.look("11:01")
    assert watched.missed == [at("10:00"), at("10:01")]


def test_an_interval_that_nobody_kept_is_missed_each_time_it_comes_round() -> None:
    watched = Watched(since="09:30", schedule="@every 10m")

    watched.look("10:01")

    assert watched.missed == [at("09:40"), at("09:50"), at("10:00")]
    assert watched.cron.expected_at == at("10:10")


def test_what_is_missed_over_a_clock_change_is_what_the_schedule_names() -> None:
    watched = Watched(since="2026-03-28 20:00", schedule="30 * * * *", timezone="Europe/Berlin")

    watched.look("2026-03-29 04:00")

    assert watched.missed == [at("2026-03-28 20:30") + number * HOUR for number in range(8)]


SETTINGS = st.fixed_dictionaries(
    {
        "schedule": st.sampled_from(["* * * * *", "*/7 * * * *", "0,1 10 * * *", "0 * * * *", "@every 90s"]),
        "timezone": st.sampled_from(["UTC", "Europe/Berlin"]),
        "grace_seconds": st.sampled_from([None, 0, 30, 600]),
        "failure_tolerance": st.sampled_from([0, 1, 2, 90]),
    }
)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(SETTINGS, st.lists(st.integers(1, 3600), max_size=12))
def test_however_often_one_looks_the_same_is_found(given_settings: dict[str, Any], pauses: list[int]) -> None:
    since = at("2026-10-24 22:30")
    often, once = (Watched(since, **given_settings) for _ in range(2))
    now = since

    for pause in pauses:
        now += pause * SECOND
        often.look(now)
    once.look(now)

    assert often.missed == once.missed
    assert often.cron.status is once.cron.status
    assert often.cron.expected_at == once.cron.expected_at
    assert often.cron.late_alerted == once.cron.late_alerted
    assert _missed_in_incident(often) == _missed_in_incident(once)


def _missed_in_incident(watched: Watched) -> int | None:
    return watched.cron.incident.missed if watched.cron.incident else None


def test_looking_early_or_twice_does_no_harm() -> None:
    watched = Watched(since="09:30")
    assert watched.look("10:02:59").writes == ()

    watched.look("10:06")
    again = watched.look("10:06")

    assert again == Decision(again.cron)
    assert due_at(watched.cron) == at("11:06")
