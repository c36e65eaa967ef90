"""Runs that last longer than they may."""

from typing import Any

import pytest

from chalicelib.domain.monitor.cron import Reason, Status
from chalicelib.domain.monitor.deadlines import due_at
from chalicelib.domain.monitor.event import EventKind
from chalicelib.domain.runs.run import RunStatus
from tests.unit.watched import Watched, at


def timed_out_at_half_past_ten(**settings: Any) -> Watched:
    watched = Watched(since="09:30", max_runtime_seconds=1800, **settings)
    watched.start("10:00", key="a")
    watched.look("10:30")
    return watched


def the_run(watched: Watched) -> RunStatus:
    return watched.runs[watched.claims["a"]].status


def test_a_run_is_timed_out_at_its_longest_and_not_before() -> None:
    watched = Watched(since="09:30", max_runtime_seconds=1800)
    watched.start("10:00", key="a")
    assert due_at(watched.cron) == at("10:30")

    watched.look("10:29:59.999")
    assert the_run(watched) is RunStatus.RUNNING

    watched.look("10:30")
    assert (watched.cron.status, watched.cron.reason) == (Status.DOWN, Reason.TIMEOUT)
    assert watched.cron.open_runs == ()
    [event] = watched.events
    assert event.kind is EventKind.TIMEOUT
    assert event.detail == "running since 10:00:00 UTC, longer than 1800 s"


def test_the_longest_counts_from_when_the_start_arrived() -> None:
    watched = Watched(since="09:30", max_runtime_seconds=1800)

    watched.start("10:05", started_at=at("09:00"))

    assert due_at(watched.cron) == at("10:35")


def test_a_good_end_after_the_timeout_recovers_and_stays_recorded_as_timed_out() -> None:
    watched = timed_out_at_half_past_ten()

    decision = watched.success("10:40", key="a")

    assert watched.status() is Status.UP
    assert watched.told == [EventKind.TIMEOUT, EventKind.RECOVERED]
    assert the_run(watched) is RunStatus.TIMEOUT
    assert decision.run is not None
    assert (decision.run.finished_at, decision.run.duration_ms) == (at("10:40"), 40 * 60_000)


def test_a_bad_end_after_the_timeout_is_no_second_bad_run() -> None:
    watched = timed_out_at_half_past_ten(failure_tolerance=1)

    watched.fail("10:40", key="a")

    assert watched.cron.failure_streak == 1
    assert watched.status() is Status.UP


@pytest.mark.parametrize("good", [True, False])
def test_it_ends_once(good: bool) -> None:
    watched = timed_out_at_half_past_ten(recovery_threshold=2)
    end = watched.success if good else watched.fail
    end("10:40", key="a")

    assert end("10:41", key="a").replay
    assert watched.status() is Status.DOWN


def test_a_start_or_a_sign_of_life_after_the_timeout_changes_nothing() -> None:
    watched = timed_out_at_half_past_ten()

    assert watched.start("10:40", key="a").replay
    assert watched.running("10:41", key="a").replay
    assert watched.cron.open_runs == ()


def test_an_end_without_an_id_after_the_timeout_is_an_extra_run() -> None:
    watched = timed_out_at_half_past_ten()

    decision = watched.success("10:40")

    assert decision.run is not None
    assert decision.run.scheduled_at is None
    assert watched.cron.expected_at == at("11:00")
    assert watched.status() is Status.UP


def test_several_runs_may_time_out_in_one_look_as_one_incident() -> None:
    watched = Watched(since="09:30", max_runtime_seconds=1800)
    watched.start("10:00")
    watched.start("10:01")

    watched.look("10:40")

    assert watched.cron.open_runs == ()
    assert watched.told == [EventKind.TIMEOUT]
    assert len(watched.incidents) == 1
    assert [run.status for run in watched.runs.values()] == [RunStatus.TIMEOUT] * 2


def test_a_run_that_timed_out_took_its_occurrence_all_the_same() -> None:
    watched = timed_out_at_half_past_ten()

    assert watched.missed == []
    assert watched.cron.expected_at == at("11:00")
