"""Durations out of the ordinary: where exactly the line is, and when a job has changed."""

import pytest

from chalicelib.domain.monitor.event import EventKind
from chalicelib.domain.runs.anomaly import (
    BASELINE_RUNS,
    Anomaly,
    AnomalyKind,
    Baseline,
    judge,
    learn,
    overrun_after_ms,
)
from tests.unit.watched import Watched

USUALLY_10_S = Baseline((10_000, 10_000, 10_000))


def after(baseline: Baseline, *durations: int) -> Baseline:
    for duration in durations:
        baseline = learn(baseline, duration)
    return baseline


def test_nothing_is_judged_until_there_are_three_runs() -> None:
    assert judge(Baseline((10, 10)), 1_000_000, 3.0) is None
    assert judge(Baseline((10, 10, 10)), 1_000_000, 3.0) is not None


@pytest.mark.parametrize(
    ("factor", "ordinary", "too_long"), [(3.0, 30_000, 30_001), (1.5, 15_000, 15_001), (2.25, 22_500, 22_501)]
)
def test_too_long_is_more_than_the_factor_times_the_average(factor: float, ordinary: int, too_long: int) -> None:
    assert judge(USUALLY_10_S, ordinary, factor) is None
    assert judge(USUALLY_10_S, too_long, factor) == Anomaly(AnomalyKind.LONG, too_long, 10_000, factor)


def test_too_short_is_less_than_a_tenth_of_an_average_of_ten_seconds_or_more() -> None:
    assert judge(USUALLY_10_S, 1_000, 3.0) is None
    assert judge(USUALLY_10_S, 999, 3.0) == Anomaly(AnomalyKind.SHORT, 999, 10_000, 3.0)
    assert judge(Baseline((9_999, 9_999, 9_999)), 0, 3.0) is None


def test_runs_that_take_no_time_at_all_are_a_baseline_too() -> None:
    assert judge(Baseline((0, 0, 0)), 1, 3.0) is not None


def test_the_average_is_of_the_last_fifty() -> None:
    baseline = after(Baseline(), *[10] * 10, *[20] * BASELINE_RUNS)

    assert len(baseline.durations_ms) == BASELINE_RUNS
    assert baseline.average_ms == 20


def test_an_anomalous_duration_counts_in_the_average_like_any_other() -> None:
    baseline = after(USUALLY_10_S, 90_000)

    assert baseline.durations_ms == (10_000, 10_000, 10_000, 90_000)
    assert baseline.average_ms == 30_000


def test_a_run_overruns_by_the_same_factor_but_never_within_a_second_of_the_average() -> None:
    assert overrun_after_ms(Baseline((10, 10)), 3.0) is None
    assert overrun_after_ms(USUALLY_10_S, 3.0) == 30_000
    assert overrun_after_ms(Baseline((10, 10, 10)), 3.0) == 1_010


def _usually_ten_seconds() -> Watched:
    watched = Watched(since="09:30")
    for hour in (10, 11, 12):
        watched.success(f"{hour}:00", duration_ms=10_000)
    return watched


def test_an_anomaly_is_in_the_answer_the_record_and_the_events() -> None:
    watched = _usually_ten_seconds()

    decision = watched.success("13:00", duration_ms=30_001)

    assert decision.anomaly is not None
    assert decision.run is not None
    assert watched.runs[decision.run.id].anomaly == decision.anomaly
    assert [(event.kind, event.detail) for event in watched.events] == [
        (EventKind.ANOMALY, "took 30001 ms, on average 10000 ms")
    ]


def test_a_run_that_was_called_overrunning_is_not_told_again_at_its_end() -> None:
    watched = _usually_ten_seconds()
    watched.start("13:00")
    watched.look("13:00:30")

    decision = watched.success("13:01")

    assert decision.anomaly is not None
    assert decision.anomaly.alerted
    assert watched.told == [EventKind.OVERRUNNING]


def test_a_failed_run_says_nothing_of_durations() -> None:
    watched = _usually_ten_seconds()

    decision = watched.fail("13:00", duration_ms=999_999)

    assert decision.anomaly is None
    assert watched.cron.baseline == USUALLY_10_S
