"""Ears as well as eyes: what the canaries say about what CronHub could hear."""

from datetime import datetime, timedelta

from chalicelib.domain.monitor.blackout import NEVER_HEARD, Hearing
from chalicelib.domain.monitor.hearing import (
    Deafness,
    deaf_since,
    deaf_times,
    is_in_doubt,
    sent,
    until_heard,
)
from tests.unit.watched import at

HERE = "https://cron.example.com"


def arrived(hearing: Hearing, when: datetime, address: str = HERE) -> Hearing:
    """As the API notes it."""
    return hearing._replace(heard_at=when, address=address)


def heard_since(when: str = "10:00") -> Hearing:
    return arrived(sent(NEVER_HEARD, at(when), HERE), at(when))


def silent(hearing: Hearing, *sent_at: str) -> Hearing:
    for when in sent_at:
        hearing = sent(hearing, at(when), HERE)
    return hearing


def test_canaries_that_arrive_leave_no_time_without() -> None:
    hearing = heard_since()
    for minute in range(1, 10):
        hearing = arrived(sent(hearing, at(f"10:{minute:02}"), HERE), at(f"10:{minute:02}:01"))

    assert deaf_times(hearing, at("10:09:30"), HERE) == ()
    assert not is_in_doubt(hearing, at("10:09:30"), HERE)


def test_one_that_is_missing_is_a_doubt_and_two_minutes_are_deafness() -> None:
    hearing = silent(heard_since(), "10:01")

    assert is_in_doubt(hearing, at("10:01:02"), HERE)
    assert deaf_times(hearing, at("10:01:02"), HERE) == ()
    hearing = silent(hearing, "10:02")
    assert not is_in_doubt(hearing, at("10:02"), HERE)
    assert deaf_since(hearing, at("10:02"), HERE) == at("10:00")
    assert deaf_times(hearing, at("10:02"), HERE) == (Deafness(at("10:00"), at("10:02")),)


def test_one_that_arrives_later_in_its_minute_ends_the_doubt() -> None:
    hearing = arrived(silent(heard_since(), "10:01"), at("10:01:40"))

    assert not is_in_doubt(hearing, at("10:01:41"), HERE)
    assert deaf_times(hearing, at("10:01:41"), HERE) == ()
    assert deaf_times(silent(hearing, "10:02"), at("10:02"), HERE) == ()


def test_deafness_ends_when_a_canary_arrives_and_is_remembered_for_a_week() -> None:
    hearing = arrived(silent(heard_since(), "10:01", "10:02", "10:03", "10:04"), at("10:04:01"))
    over = (Deafness(at("10:00"), at("10:04:01")),)

    assert deaf_times(hearing, at("10:04:30"), HERE) == over
    assert deaf_since(hearing, at("10:04:30"), HERE) is None
    hearing = silent(hearing, "10:05")
    assert hearing.deaf == over
    hearing = arrived(hearing, at("10:05:01"))
    assert deaf_times(hearing, at("10:30"), HERE) == over
    assert sent(hearing, at("10:30") + timedelta(days=8), HERE).deaf == ()


def test_an_address_that_no_canary_arrived_through_holds_nothing_up() -> None:
    for address in (HERE, None):
        hearing = silent(NEVER_HEARD, "10:01", "10:02", "10:10")

        assert deaf_times(hearing, at("10:11"), address) == ()
        assert not is_in_doubt(hearing, at("10:11"), address)


def test_nor_does_another_address_than_the_one_that_worked() -> None:
    hearing = heard_since()
    other = "https://typo.example.com"
    for when in ("10:01", "10:02", "10:03"):
        hearing = sent(hearing, at(when), other)

    assert deaf_times(hearing, at("10:03"), other) == ()
    assert not is_in_doubt(hearing, at("10:03"), other)
    # And once it leads here, it was a wrong setting until then, not deafness.
    hearing = arrived(sent(hearing, at("10:30"), other), at("10:30"), other)
    assert deaf_times(hearing, at("10:31"), other) == ()


def test_a_time_without_ticks_is_not_one_without_canaries() -> None:
    hearing = silent(heard_since(), "11:00", "11:01", "11:02")

    assert deaf_times(hearing, at("11:02"), HERE) == (Deafness(at("10:58:30"), at("11:02")),)


def test_it_is_believed_for_a_day() -> None:
    hearing = silent(heard_since(), "10:01")
    later = at("10:00") + timedelta(days=3)

    assert deaf_times(hearing, later, HERE) == (Deafness(at("10:00"), at("10:00") + timedelta(days=1)),)


def test_a_signal_proves_the_canary_wrong_from_then_on() -> None:
    deaf = Deafness(at("10:00"), at("11:00"))

    assert until_heard([deaf], []) == (deaf,)
    assert until_heard([deaf], [at("10:40"), at("10:20"), at("09:00")]) == (Deafness(at("10:00"), at("10:20")),)
