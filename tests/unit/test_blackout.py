"""Blindness is not taken for death: what was due while nobody looked."""

from datetime import datetime

from chalicelib.domain.monitor.blackout import Blackout, Watch, blackouts_until, without_signals
from chalicelib.domain.monitor.context import Context
from chalicelib.domain.monitor.cron import Status
from chalicelib.domain.monitor.deadlines import due_at
from chalicelib.domain.monitor.event import EventKind
from chalicelib.domain.monitor.on_signal import apply
from chalicelib.domain.monitor.on_tick import evaluate
from chalicelib.domain.monitor.signal import Received, Signal, SignalKind
from chalicelib.domain.runs.counts import counts_of
from chalicelib.domain.runs.run import Excuse, RunStatus
from tests.unit.watched import MINUTE, Watched, at

GAP = Blackout(at("09:58"), at("10:30"))


def blind(*blackouts: Blackout) -> Context:
    return Context((), (), blackouts or (GAP,))


def look(watched: Watched, when: str, *blackouts: Blackout) -> None:
    watched.commit(evaluate(watched.cron, at(when), blind(*blackouts)))


def statuses(watched: Watched) -> list[RunStatus]:
    return [run.status for run in watched.runs.values()]


def test_five_minutes_without_a_tick_are_no_gap_and_more_are_one() -> None:
    watch = Watch(at("10:00"))

    assert blackouts_until(watch, at("10:05")) == ()
    assert blackouts_until(watch, at("10:05:00.001")) == (Blackout(at("10:00"), at("10:05:00.001")),)
    assert blackouts_until(Watch(), at("10:05")) == ()


def test_a_gap_that_goes_on_after_a_tick_that_died_is_one() -> None:
    earlier = Blackout(at("08:00"), at("09:00"))
    watch = Watch(at("10:00"), (earlier, Blackout(at("10:00"), at("10:30"))))

    assert blackouts_until(watch, at("10:31")) == (earlier, Blackout(at("10:00"), at("10:31")))


def test_signals_prove_that_cronhub_could_hear() -> None:
    blackout = Blackout(at("10:00"), at("11:00"))
    heard = [at("10:00") + minute * MINUTE for minute in (2, 6, 20, 24, 25, 58)]

    assert without_signals([blackout], []) == (blackout,)
    assert without_signals([blackout], heard) == (
        Blackout(at("10:06"), at("10:20")),
        Blackout(at("10:25"), at("10:58")),
    )


def test_a_deadline_in_a_gap_gets_its_grace_again() -> None:
    watched = Watched(since="09:30", grace_seconds=600)

    look(watched, "10:30")

    assert watched.status() is Status.NEW
    assert watched.told == []
    assert due_at(watched.cron) == at("10:40")


def test_a_job_that_comes_within_it_is_only_late() -> None:
    watched = Watched(since="09:30", grace_seconds=600)
    look(watched, "10:30")

    decision = watched.success("10:35")

    assert decision.run is not None
    assert (decision.run.scheduled_at, decision.run.late) == (at("10:00"), True)
    assert statuses(watched) == [RunStatus.SUCCESS]


def test_one_that_does_not_is_unknown_and_nobody_is_told_that_it_was_missed() -> None:
    watched = Watched(since="09:30", grace_seconds=600)
    look(watched, "10:30")

    look(watched, "10:40")

    [run] = watched.runs.values()
    assert (run.status, run.scheduled_at, run.excused) == (RunStatus.UNKNOWN, at("10:00"), Excuse.BLINDNESS)
    assert watched.told == []
    assert watched.status() is Status.NEW
    assert watched.cron.expected_at == at("11:00")
    counts = counts_of(run)
    assert (counts.expected, counts.excused, counts.missed) == (1, 1, 0)


def test_the_next_one_that_does_not_come_is_missed() -> None:
    watched = Watched(since="09:30", grace_seconds=600)
    for when in ("10:30", "10:40", "11:10"):
        look(watched, when)

    assert statuses(watched) == [RunStatus.UNKNOWN, RunStatus.MISSED]
    assert watched.told == [EventKind.MISSED]


def test_a_deadline_before_the_gap_or_after_it_is_missed_as_ever() -> None:
    for blackout in (Blackout(at("10:10"), at("10:30")), Blackout(at("08:00"), at("10:09:59"))):
        watched = Watched(since="09:30", grace_seconds=600)

        look(watched, "10:30", blackout)

        assert statuses(watched) == [RunStatus.MISSED], blackout


def test_many_occurrences_of_a_gap_share_one_record() -> None:
    watched = Watched(since="09:30", schedule="*/5 * * * *", grace_seconds=60)
    for minute in range(30, 60, 5):
        watched.success(f"09:{minute}")

    look(watched, "10:30")
    look(watched, "10:31:00")

    records = [run for run in watched.runs.values() if run.status is not RunStatus.SUCCESS]
    # That of 10:30 is over at 10:31, after the blackout.
    assert [(run.status, run.occurrences) for run in records] == [(RunStatus.UNKNOWN, 6), (RunStatus.MISSED, 1)]
    assert (records[0].scheduled_at, records[0].scheduled_until) == (at("10:00"), at("10:25"))


def test_a_signal_that_passes_over_a_gap_leaves_unknown_what_was_in_it() -> None:
    watched = Watched(since="09:30", grace_seconds=600)

    decision = apply(watched.cron, Received(Signal(SignalKind.SUCCESS), at("11:00")), blind())
    watched.commit(decision)

    assert sorted(statuses(watched)) == [RunStatus.SUCCESS, RunStatus.UNKNOWN]
    assert watched.told == []


def test_a_cron_that_is_down_stays_so_and_counts_no_misses_of_the_gap() -> None:
    watched = Watched(since="08:30", grace_seconds=600)
    look(watched, "09:10", Blackout(at("01:00"), at("02:00")))
    assert watched.cron.incident is not None

    look(watched, "10:30")
    look(watched, "10:40")

    assert watched.status() is Status.DOWN
    assert watched.cron.incident.missed == 1
    assert statuses(watched) == [RunStatus.MISSED, RunStatus.UNKNOWN]


def test_a_run_whose_time_ended_in_the_gap_has_the_grace_to_end_and_is_then_unknown() -> None:
    watched = Watched(since="09:30", schedule=None, max_runtime_seconds=600)
    watched.start("09:55", key="a")

    look(watched, "10:30")
    assert due_at(watched.cron) == at("10:31")
    look(watched, "10:31")

    [run] = watched.runs.values()
    assert (run.status, run.finished_at) == (RunStatus.UNKNOWN, None)
    assert watched.told == []
    assert watched.cron.open_runs == ()

    watched.success("10:50", key="a")
    assert statuses(watched) == [RunStatus.SUCCESS]


def test_it_is_said_of_no_run_that_it_overran_in_the_gap() -> None:
    watched = Watched(since="09:00", schedule=None)
    for minute in range(10):
        watched.success(f"09:{minute:02}", duration_ms=60_000)
    watched.start("09:56")

    look(watched, "10:30")

    assert watched.told == []
    assert due_at(watched.cron) == at("10:56"), "then it times out"


def test_looking_again_in_the_grace_changes_nothing() -> None:
    watched = Watched(since="09:30", grace_seconds=600)
    look(watched, "10:30")
    before: datetime | None = due_at(watched.cron)

    look(watched, "10:35")

    assert due_at(watched.cron) == before
    assert watched.runs == {}
