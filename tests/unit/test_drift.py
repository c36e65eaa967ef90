"""Runs beyond their tolerance, and crons that drift."""

from datetime import timedelta

import pytest

from chalicelib.domain.monitor.deadlines import lateness_tolerance
from chalicelib.domain.monitor.event import EventKind
from chalicelib.domain.runs.drift import OFFSETS_KEPT, Drift, Offsets, drift_of, has_settled, is_drifting
from tests.unit.watched import HOUR, MINUTE, Watched, at

TOLERANCE_MS = 60_000


@pytest.mark.parametrize(
    ("grace_seconds", "tolerance_seconds"),
    [(0, 30), (60, 30), (62, 31), (1_798, 899), (1_800, 900), (90_000, 900)],
)
def test_the_tolerance_is_half_the_grace_within_30_s_and_15_min(
    grace_seconds: int, tolerance_seconds: int
) -> None:
    assert lateness_tolerance(timedelta(seconds=grace_seconds)) == timedelta(seconds=tolerance_seconds)


@pytest.mark.parametrize("offset", [60_000, -60_000, 0])
def test_a_run_within_its_tolerance_is_not_told_of(offset: int) -> None:
    assert drift_of(offset, Offsets((0, offset), TOLERANCE_MS)) is None


@pytest.mark.parametrize("offset", [60_001, -60_001])
def test_a_run_beyond_it_is_told_in_the_answer(offset: int) -> None:
    assert drift_of(offset, Offsets((0, offset), TOLERANCE_MS)) == Drift(
        offset, TOLERANCE_MS, offset / 2, drifting=False
    )


def test_it_takes_ten_runs_to_call_a_cron_drifting() -> None:
    assert not is_drifting(Offsets((90_000,) * 9, TOLERANCE_MS))
    assert is_drifting(Offsets((90_000,) * 10, TOLERANCE_MS))


def test_a_cron_drifts_when_the_median_is_beyond_the_tolerance() -> None:
    assert not is_drifting(Offsets((60_000,) * 10, TOLERANCE_MS))
    assert not is_drifting(Offsets((0,) * 5 + (120_000,) * 5, TOLERANCE_MS))  # median 60,000
    assert is_drifting(Offsets((0,) * 4 + (61_000,) * 6, TOLERANCE_MS))
    assert is_drifting(Offsets((-61_000,) * 10, TOLERANCE_MS))


def test_one_run_far_out_is_not_a_cron_that_drifts() -> None:
    assert not is_drifting(Offsets((0,) * 9 + (10_000_000,), TOLERANCE_MS))


def test_a_cron_drifts_when_it_creeps_in_one_direction() -> None:
    creeping = tuple(range(0, 70_000, 7_000))

    assert len(creeping) == OFFSETS_KEPT
    assert is_drifting(Offsets(creeping, TOLERANCE_MS))
    assert is_drifting(Offsets(tuple(reversed(creeping)), TOLERANCE_MS))
    assert is_drifting(Offsets((*creeping[:4], creeping[3] - 1, *creeping[5:]), TOLERANCE_MS))  # one step back
    assert not is_drifting(Offsets(tuple(range(0, 1_000, 100)), TOLERANCE_MS))  # by next to nothing


def test_a_wobble_is_no_creep() -> None:
    assert not is_drifting(Offsets((0, 50_000) * 5, TOLERANCE_MS))


def test_a_cron_is_back_only_when_all_of_its_last_runs_are_within_the_tolerance() -> None:
    assert not has_settled(Offsets((0,) * 9 + (61_000,), TOLERANCE_MS))
    assert has_settled(Offsets((0,) * 9 + (60_000,), TOLERANCE_MS))


def test_of_a_job_that_reports_only_its_end_a_change_alone_is_drift() -> None:
    always = Offsets((1_200_000,) * 10, TOLERANCE_MS, of_ends=True)
    later = Offsets((1_200_000,) * 5 + (1_300_000,) * 5, TOLERANCE_MS, of_ends=True)

    assert not is_drifting(always)
    assert drift_of(1_200_000, always) is None
    assert is_drifting(later)
    assert has_settled(always)


def test_drift_is_told_once_when_it_begins_and_once_when_it_ends() -> None:
    watched = Watched(since="09:30")
    for number in range(60):
        late = 4 if number < 30 else 0
        watched.start(f"{at('10:00') + number * HOUR + late * MINUTE:%Y-%m-%d %H:%M:%S}", key=f"{number}")
        watched.success(f"{at('10:01') + number * HOUR + late * MINUTE:%Y-%m-%d %H:%M:%S}", key=f"{number}")

    assert watched.told == [EventKind.DRIFT, EventKind.ON_SCHEDULE]
    assert watched.events[0].detail == "its last runs began +240 s from their time"


def test_offsets_are_of_the_last_ten_runs_that_satisfied_an_occurrence() -> None:
    watched = Watched(since="09:30")

    for number in range(12):
        watched.success(f"{at('10:00:07') + number * HOUR:%Y-%m-%d %H:%M:%S}")
        watched.success(f"{at('10:20') + number * HOUR:%Y-%m-%d %H:%M:%S}")

    assert watched.cron.offsets_ms == (7_000,) * 10


def test_an_hourly_job_four_minutes_late_each_time_is_told_so_and_drifts_from_the_tenth_on() -> None:
    watched = Watched(since="09:30")

    answers = [
        watched.success(f"{at('10:04') + n * HOUR:%Y-%m-%d %H:%M:%S}", duration_ms=0).drift for n in range(10)
    ]

    assert answers[0] == Drift(240_000, 180_000, 240_000, drifting=False)
    assert answers[8] == Drift(240_000, 180_000, 240_000, drifting=False)
    assert answers[9] == Drift(240_000, 180_000, 240_000, drifting=True)


def test_an_extra_run_has_no_offset() -> None:
    watched = Watched(since="09:30")

    decision = watched.success("09:40")

    assert decision.run is not None
    assert decision.run.offset_ms is None
    assert decision.drift is None
