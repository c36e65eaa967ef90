"""When somebody has to look at a cron again, and for how long nobody has."""

from datetime import timedelta

import pytest

from chalicelib.domain.monitor.cron import Status
from chalicelib.domain.monitor.deadlines import due_at, effective_grace, tolerance_of
from chalicelib.domain.monitor.event import EventKind
from tests.unit.watched import HOUR, MINUTE, SECOND, Watched, at, new_cron


@pytest.mark.parametrize(
    ("schedule", "grace", "tolerance"),
    [
        ("* * * * *", 60 * SECOND, 30 * SECOND),  # a tenth would be 6 s
        ("*/20 * * * *", 2 * MINUTE, MINUTE),
        ("0 * * * *", 6 * MINUTE, 3 * MINUTE),
        ("0 2 * * *", HOUR, 15 * MINUTE),  # a tenth would be 2.4 h; half of it 30 min
        ("@every 30s", 60 * SECOND, 30 * SECOND),
        ("@every 1h", 6 * MINUTE, 3 * MINUTE),
    ],
)
def test_grace_is_a_tenth_of_the_period_and_drift_half_of_it_within_bounds(
    schedule: str, grace: timedelta, tolerance: timedelta
) -> None:
    cron = new_cron(at("09:30"), schedule=schedule)

    assert effective_grace(cron) == grace
    assert tolerance_of(cron) == tolerance


@pytest.mark.parametrize(
    ("grace", "tolerance"), [(0, 30), (60, 30), (61, 30.5), (1800, 900), (1801, 900), (86400, 900)]
)
def test_a_grace_that_is_given_is_taken_as_it_is(grace: int, tolerance: float) -> None:
    cron = new_cron(at("09:30"), schedule="0 * * * *", grace_seconds=grace)

    assert effective_grace(cron) == grace * SECOND
    assert tolerance_of(cron) == tolerance * SECOND


def test_a_new_cron_is_due_when_it_would_be_late_and_then_when_it_would_be_missed() -> None:
    watched = Watched(since="09:30")
    assert due_at(watched.cron) == at("10:03")

    watched.look("10:03")
    assert watched.told == [EventKind.LATE]
    assert due_at(watched.cron) == at("10:06")

    watched.look("10:06")
    assert watched.told == [EventKind.LATE, EventKind.MISSED]
    assert watched.status() is Status.DOWN


def test_a_grace_under_the_tolerance_makes_it_missed_without_being_late_first() -> None:
    watched = Watched(since="09:30", grace_seconds=10)
    assert due_at(watched.cron) == at("10:00:10")

    watched.look("10:00:10")

    assert watched.told == [EventKind.MISSED]


def test_a_millisecond_before_a_deadline_is_in_time() -> None:
    watched = Watched(since="09:30")

    watched.look("10:05:59.999")
    assert watched.missed == []

    watched.look("10:06")
    assert watched.missed == [at("10:00")]


def test_while_down_it_is_looked_at_once_an_hour_at_most() -> None:
    watched = Watched(since="09:59:30", schedule="* * * * *")
    watched.look("10:01")
    assert due_at(watched.cron) == at("11:01")

    watched.look("11:01")

    assert due_at(watched.cron) == at("12:01")
    assert watched.cron.incident is not None
    assert watched.cron.incident.missed == 61


def test_an_open_run_is_due_when_it_would_overrun_and_when_it_would_time_out() -> None:
    watched = Watched(since="09:30", max_runtime_seconds=1800)
    for hour in (10, 11, 12):
        watched.start(f"{hour}:00")
        watched.success(f"{hour}:05")
    watched.start("13:00")
    assert due_at(watched.cron) == at("13:15")

    watched.look("13:15")
    assert watched.told == [EventKind.OVERRUNNING]
    assert due_at(watched.cron) == at("13:30")

    watched.look("13:30")
    assert watched.told == [EventKind.OVERRUNNING, EventKind.TIMEOUT]


def test_a_run_that_usually_takes_no_time_is_not_overrunning_within_a_second() -> None:
    watched = Watched(since="09:30")
    for hour in (10, 11, 12):
        watched.success(f"{hour}:00", duration_ms=10)

    watched.start("13:00")

    assert due_at(watched.cron) == at("13:00:01.010")


def test_nobody_has_to_look_at_what_is_paused_archived_or_without_a_schedule() -> None:
    paused = Watched(since="09:30", max_runtime_seconds=60)
    paused.start("09:31")
    paused.pause("09:32")

    assert due_at(paused.cron) is None
    assert due_at(new_cron(at("09:30"))._replace(archived_at=at("09:31"))) is None
    assert due_at(new_cron(at("09:30"))) is None


@pytest.mark.parametrize("arrival", ["10:00", "09:59:01", "10:02:59"])
def test_a_job_that_signals_in_time_is_never_due(arrival: str) -> None:
    watched = Watched(since="09:30")

    for hours in range(48):
        now = at(arrival) + hours * HOUR
        due = due_at(watched.cron)
        assert due is not None
        assert due > now
        watched.success(f"{now:%Y-%m-%d %H:%M:%S}")

    assert watched.told == []


def test_the_tolerance_of_a_run_is_that_of_its_own_occurrence() -> None:
    # From 9 to 10 it is an hour, so 3 min; from 10 to the next 9 it is 23 hours, so 15 min.
    watched = Watched(since="08:00", schedule="0 9,10 * * *")

    nine = watched.start("09:04")
    watched.success("09:05")
    ten = watched.success("10:10")

    assert nine.run is not None
    assert nine.run.late
    assert ten.run is not None
    assert not ten.run.late
    assert ten.drift is None


def test_a_late_run_stays_late_when_it_ends() -> None:
    watched = Watched(since="08:00", schedule="0 9,10 * * *")
    watched.start("09:04")

    going_on = watched.running("09:06")
    ended = watched.success("09:20")

    assert going_on.run is not None
    assert going_on.run.late
    assert ended.run is not None
    assert ended.run.late
