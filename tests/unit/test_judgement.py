"""Which run times are worth an alert."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.monitor.event import EventKind
from chalicelib.domain.runs.anomaly import Baseline
from chalicelib.domain.runs.judgement import (
    BEYOND,
    History,
    alert_above_ms,
    alert_below_ms,
    is_doing_less,
    may_be_doing_less,
)
from tests.unit.watched import HOUR, Watched, at

STEADY = Baseline((60_000,) * 47 + (61_000,) * 3)
DURATIONS = st.integers(0, 10_000_000)


def days(*maxima: int) -> History:
    return History(maxima, maxima)


def test_with_few_days_known_the_longest_run_known_is_compared_with() -> None:
    assert alert_above_ms(STEADY, days(90_000, 70_000)) == 1.3 * 90_000
    assert alert_above_ms(STEADY, History()) == 1.3 * 61_000


@pytest.mark.parametrize(("known", "longest"), [(7, 90_000), (39, 90_000), (40, 89_000), (80, 88_000)])
def test_the_more_days_are_known_the_more_of_the_longest_are_passed_over(known: int, longest: int) -> None:
    history = days(*[60_000] * (known - 3), 90_000, 89_000, 88_000)

    assert alert_above_ms(STEADY, history) == BEYOND * longest


def test_where_the_longest_days_differ_much_a_run_must_exceed_them_by_more() -> None:
    alike, unlike = days(*[60_000] * 90, 61_000), days(*[60_000] * 90, 110_000)

    assert alert_above_ms(STEADY, alike) == BEYOND * 60_000
    assert alert_above_ms(STEADY, unlike) > 1.3 * 60_000


def test_soon_after_an_alert_only_what_exceeds_all_of_it_is_news() -> None:
    history = days(*[60_000] * 90, 900_000)

    assert alert_above_ms(STEADY, history) < 100_000
    assert alert_above_ms(STEADY, history._replace(alerted_lately=True)) > 900_000


def test_a_single_short_run_is_compared_with_the_shortest_days() -> None:
    assert alert_below_ms(STEADY, days(*[60_000] * 20)) == 60_000 / 1.3
    assert alert_below_ms(STEADY, days(*[60_000] * 20, 100)) == 100 / 1.3


@given(st.lists(DURATIONS, min_size=1, max_size=50), st.lists(DURATIONS, max_size=100))
def test_what_was_seen_on_every_day_is_never_worth_an_alert(recent: list[int], daily: list[int]) -> None:
    baseline, history = Baseline(tuple(recent)), days(*daily)
    least = min([*daily] if len(daily) >= 7 else [*daily, *recent])

    assert alert_above_ms(baseline, history) >= least
    assert alert_below_ms(baseline, history) <= max([*daily, *recent])


def test_three_runs_of_a_third_of_the_usual_length_tell_that_work_is_missing() -> None:
    usual = (60_000,) * 40

    assert not may_be_doing_less(Baseline((*usual, 21_000)))
    assert may_be_doing_less(Baseline((*usual, 21_000, 21_000, 21_000)))
    assert not may_be_doing_less(Baseline((*usual, 40_000, 40_000, 40_000))), "a little faster is no trouble"
    assert not may_be_doing_less(Baseline((*usual, 900, 21_000, 21_000, 21_000, 900))), "it did so before"
    assert not may_be_doing_less(Baseline((900,) * 40 + (300,) * 3)), "less than a second is nothing"


def test_a_job_that_idles_on_some_days_is_not_doing_less() -> None:
    baseline = Baseline((60_000,) * 47 + (20_000,) * 3)

    assert is_doing_less(baseline, days(*[60_000] * 20))
    assert not is_doing_less(baseline, days(*[60_000, 60_000, 60_000, 60_000, 60_000, 19_000, 19_000] * 4))


def hourly_minutes(watched: Watched, number: int, seconds: int = 60) -> None:
    for hour in range(number):
        watched.success(f"{at('10:00') + hour * HOUR:%Y-%m-%d %H:%M:%S}", duration_ms=seconds * 1000)


def test_a_run_far_outside_is_told_and_the_next_one_of_that_day_is_not() -> None:
    watched = Watched(since="09:30")
    hourly_minutes(watched, 20)

    first = watched.success("16 06:00", duration_ms=600_000)
    second = watched.success("16 07:00", duration_ms=600_000)

    assert first.anomaly is not None
    assert second.anomaly is not None
    assert (first.anomaly.alerted, second.anomaly.alerted) == (True, False)
    assert watched.told == [EventKind.ANOMALY]


def test_a_run_that_is_less_than_a_second_longer_is_in_the_answer_alone() -> None:
    watched = Watched(since="09:30")
    hourly_minutes(watched, 20, seconds=0)

    decision = watched.success("16 06:00", duration_ms=999)

    assert decision.anomaly is not None
    assert not decision.anomaly.alerted
    assert watched.told == []


def test_a_job_that_does_a_third_of_its_work_is_told() -> None:
    watched = Watched(since="09:30")
    hourly_minutes(watched, 20)

    for hour in (6, 7, 8):
        watched.success(f"16 0{hour}:00", duration_ms=21_000)

    assert watched.told == [EventKind.ANOMALY]
    assert "is it doing all its work?" in watched.events[0].detail


def test_a_run_is_called_overrunning_once_it_is_far_outside_what_was_seen() -> None:
    watched = Watched(since="09:30")
    for hour, seconds in enumerate((300, 60, 60, 60, 60, 60)):
        watched.success(f"{at('10:00') + hour * HOUR:%Y-%m-%d %H:%M:%S}", duration_ms=seconds * 1000)
    watched.start("16:00")

    watched.look("16:05:30")
    assert watched.told == []

    watched.look("16:06:31")
    assert watched.told == [EventKind.OVERRUNNING]
