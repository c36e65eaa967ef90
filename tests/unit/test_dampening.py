"""What keeps alerts few: flapping summed up, anomalies and drift told seldom, reminders."""

from chalicelib.domain.monitor import on_request
from chalicelib.domain.monitor.context import Context
from chalicelib.domain.monitor.event import EventKind
from tests.unit.watched import Watched, at


def flapping() -> Watched:
    """Five changes within half an hour, down since 10:24."""
    watched = Watched(since="09:30", schedule=None)
    for minute in (0, 12, 24):
        watched.fail(f"10:{minute:02}")
        if minute < 24:
            watched.success(f"10:{minute + 6:02}")
    return watched


def test_the_fifth_change_within_an_hour_is_told_as_flapping() -> None:
    watched = flapping()

    assert watched.told == [
        EventKind.FAILED,
        EventKind.RECOVERED,
        EventKind.FAILED,
        EventKind.RECOVERED,
        EventKind.FLAPPING,
    ]
    event = watched.events[-1]
    assert event.about == at("10:00")
    assert "now down" in event.detail


def test_further_changes_are_summed_up_an_hour_later() -> None:
    watched = flapping()
    watched.success("10:30")
    watched.fail("10:40")
    watched.success("10:50")

    assert watched.cron.noise.unannounced == 3
    watched.look("11:23:59.999")
    assert len(watched.events) == 5
    watched.look("11:24")

    assert watched.told[5:] == [EventKind.FLAPPING]
    assert watched.events[-1].detail == "3 changes since 10:24 UTC, now up"


def test_an_hour_without_a_change_ends_it_and_changes_are_told_one_by_one_again() -> None:
    watched = flapping()
    watched.look("11:24")
    watched.success("11:30")

    assert watched.events[5].detail == "it has been down for an hour"
    assert watched.told[5:] == [EventKind.FLAPPING, EventKind.RECOVERED]


def test_four_changes_an_hour_are_each_told() -> None:
    watched = Watched(since="09:30", schedule=None)
    for hour in (10, 11, 12):
        for minute in (0, 30):
            watched.fail(f"{hour}:{minute:02}")
            watched.success(f"{hour}:{minute + 15:02}")

    assert EventKind.FLAPPING not in watched.told
    assert len(watched.told) == 12


def test_an_anomaly_is_told_once_in_six_hours() -> None:
    watched = Watched(since="00:30", schedule=None)
    for minute in range(40):
        watched.success(f"01:{minute:02}", duration_ms=10_000)

    watched.success("02:00", duration_ms=100_000)
    watched.success("02:10", duration_ms=9_000)
    decision = watched.success("07:59", duration_ms=100_000)
    assert decision.anomaly is not None, "the answer says so each time"
    watched.success("08:00", duration_ms=100_000)

    assert [event.at for event in watched.events if event.kind is EventKind.ANOMALY] == [at("02:00"), at("08:00")]


def test_a_cron_that_drifts_is_told_of_once_in_six_hours() -> None:
    watched = Watched(since="14 00:30", grace_seconds=600)
    for day in (14, 15):
        for hour in range(1 if day == 14 else 0, 24):
            watched.success(f"{day} {hour:02}:06")

    told = [event for event in watched.events if event.kind is EventKind.DRIFT]
    assert [event.at for event in told] == [at(f"{day} {hour}:06") for day, hour in DRIFT_TOLD]
    assert told[0].detail == "its last runs began +360 s from their time"


DRIFT_TOLD = [(14, "10"), (14, "16"), (14, "22"), (15, "04"), (15, "10"), (15, "16"), (15, "22")]


def test_a_reminder_comes_as_often_as_asked_for() -> None:
    watched = Watched(since="09:30", schedule=None, reminder_seconds=1800)
    watched.fail("10:00")

    watched.look("10:29:59")
    watched.look("10:30")
    watched.look("10:59")
    watched.look("11:05")
    watched.look("11:34")
    watched.success("11:35")
    watched.look("12:30")

    assert watched.told == [EventKind.FAILED, EventKind.REMINDER, EventKind.REMINDER, EventKind.RECOVERED]
    assert watched.events[1].detail == "down since 2026-06-15 10:00:00 UTC"


def test_an_acknowledged_incident_sends_no_reminders() -> None:
    watched = Watched(since="09:30", schedule=None, reminder_seconds=1800)
    watched.fail("10:00")
    watched.commit(on_request.acknowledge(watched.cron))

    watched.look("12:00")

    assert watched.told == [EventKind.FAILED]


def test_what_a_person_ends_begins_flapping_anew_but_not_the_six_hours() -> None:
    watched = flapping()
    noise = watched.cron.noise._replace(anomaly_at=at("10:20"))
    watched.cron = on_request.resolve(watched.cron._replace(noise=noise), at("10:25"), Context()).cron

    assert watched.cron.noise.changes == ()
    assert watched.cron.noise.flapping_announced_at is None
    assert watched.cron.noise.anomaly_at == at("10:20")
