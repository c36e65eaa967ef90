"""What good and bad runs make of a cron: tolerance, recovery, and the incident between."""

import pytest

from chalicelib.domain.monitor.cron import Reason, Status
from chalicelib.domain.monitor.event import EventKind
from chalicelib.domain.monitor.incident import Resolution
from tests.unit.watched import Watched, at


def test_the_first_failure_opens_an_incident_and_the_first_success_closes_it() -> None:
    watched = Watched(since="09:30")

    watched.fail("10:00", exit_code=3)
    assert (watched.cron.status, watched.cron.reason) == (Status.DOWN, Reason.FAILED)

    watched.success("11:00")
    assert (watched.cron.status, watched.cron.reason) == (Status.UP, None)
    assert watched.told == [EventKind.FAILED, EventKind.RECOVERED]
    assert [event.detail for event in watched.events] == ["failed with exit code 3", "down for 1 h 0 min"]
    [incident] = watched.incidents.values()
    assert (incident.opened_at, incident.resolved_at) == (at("10:00"), at("11:00"))
    assert incident.resolution is Resolution.RECOVERED


def test_further_failures_while_down_tell_nobody_and_open_nothing() -> None:
    watched = Watched(since="09:30")

    for hour in (10, 11, 12):
        watched.fail(f"{hour}:00")

    assert watched.told == [EventKind.FAILED]
    assert len(watched.incidents) == 1


def test_as_many_bad_runs_in_a_row_as_are_tolerated_are_forgiven() -> None:
    watched = Watched(since="09:30", failure_tolerance=2)

    watched.fail("10:00")
    watched.fail("11:00")
    assert watched.status() is Status.UP

    watched.fail("12:00")
    assert watched.status() is Status.DOWN


def test_a_good_run_between_begins_the_tolerance_anew() -> None:
    watched = Watched(since="09:30", failure_tolerance=1)

    watched.fail("10:00")
    watched.success("11:00")
    watched.fail("12:00")

    assert watched.status() is Status.UP


def test_missed_failed_and_timed_out_runs_add_up() -> None:
    watched = Watched(since="09:30", failure_tolerance=2, max_runtime_seconds=60)

    watched.look("10:06")
    watched.start("11:00")
    watched.look("11:01")
    assert watched.status() is Status.UP

    watched.fail("12:00")
    assert watched.cron.reason is Reason.FAILED


def test_it_takes_as_many_good_runs_in_a_row_as_are_set_to_recover() -> None:
    watched = Watched(since="09:30", recovery_threshold=2)
    watched.fail("10:00")

    watched.success("11:00")
    watched.fail("12:00")
    watched.success("13:00")
    assert watched.status() is Status.DOWN

    watched.success("14:00")
    assert watched.status() is Status.UP
    assert watched.told == [EventKind.FAILED, EventKind.RECOVERED]


def test_a_start_alone_brings_nothing_up() -> None:
    watched = Watched(since="09:30")
    watched.look("10:06")

    watched.start("10:07")

    assert watched.status() is Status.DOWN


def test_failed_and_then_missed_is_one_incident_that_keeps_its_reason() -> None:
    watched = Watched(since="09:30")

    watched.fail("10:00")
    watched.look("11:06")

    assert watched.cron.reason is Reason.FAILED
    assert watched.told == [EventKind.FAILED]
    [incident] = watched.incidents.values()
    assert incident.missed == 1


def test_a_forgiven_miss_of_a_cron_that_never_signalled_leaves_it_new() -> None:
    watched = Watched(since="09:30", failure_tolerance=1)

    watched.look("10:06")

    assert watched.missed == [at("10:00")]
    assert watched.status() is Status.NEW


@pytest.mark.parametrize(
    ("until", "words"),
    [("10:00:20", "20 s"), ("10:01:05", "1 min 5 s"), ("10:59:59.700", "1 h 0 min"), ("16 11:59", "25 h 59 min")],
)
def test_how_long_it_was_down_is_told_in_words(until: str, words: str) -> None:
    watched = Watched(since="09:30", schedule=None)
    watched.fail("10:00")

    watched.success(until)

    assert watched.events[-1].detail == f"down for {words}"
