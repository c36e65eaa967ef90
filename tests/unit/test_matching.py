"""Which occurrence a run satisfies. An hourly cron: 60 s early at most, 6 min of grace."""

import pytest

from chalicelib.domain.monitor.cron import Reason, Status
from chalicelib.domain.monitor.event import EventKind
from chalicelib.domain.monitor.signal import Signal, SignalKind
from tests.unit.watched import Watched, at


@pytest.mark.parametrize("when", ["09:59:00", "09:59:59.999", "10:00:00", "10:00:01", "10:05:59"])
def test_a_start_up_to_a_minute_early_or_in_grace_is_for_the_occurrence(when: str) -> None:
    watched = Watched(since="09:30")

    decision = watched.start(when)

    assert decision.run is not None
    assert decision.run.scheduled_at == at("10:00")
    assert watched.cron.expected_at == at("11:00")
    assert watched.told == []


def test_a_start_more_than_a_minute_early_is_an_extra_run() -> None:
    watched = Watched(since="09:30")

    decision = watched.start("09:58:59.999")

    assert decision.run is not None
    assert decision.run.scheduled_at is None
    assert watched.cron.expected_at == at("10:00")


def test_a_short_period_takes_half_of_itself_as_early() -> None:
    watched = Watched(since="09:59:10", schedule="* * * * *")

    extra = watched.success("09:59:29.999", duration_ms=1)
    early = watched.success("09:59:30")

    assert extra.run is not None
    assert extra.run.scheduled_at is None
    assert early.run is not None
    assert early.run.scheduled_at == at("10:00")


def test_a_run_by_hand_at_noon_does_not_excuse_tonights() -> None:
    watched = Watched(since="06:00", schedule="0 23 * * *")

    watched.start("12:00")
    watched.success("12:10")
    watched.look("16 00:00")

    assert watched.missed == [at("23:00")]
    assert watched.status() is Status.DOWN


def test_a_second_run_for_the_same_occurrence_moves_nothing() -> None:
    watched = Watched(since="09:30")
    watched.success("10:00")

    again = watched.success("10:02")

    assert again.run is not None
    assert again.run.scheduled_at is None
    assert watched.cron.expected_at == at("11:00")


def test_occurrences_that_a_run_passes_over_were_missed() -> None:
    watched = Watched(since="09:30")

    decision = watched.start("12:01")

    assert decision.run is not None
    assert decision.run.scheduled_at == at("12:00")
    assert watched.missed == [at("10:00"), at("11:00")]
    assert watched.status() is Status.DOWN
    assert watched.cron.reason is Reason.MISSED
    assert watched.cron.expected_at == at("13:00")


def test_a_good_end_that_passes_over_occurrences_tells_of_them_and_recovers() -> None:
    watched = Watched(since="09:30")

    watched.success("11:01")

    assert watched.missed == [at("10:00")]
    assert watched.told == [EventKind.MISSED, EventKind.RECOVERED]
    assert watched.status() is Status.UP


def test_a_run_after_its_grace_is_an_extra_run_whether_or_not_the_tick_came_first() -> None:
    watched = Watched(since="09:30")

    decision = watched.start("10:06:01")

    assert decision.run is not None
    assert decision.run.scheduled_at is None
    assert watched.missed == [at("10:00")]
    assert watched.told == [EventKind.MISSED]
    assert watched.cron.incident is not None
    assert watched.cron.incident.opened_at == at("10:06")


def test_of_several_open_occurrences_a_run_satisfies_the_latest() -> None:
    watched = Watched(since="10:00", schedule="*/5 * * * *", grace_seconds=900)

    decision = watched.start("10:16")

    assert decision.run is not None
    assert decision.run.scheduled_at == at("10:15")
    assert watched.missed == [at("10:05"), at("10:10")]
    assert watched.told == [], "a later run honoured their grace"


def test_a_host_whose_clock_is_always_fast_stays_ahead_after_a_run_that_did_not_come() -> None:
    watched = Watched(since="09:59:10", schedule="* * * * *")
    for minute in range(5):
        watched.success(f"{'09:59' if minute == 0 else f'10:{minute - 1:02}'}:56")

    after_one_skipped = watched.success("10:05:56")

    assert after_one_skipped.run is not None
    assert after_one_skipped.run.scheduled_at == at("10:06")
    assert watched.missed == [at("10:05")]


def test_a_sender_that_is_within_a_minute_of_our_clock_is_trusted() -> None:
    watched = Watched(since="09:30")

    near = watched.start("09:58:30", started_at=at("09:59:20"))
    far = watched.start("10:58:30", started_at=at("11:00"))

    assert near.run is not None
    assert near.run.scheduled_at == at("10:00")
    assert far.run is not None
    assert far.run.scheduled_at is None


def test_a_run_after_its_occurrence_was_called_missed_is_an_extra_run() -> None:
    watched = Watched(since="09:30")
    watched.look("10:06")

    decision = watched.success("10:07")

    assert decision.run is not None
    assert decision.run.scheduled_at is None
    assert watched.missed == [at("10:00")]
    assert watched.status() is Status.UP
    assert watched.cron.expected_at == at("11:00")


def test_a_start_before_midnight_that_ends_after_it_does_not_excuse_midnight() -> None:
    watched = Watched(since="12:00", schedule="0 0 * * *")

    watched.start("23:50")
    watched.success("16 00:10")
    watched.look("16 01:00")

    assert watched.missed == [at("16 00:00")]


def test_a_job_that_reports_only_its_end_counts_for_when_it_began() -> None:
    watched = Watched(since="01:00", schedule="0 2,4 * * *", grace_seconds=3 * 3600)

    decision = watched.success("04:30", duration_ms=149 * 60_000)

    assert decision.run is not None
    assert decision.run.started_at == at("02:01")
    assert decision.run.scheduled_at == at("02:00")
    assert watched.cron.expected_at == at("04:00")


def test_a_host_whose_clock_is_slow_still_satisfies_the_occurrence_at_hand() -> None:
    watched = Watched(since="09:58", schedule="* * * * *")
    watched.success("09:59", started_at=at("09:57"))

    decision = watched.success("10:00:01", started_at=at("09:58:01"))

    assert decision.run is not None
    assert decision.run.scheduled_at == at("10:00")


def test_yesterdays_run_reported_today_does_not_count_for_today() -> None:
    watched = Watched(since="14 23:30", schedule="0 2 * * *")
    watched.success("02:01")

    stale = watched.success("16 02:05", started_at=at("02:00"), finished_at=at("02:30"))

    assert stale.run is not None
    assert stale.run.scheduled_at is None
    assert watched.cron.expected_at == at("16 02:00")


def test_a_host_whose_clock_is_fast_passes_over_no_occurrence_to_come() -> None:
    watched = Watched(since="09:59", schedule="* * * * *")

    decision = watched.start("10:00", started_at=at("10:04"))

    assert decision.run is not None
    assert decision.run.scheduled_at == at("10:00")
    assert watched.missed == []
    assert watched.status() is Status.UP


def test_an_interval_counts_from_the_last_run_whichever_it_was() -> None:
    watched = Watched(since="09:30", schedule="@every 10m")

    watched.success("09:33")
    watched.success("09:40:30")

    assert watched.cron.expected_at == at("09:50:30")
    assert watched.missed == []


def test_an_interval_that_ran_out_twice_was_missed_twice() -> None:
    watched = Watched(since="09:30", schedule="@every 10m")

    decision = watched.start("09:55")

    assert decision.run is not None
    assert decision.run.scheduled_at is None
    assert watched.missed == [at("09:40"), at("09:50")]
    assert watched.cron.expected_at == at("10:05")


def test_an_interval_counts_from_the_end_of_a_run_too() -> None:
    watched = Watched(since="09:30", schedule="@every 10m")
    watched.start("09:40")

    watched.success("09:54")

    assert watched.cron.expected_at == at("10:04")
    assert watched.missed == []
    assert watched.told == []


def test_an_interval_has_one_open_occurrence_however_long_its_grace() -> None:
    watched = Watched(since="09:30", schedule="@every 10m", grace_seconds=3600)

    decision = watched.start("10:01")

    assert decision.run is not None
    assert decision.run.scheduled_at == at("09:40")
    assert watched.missed == []


def test_without_a_schedule_nothing_is_ever_expected_or_missed() -> None:
    watched = Watched(since="09:30", schedule=None)

    decision = watched.success("10:00")
    watched.look("2027-06-15 10:00")

    assert decision.run is not None
    assert decision.run.scheduled_at is None
    assert watched.missed == []
    assert watched.status() is Status.UP


def test_the_hour_that_clocks_repeat_is_expected_once_of_a_job_at_a_fixed_time() -> None:
    watched = Watched(since="2026-10-24 12:00", schedule="30 2 * * *", timezone="Europe/Berlin")

    decision = watched.success("2026-10-25 00:30")

    assert decision.run is not None
    assert decision.run.scheduled_at == at("2026-10-25 00:30")
    assert watched.cron.expected_at == at("2026-10-26 01:30")


def test_a_time_that_clocks_skip_is_expected_as_the_hour_opens() -> None:
    watched = Watched(since="2026-03-28 12:00", schedule="30 2 * * *", timezone="Europe/Berlin")

    watched.look("2026-03-29 02:00")

    assert watched.missed == [at("2026-03-29 01:00")]
    assert watched.cron.expected_at == at("2026-03-30 00:30")


def test_a_log_is_no_sign_that_the_job_ran() -> None:
    watched = Watched(since="09:30")

    watched.log("10:00")

    assert watched.status() is Status.NEW
    assert watched.cron.expected_at == at("10:00")


@pytest.mark.parametrize("kind", [SignalKind.START, SignalKind.SUCCESS, SignalKind.FAIL, SignalKind.RUNNING])
def test_any_signal_but_a_log_is_a_run_of_the_occurrence(kind: SignalKind) -> None:
    watched = Watched(since="09:30")

    decision = watched.send(Signal(kind), at("10:00"))

    assert decision.run is not None
    assert decision.run.scheduled_at == at("10:00")
