"""Runs of one cron that overlap: which one a signal is about, and how many may be open."""

import pytest

from chalicelib.domain.monitor.cron import MAX_OPEN_RUNS, Status
from chalicelib.domain.runs.run import RunStatus
from tests.unit.watched import SECOND, Watched, at


def open_keys(watched: Watched) -> list[str | None]:
    return [run.key for run in watched.cron.open_runs]


def test_an_end_closes_the_run_of_the_callers_id() -> None:
    watched = Watched(since="09:30")
    watched.start("10:00", key="a")
    watched.start("10:01", key="b")

    decision = watched.success("10:05", key="a")

    assert decision.run is not None
    assert (decision.run.key, decision.run.duration_ms) == ("a", 300_000)
    assert open_keys(watched) == ["b"]


def test_an_end_without_an_id_closes_the_run_that_started_last() -> None:
    watched = Watched(since="09:30")
    watched.start("10:00", key="a")
    watched.start("10:01", key="b")

    watched.success("10:05")

    assert open_keys(watched) == ["a"]


def test_of_two_that_started_at_once_the_one_told_of_last_is_closed() -> None:
    watched = Watched(since="09:30")
    watched.start("10:00:00.100", key="a", started_at=at("10:00"))
    watched.start("10:00:00.200", key="b", started_at=at("10:00"))

    watched.success("10:05")

    assert open_keys(watched) == ["a"]


def test_being_called_overrunning_does_not_change_which_run_is_the_last() -> None:
    watched = Watched(since="09:30", schedule=None)
    for minute in (30, 31, 32):
        watched.success(f"09:{minute}", duration_ms=10_000)
    watched.start("10:00:00", key="a", started_at=at("10:00"))
    watched.start("10:00:20", key="b", started_at=at("10:00"))
    watched.look("10:00:30")

    watched.success("10:00:40")

    assert open_keys(watched) == ["a"]


def test_an_end_closes_the_run_of_the_id_that_the_start_was_answered_with() -> None:
    watched = Watched(since="09:30")
    first = watched.start("10:00")
    watched.start("10:01")
    assert first.run is not None

    watched.success("10:05", key=first.run.id)

    assert [run.started_at for run in watched.cron.open_runs] == [at("10:01")]


def test_an_end_with_an_unknown_id_is_a_run_of_its_own() -> None:
    watched = Watched(since="09:30")
    watched.start("10:00", key="a")

    decision = watched.success("10:05", key="b")

    assert decision.run is not None
    assert decision.run.key == "b"
    assert open_keys(watched) == ["a"]


def test_a_start_sent_twice_with_one_id_is_one_run() -> None:
    watched = Watched(since="09:30")
    first = watched.start("10:00", key="a")

    again = watched.start("10:00:01", key="a")

    assert again.replay
    assert again.run is not None
    assert first.run is not None
    assert again.run.id == first.run.id
    assert open_keys(watched) == ["a"]


@pytest.mark.parametrize("opening", ["start", "success"])
def test_an_end_sent_twice_with_one_id_counts_once(opening: str) -> None:
    watched = Watched(since="09:30", failure_tolerance=1)
    if opening == "start":
        watched.start("10:00", key="a")
    watched.fail("10:05", key="a")

    again = watched.fail("10:05:01", key="a")

    assert again.replay
    assert watched.cron.failure_streak == 1
    assert watched.status() is Status.UP


def test_a_start_that_comes_after_its_end_changes_nothing() -> None:
    watched = Watched(since="09:30")
    watched.success("10:00:02", key="a")

    assert watched.start("10:00:03", key="a").replay
    assert watched.cron.open_runs == ()


def test_the_21st_open_run_gives_up_the_one_that_started_first() -> None:
    watched = Watched(since="09:30")
    for number in range(MAX_OPEN_RUNS):
        started_at = at("10:00") + number * SECOND
        watched.start("10:01", key=f"run {number}", started_at=started_at)
    assert len(watched.cron.open_runs) == MAX_OPEN_RUNS

    watched.start("10:01", key="one more")

    assert len(watched.cron.open_runs) == MAX_OPEN_RUNS
    [given_up] = [run for run in watched.runs.values() if run.status is RunStatus.ABANDONED]
    assert given_up.key == "run 0"
    assert watched.status() is Status.UP


def test_a_run_given_up_may_still_end_once() -> None:
    watched = Watched(since="09:30")
    for number in range(MAX_OPEN_RUNS + 1):
        watched.start("10:01", key=f"run {number}", started_at=at("10:00") + number * SECOND)

    ended = watched.fail("10:10", key="run 0")
    again = watched.fail("10:11", key="run 0")

    assert ended.run is not None
    assert ended.run.status is RunStatus.FAILED
    assert watched.status() is Status.DOWN
    assert again.replay


def test_nobody_ends_an_occurrence_that_was_missed_by_its_records_id() -> None:
    watched = Watched(since="09:30")
    watched.look("10:06")
    [missed] = watched.runs.values()

    decision = watched.success("10:30", key=missed.id)

    assert decision.replay
    assert watched.runs[missed.id].status is RunStatus.MISSED
    assert watched.status() is Status.DOWN
