"""`running`: a sign of life of a run."""

from chalicelib.domain.monitor.deadlines import due_at
from chalicelib.domain.monitor.event import EventKind
from chalicelib.domain.runs.run import RunStatus
from tests.unit.watched import Watched, at


def test_a_sign_of_life_gives_the_run_its_time_again() -> None:
    watched = Watched(since="09:30", schedule=None, max_runtime_seconds=600)
    watched.start("10:00")

    watched.running("10:09")
    watched.look("10:10")

    assert watched.told == []
    assert due_at(watched.cron) == at("10:19")


def test_a_run_that_is_silent_after_it_is_timed_out_all_the_same() -> None:
    watched = Watched(since="09:30", schedule=None, max_runtime_seconds=600)
    watched.start("10:00")
    watched.running("10:09")

    watched.look("10:19")

    assert watched.told == [EventKind.TIMEOUT]


def test_its_duration_still_counts_from_its_start() -> None:
    watched = Watched(since="09:30")
    watched.start("10:00")
    watched.running("10:09")

    decision = watched.success("10:12")

    assert decision.run is not None
    assert decision.run.duration_ms == 12 * 60_000


def test_a_sign_of_life_is_for_the_run_of_its_id_or_the_last_one() -> None:
    watched = Watched(since="09:30")
    watched.start("10:00", key="a")
    watched.start("10:01", key="b")

    watched.running("10:02", key="a")
    watched.running("10:03")

    assert [run.seen_at for run in watched.cron.open_runs] == [at("10:02"), at("10:03")]


def test_running_without_a_start_is_one() -> None:
    watched = Watched(since="09:30")

    decision = watched.running("10:00", key="a")

    assert decision.run is not None
    assert decision.run.scheduled_at == at("10:00")
    assert [run.key for run in watched.cron.open_runs] == ["a"]


def test_running_after_the_end_changes_nothing() -> None:
    watched = Watched(since="09:30")
    watched.start("10:00", key="a")
    watched.success("10:01", key="a")

    assert watched.running("10:02", key="a").replay


def test_what_it_says_is_recorded() -> None:
    watched = Watched(since="09:30")
    watched.start("10:00", key="a", message="begun")

    decision = watched.running("10:01", key="a", message="half of it")

    assert decision.run is not None
    assert watched.runs[decision.run.id].message == "half of it"
    assert watched.runs[decision.run.id].status is RunStatus.RUNNING


def test_a_run_that_overran_spoke_and_overran_again_is_told_once() -> None:
    watched = Watched(since="09:30", schedule=None)
    for minute in (30, 31, 32):
        watched.success(f"09:{minute}", duration_ms=10_000)
    watched.start("10:00")

    watched.look("10:00:30")
    watched.running("10:00:31")
    watched.look("10:01:01")

    assert watched.told == [EventKind.OVERRUNNING]
