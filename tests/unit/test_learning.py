"""A schedule is learned from runs, and not proposed while another one would do as well."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from chalicelib.domain.schedule.learning import ScheduleProposal, propose
from chalicelib.domain.schedule.schedule import CronSchedule, parse_schedule

START = datetime(2026, 2, 2, 0, 0, 30, tzinfo=UTC)  # a Monday
CRONS = [
    "* * * * *",
    "*/5 * * * *",
    "3-59/10 * * * *",
    "*/15 * * * *",
    "*/30 * * * *",
    "17 * * * *",
    "0 */2 * * *",
    "5 1-23/4 * * *",
    "30 */6 * * *",
    "0 0 * * *",
    "15 3 * * *",
    "45 23 * * *",
    "0 9 * * 1-5",
    "20 4 * * 0",
    "20 4 * * 3",
    "0 6 1 * *",
]


def runs_of(expression: str, zone: str, number: int, jitter: float = 2.0) -> list[datetime]:
    random, schedule = Random(expression), parse_schedule(expression, zone)
    assert isinstance(schedule, CronSchedule)
    found, at = [], START
    for _ in range(number):
        following = schedule.next(at)
        assert following is not None
        at = following
        found.append(at + timedelta(seconds=random.uniform(0, jitter)))
    return found


@pytest.mark.parametrize("expression", CRONS)
@pytest.mark.parametrize("jitter", [1.0, 20.0])
def test_what_cron_started_is_found(expression: str, jitter: float) -> None:
    ran = runs_of(expression, "UTC", 30, jitter)

    assert propose(ran, ran[-1]) == ScheduleProposal(expression, "UTC", 30)


@pytest.mark.parametrize("expression", CRONS)
def test_on_the_way_nothing_wrong_is_proposed(expression: str) -> None:
    ran = runs_of(expression, "UTC", 40)
    wanted = parse_schedule(expression, "UTC")
    assert isinstance(wanted, CronSchedule)

    for number in range(1, 40):
        for now in (ran[number - 1], ran[number] - timedelta(seconds=1)):
            found = propose(ran[:number], now)
            if found is not None:
                assert (found.schedule, found.timezone) == (expression, "UTC"), number


def test_daily_is_told_from_working_days_by_a_saturday() -> None:
    ran = runs_of("0 9 * * 1-5", "UTC", 5)
    friday, saturday = ran[-1], ran[-1] + timedelta(days=1)

    assert propose(ran, friday) is None
    assert propose(ran, saturday) is None
    assert propose(ran, saturday + timedelta(hours=1)) == ScheduleProposal("0 9 * * 1-5", "UTC", 5)
    daily = runs_of("0 9 * * *", "UTC", 6)
    assert propose(daily, daily[-1]) == ScheduleProposal("0 9 * * *", "UTC", 6)


@pytest.mark.parametrize("zone", ["Europe/Paris", "America/New_York"])
def test_a_zone_is_told_by_a_change_of_its_clocks(zone: str) -> None:
    ran = runs_of("30 2 * * *", zone, 80)
    before = [at for at in ran if at < datetime(2026, 3, 7, tzinfo=UTC)]

    early = propose(before, before[-1])
    assert early is not None
    assert early.timezone == "UTC"
    late = propose(ran, ran[-1])
    assert late is not None
    # London's clocks change with those of Paris: what counts is when it is due.
    found, wanted = parse_schedule(late.schedule, late.timezone), parse_schedule("30 2 * * *", zone)
    assert isinstance(found, CronSchedule)
    assert isinstance(wanted, CronSchedule)
    until = START + timedelta(days=400)
    assert late.timezone != "UTC"
    assert found.between(ran[-1], until, 500) == wanted.between(ran[-1], until, 500)


@pytest.mark.parametrize(("seconds", "every"), [(602, "@every 10m"), (45, "@every 45s"), (5400, "@every 90m")])
def test_a_loop_that_sleeps_is_an_interval(seconds: int, every: str) -> None:
    ran = [START + timedelta(seconds=seconds * n + 0.2 * n) for n in range(30)]

    assert propose(ran, ran[-1]) == ScheduleProposal(every, "UTC", 30)


def test_one_outage_is_forgiven_and_runs_by_hand_are_not() -> None:
    ran = runs_of("*/15 * * * *", "UTC", 30)

    assert propose([*ran[:10], *ran[11:]], ran[-1]) == ScheduleProposal("*/15 * * * *", "UTC", 29)
    assert propose([*ran, ran[4] + timedelta(minutes=7)], ran[-1]) is None


@pytest.mark.parametrize("number", [0, 1, 3])
def test_few_runs_show_nothing(number: int) -> None:
    ran = runs_of("0 0 * * *", "UTC", number) if number else []

    assert propose(ran, START) is None


def test_irregular_runs_show_nothing() -> None:
    random, ran = Random(7), [START]
    for _ in range(60):
        ran.append(ran[-1] + timedelta(minutes=random.uniform(1, 600)))

    for number in range(1, 60):
        assert propose(ran[:number], ran[number - 1]) is None
