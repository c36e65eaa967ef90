"""What people do to a cron: make, change, pause, resume, archive it."""

from chalicelib.domain.monitor import on_request
from chalicelib.domain.monitor.cron import Reason, Settings, Status
from chalicelib.domain.monitor.deadlines import due_at
from chalicelib.domain.monitor.event import EventKind
from chalicelib.domain.monitor.incident import Resolution
from chalicelib.domain.runs.run import RunStatus
from tests.unit.watched import CRON_ID, NAMES, Watched, at


def test_a_new_cron_is_expected_from_its_first_occurrence_on() -> None:
    cron = on_request.create(CRON_ID, NAMES, Settings(schedule="0 * * * *"), at("10:00"))

    assert cron.status is Status.NEW
    assert cron.expected_at == at("11:00")


def test_a_new_interval_is_expected_after_one_of_it() -> None:
    cron = on_request.create(CRON_ID, NAMES, Settings(schedule="@every 10m"), at("10:00"))

    assert cron.expected_at == at("10:10")


def test_while_paused_signals_are_recorded_and_nothing_is_judged() -> None:
    watched = Watched(since="09:30", max_runtime_seconds=60)
    watched.success("10:00")
    watched.pause("10:10")

    watched.start("11:00")
    failed = watched.fail("11:10")
    watched.look("15:00")

    assert failed.run is not None
    assert watched.runs[failed.run.id].status is RunStatus.FAILED
    assert watched.status() is Status.PAUSED
    assert watched.missed == []
    assert watched.told == []
    assert watched.cron.failure_streak == 0
    assert watched.cron.last_run is not None
    assert watched.cron.last_run.id == failed.run.id


def test_durations_while_paused_teach_nothing() -> None:
    watched = Watched(since="09:30")
    watched.pause("09:40")

    watched.success("10:00", duration_ms=1_000)

    assert watched.cron.baseline.durations_ms == ()


def test_a_pause_closes_the_incident() -> None:
    watched = Watched(since="09:30")
    watched.fail("10:00")

    watched.pause("10:10")

    [incident] = watched.incidents.values()
    assert (incident.resolved_at, incident.resolution) == (at("10:10"), Resolution.PAUSED)
    assert incident.reason is Reason.FAILED
    assert (watched.cron.reason, watched.cron.incident) == (None, None)


def test_resuming_starts_afresh_from_the_next_occurrence() -> None:
    watched = Watched(since="09:30", failure_tolerance=1)
    watched.fail("10:00")
    watched.pause("10:10")

    watched.resume("14:30")
    watched.look("15:05")

    assert watched.missed == []
    assert watched.cron.expected_at == at("15:00")
    assert watched.status() is Status.UP

    watched.fail("15:05")
    assert watched.status() is Status.UP  # the failure before the pause counts no more


def test_a_cron_whose_job_never_ran_is_new_again_when_resumed() -> None:
    watched = Watched(since="09:30")
    watched.log("09:31")
    watched.pause("09:40")

    watched.resume("09:50")

    assert watched.status() is Status.NEW


def test_a_job_that_ran_while_paused_is_up_when_resumed() -> None:
    watched = Watched(since="09:30")
    watched.pause("09:40")
    watched.success("10:00")

    watched.resume("10:10")

    assert watched.status() is Status.UP


def test_an_open_run_gets_its_time_again_when_resumed() -> None:
    watched = Watched(since="09:30", schedule=None, max_runtime_seconds=600)
    watched.start("10:00")
    watched.pause("10:05")

    watched.resume("12:00")

    assert due_at(watched.cron) == at("12:10")


def test_a_run_may_end_after_the_pause_that_it_began_before() -> None:
    watched = Watched(since="09:30")
    watched.start("10:00", key="a")
    watched.pause("10:05")
    watched.resume("10:30")

    decision = watched.success("10:40", key="a")

    assert decision.run is not None
    assert decision.run.scheduled_at == at("10:00")
    assert watched.cron.expected_at == at("11:00")


def test_another_schedule_is_expected_from_its_next_occurrence_on() -> None:
    watched = Watched(since="09:30")
    watched.look("10:03")
    assert watched.told == [EventKind.LATE]

    watched.change("10:04", schedule="30 * * * *")

    assert watched.cron.expected_at == at("10:30")
    assert due_at(watched.cron) == at("10:33")
    assert watched.look("10:29").writes == ()


def test_another_time_zone_is_another_schedule() -> None:
    watched = Watched(since="09:30", schedule="0 12 * * *")

    watched.change("09:40", timezone="Europe/Berlin")

    assert watched.cron.expected_at == at("10:00")


def test_the_same_schedule_again_leaves_what_is_expected() -> None:
    watched = Watched(since="09:30", schedule="@every 1h")

    watched.change("10:00", grace_seconds=60, schedule="@every 1h")

    assert watched.cron.expected_at == at("10:30")
    assert due_at(watched.cron) == at("10:30:30")


def test_a_shorter_grace_counts_at_once() -> None:
    watched = Watched(since="09:30")

    watched.change("10:02", grace_seconds=60)
    watched.look("10:02")

    assert watched.missed == [at("10:00")]


def test_taking_the_schedule_away_ends_what_is_expected_and_not_what_is_wrong() -> None:
    watched = Watched(since="09:30")
    watched.look("10:06")

    watched.change("10:10", schedule=None)

    assert watched.cron.expected_at is None
    assert watched.status() is Status.DOWN
    watched.success("10:20")
    assert watched.status() is Status.UP


def test_a_schedule_changed_while_paused_counts_from_the_resuming_on() -> None:
    watched = Watched(since="09:30")
    watched.pause("09:40")

    watched.change("09:50", schedule="30 * * * *")
    assert watched.cron.expected_at is None

    watched.resume("10:00")
    assert watched.cron.expected_at == at("10:30")


def test_offsets_from_another_schedule_are_no_drift_from_this_one() -> None:
    watched = Watched(since="09:30")
    watched.success("10:04")

    watched.change("10:10", schedule="30 * * * *")

    assert watched.cron.offsets_ms == ()


def test_what_passes_by_while_paused_is_recorded_as_skipped_and_not_as_missed() -> None:
    watched = Watched(since="09:30")
    watched.success("10:00")
    watched.pause("10:30")

    watched.resume("13:30")

    assert watched.skipped == [at("11:00"), at("12:00"), at("13:00")]
    assert watched.missed == []


def test_an_occurrence_is_skipped_by_one_pause_alone_and_not_where_it_was_satisfied() -> None:
    watched = Watched(since="09:30")
    watched.pause("11:00")
    watched.resume("11:00")
    watched.success("11:59:30")
    watched.pause("11:59:40")
    watched.resume("12:00:10")

    assert watched.skipped == [at("10:00"), at("11:00")]


def test_an_incident_resolved_by_hand_leaves_a_cron_that_never_signalled_new() -> None:
    watched = Watched(since="09:30")
    watched.look("10:06")

    watched.resolve("10:30")

    [incident] = watched.incidents.values()
    assert incident.resolution is Resolution.BY_HAND
    assert (watched.cron.status, watched.cron.incident) == (Status.NEW, None)
    assert watched.cron.expected_at == at("11:00")


def test_archiving_ends_the_incident_and_the_watch() -> None:
    watched = Watched(since="09:30")
    watched.fail("10:00")

    watched.commit(on_request.archive(watched.cron, at("10:10")))

    [incident] = watched.incidents.values()
    assert incident.resolution is Resolution.ARCHIVED
    assert due_at(watched.cron) is None
    assert watched.look("16 10:00").writes == ()
