"""What keeps alerts few: flapping summed up, reminders."""

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
    for minute in range(30, 84, 6):
        send = watched.success if minute % 12 else watched.fail
        send(f"{10 + minute // 60}:{minute % 60:02}")

    assert watched.cron.noise.unannounced == 9
    watched.look("11:23:59.999")
    assert len(watched.events) == 5
    watched.look("11:24")

    assert watched.told[5:] == [EventKind.FLAPPING]
    assert watched.events[-1].detail == "9 changes since 10:24 UTC, now up"
    assert watched.events[-1].stands_for is EventKind.RECOVERED


def test_a_summary_passes_like_the_state_that_it_tells() -> None:
    watched = flapping()

    assert watched.events[-1].stands_for is EventKind.FAILED


def test_ten_minutes_without_a_change_end_it_and_changes_are_told_one_by_one_again() -> None:
    watched = flapping()
    watched.look("10:33:59")
    assert watched.cron.noise.flapping_announced_at is not None
    watched.look("10:34")
    watched.success("11:30")

    assert watched.told[5:] == [EventKind.RECOVERED]


def test_a_cron_that_settles_in_another_state_than_people_heard_tells_it() -> None:
    watched = flapping()
    watched.success("10:30")
    watched.look("10:40")

    assert watched.told[5:] == [EventKind.RECOVERED]


def test_a_cron_that_settles_down_again_is_told_with_what_failed() -> None:
    watched = Watched(since="09:30", schedule=None)
    for minute in range(0, 27, 3):
        (watched.success if minute % 2 else watched.fail)(f"10:{minute:02}", duration_ms=minute)
    assert watched.told[-1] is EventKind.FLAPPING
    watched.success("10:27")
    watched.look("11:12")
    told = len(watched.events)
    watched.fail("11:20", exit_code=3)

    assert watched.events[told:][-1].detail == "failed with exit code 3"


def test_four_changes_an_hour_are_each_told() -> None:
    watched = Watched(since="09:30", schedule=None)
    for hour in (10, 11, 12):
        for minute in (0, 30):
            watched.fail(f"{hour}:{minute:02}")
            watched.success(f"{hour}:{minute + 15:02}")

    assert EventKind.FLAPPING not in watched.told
    assert len(watched.told) == 12


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


def test_what_a_person_ends_ends_flapping_but_not_how_rarely_anomalies_are_told() -> None:
    watched = flapping()
    noise = watched.cron.noise._replace(anomaly_at=at("10:20"))
    watched.cron = on_request.resolve(watched.cron._replace(noise=noise), at("10:25"), Context()).cron

    assert watched.cron.noise.changes == ()
    assert watched.cron.noise.flapping_announced_at is None
    assert watched.cron.noise.anomaly_at == at("10:20")
