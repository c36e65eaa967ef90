"""Which alerts share a message, and how long they wait for it."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.domain.alerts.alert import Alert
from chalicelib.domain.alerts.alert_event import event, group_event
from chalicelib.domain.alerts.gathering import (
    MOST_IN_A_MESSAGE,
    TOGETHER,
    Gathering,
    Side,
    after_telling,
    messages_for,
    recovery_waits_until,
    side_of,
    waits_until,
)
from chalicelib.domain.alerts.wording import group_text, group_title, worst_first
from chalicelib.domain.ids import timed_id
from chalicelib.domain.monitor.event import EventKind

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def alert(number: int, kind: EventKind = EventKind.MISSED, at: datetime = NOON, **more: Any) -> Alert:
    cron_id = f"cron {number:04}"
    made = Alert("o", cron_id, timed_id(at, bytes(10)), kind, at, at, "shop", "nightly", f"job {number}", "UTC")
    return made._replace(**more)


def test_four_are_told_at_once_and_the_fifth_waits_ten_seconds() -> None:
    calm = Gathering()

    assert waits_until(calm, 4, NOON) is None
    assert waits_until(calm, 5, NOON) == after(10)


def test_those_that_were_told_just_before_count() -> None:
    told = after_telling(after_telling(Gathering(), 1, NOON), 3, after(6))

    assert told == Gathering(told_at=after(6), told=4)
    assert waits_until(told, 1, after(15.9)) == after(25.9)
    assert waits_until(told, 1, after(16)) is None, "ten seconds were calm"
    assert after_telling(told, 1, after(16)).told == 1


def test_what_comes_later_joins_and_does_not_make_the_first_wait_longer() -> None:
    gathers = Gathering(until=after(10))

    assert waits_until(gathers, 1, after(9.9)) == after(10)
    assert waits_until(gathers, 1, after(10)) is None, "it is being sent: with it, or right behind it"


def test_a_recovery_of_an_outage_waits_two_minutes_from_the_first() -> None:
    assert recovery_waits_until(Gathering(), NOON) == after(120)
    assert recovery_waits_until(Gathering(until=after(120)), after(60)) == after(120)
    assert recovery_waits_until(Gathering(until=after(120)), after(120)) is None


def test_other_recoveries_do_not_wait_for_those_of_an_outage() -> None:
    of_outage = Gathering(until=after(120))

    assert waits_until(of_outage, 1, NOON) is None
    assert waits_until(of_outage, 5, NOON) == after(10)


@example([0.0, 0.0, 0.0, 0.0, 0.0, 2.0, 8.0, 0.0])
@given(st.lists(st.floats(0, 8), min_size=1, max_size=120))
def test_however_they_come_none_waits_over_ten_seconds_and_messages_are_few(pauses: list[float]) -> None:
    """One cron after another goes down; each message goes out the moment it is due."""
    kept, waiting, now = Gathering(), list[datetime](), NOON
    alone, gathered = 0, list[tuple[datetime, int]]()

    def send(at: datetime) -> None:
        nonlocal kept, alone
        if waiting:
            assert at - waiting[0] <= TOGETHER
            if kept.until is None:
                assert len(waiting) == 1
                alone += 1
            else:
                gathered.append((at, len(waiting)))
            kept = after_telling(kept._replace(until=None), len(waiting), at)
            waiting.clear()

    for pause in pauses:
        now += timedelta(seconds=pause)
        if kept.until is not None and kept.until <= now:
            send(kept.until)
        until = waits_until(kept, 1, now)
        waiting.append(now)
        if until is None:
            send(now)
        else:
            kept = kept._replace(until=until)
    if kept.until is not None:
        send(kept.until)

    assert alone + sum(count for _, count in gathered) == len(pauses)
    # Four at once, then one in ten seconds: and right behind one of few, those that make it four.
    assert alone <= 4 + sum(max(0, 4 - count) for _, count in gathered)
    assert all(later - earlier >= TOGETHER for (earlier, _), (later, _) in pairwise([(NOON, 0), *gathered]))


def test_five_new_ones_share_a_message_and_four_do_not() -> None:
    alerts = [alert(number) for number in range(5)]

    assert [one.alerts for one in messages_for(alerts, [], set(), [])] == [tuple(alerts)]
    assert len(messages_for(alerts[:4], [], set(), [])) == 4


def test_those_that_waited_share_a_message_however_few_they_are() -> None:
    alerts = [alert(1), alert(2, EventKind.FAILED, after(3)), alert(3, EventKind.RECOVERED)]

    messages = messages_for(alerts, [], set(), [Side.DOWN, Side.UP])

    assert [[one.name for one in message.alerts] for message in messages] == [["job 1", "job 2"], ["job 3"]]


def test_what_shared_a_message_stays_together_and_takes_in_no_other() -> None:
    alerts = [alert(number) for number in range(20)]
    members = tuple(one.key for one in alerts[:7])
    # Three of them have recovered since.
    to_send = [*alerts[3:], alert(30, EventKind.LATE)]

    messages = messages_for(to_send, [members], {alerts[8].key}, [Side.DOWN])

    assert [len(one.alerts) for one in messages] == [4, 12, 1, 1]
    assert messages[0].members == members, "its id is that of the first try"
    assert messages[0].alerts == tuple(alerts[3:7])
    assert messages[2].alerts == (alerts[8],), "it was tried alone, and is known by that"


def test_a_message_has_a_bound() -> None:
    alerts = [alert(number) for number in range(MOST_IN_A_MESSAGE + 1)]

    assert [len(one.alerts) for one in messages_for(alerts, [], set(), [])] == [MOST_IN_A_MESSAGE, 1]


@pytest.mark.parametrize(
    ("kind", "side"),
    [
        (EventKind.MISSED, Side.DOWN),
        (EventKind.FAILED, Side.DOWN),
        (EventKind.TIMEOUT, Side.DOWN),
        (EventKind.RECOVERED, Side.UP),
        (EventKind.RESOLVED, None),
        (EventKind.LATE, None),
        (EventKind.BLIND, None),
    ],
)
def test_only_crons_that_go_down_or_up_share_messages(kind: EventKind, side: Side | None) -> None:
    assert side_of(alert(1, kind)) is side


def test_the_worst_is_the_one_that_is_down_for_longest_and_then_the_one_that_missed_most() -> None:
    alerts = [
        alert(1, opened_at=after(-60), missed=1),
        alert(2, opened_at=after(-600), missed=1),
        alert(3, opened_at=after(-600), missed=4),
        alert(4),
    ]

    found = worst_first(alerts)

    assert [one.name for one in found] == ["job 3", "job 2", "job 1", "job 4"]
    assert group_title(found) == "DOWN: 4 crons in shop/nightly, longest down: job 3"
    lines = group_text(found, "https://example.com/").splitlines()
    assert lines[0] == "4 crons went down."
    longest = "Down for longest: job 3 in shop/nightly, since 2026-03-10 11:50:00 UTC, 4 occurrences missed."
    assert lines[1] == longest
    events = [event(one, "", "https://example.com/") for one in found]
    worst = group_event(found, events)["data"]["worst"]
    assert worst == {"alert_id": alerts[2].id, "cron": events[0]["data"]["cron"], "incident": None}


def test_of_recoveries_the_worst_was_down_for_longest() -> None:
    alerts = [
        alert(1, EventKind.RECOVERED, after(60), opened_at=NOON, service="a"),
        alert(2, EventKind.RECOVERED, after(90), opened_at=after(10), service="b"),
    ]

    found = worst_first(alerts)

    assert group_title(found) == "UP: 2 crons in 2 services, longest down: shop/b/job 2"
    assert "since 2026-03-10 12:00:10 UTC until 2026-03-10 12:01:30 UTC." in group_text(found, "")
