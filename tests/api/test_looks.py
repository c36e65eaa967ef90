"""Within seconds: where it is set so, the tick looks again at what is due inside its minute."""

import pytest

from chalicelib.services import evaluate
from chalicelib.services.tick import watch_minute
from tests.api.client import Api, Clock
from tests.api.conftest import Calls


@pytest.fixture(autouse=True)
def every_five_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRONHUB_LOOK_EVERY_SECONDS", "5")


class Minute:
    """A minute that passes while the tick waits."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.looks: list[str] = []

    def wait(self, seconds: float) -> bool:
        self.clock.pass_by(seconds=seconds)
        self.looks.append(f"{self.clock.now:%H:%M:%S}")
        return True


def test_a_deadline_inside_the_minute_is_judged_within_five_seconds(api: Api, clock: Clock) -> None:
    cron_id = api.new_cron(None, max_runtime_seconds=72)
    api.start(cron_id)
    clock.at("12:01:00")
    minute = Minute(clock)

    def wait(seconds: float) -> bool:
        minute.wait(seconds)
        # Its time is over at 12:01:12.
        assert bool(api.get("/api/incidents").json["incidents"]) is (minute.looks[-1] > "12:01:15")
        return True

    watch_minute(clock.now, wait=wait)

    assert minute.looks == [f"12:01:{second:02}" for second in range(5, 60, 5)]
    assert api.get("/api/incidents").json["incidents"][0]["opened_at"] == "2026-03-10T12:01:12Z"


def test_it_does_not_look_again_where_that_is_not_set(
    api: Api, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for value in ("0", ""):
        monkeypatch.setenv("CRONHUB_LOOK_EVERY_SECONDS", value)
        minute = Minute(clock)
        watch_minute(clock.now, wait=minute.wait)
        assert minute.looks == []


@pytest.mark.parametrize("healthy", [0, 60])
def test_a_look_costs_the_queries_of_the_due_index_however_many_crons_are_healthy(
    api: Api, clock: Clock, calls: Calls, healthy: int
) -> None:
    if healthy:
        api.register(*({"name": f"job {n}", "schedule": "0 13 * * *"} for n in range(healthy)))
    looks: list[list[str]] = []

    def wait(seconds: float) -> bool:
        looks.append(list(calls.names))
        calls.clear()
        clock.pass_by(seconds=seconds)
        return True

    watch_minute(clock.now, wait=wait)

    # The first is the tick itself.
    assert looks[1:] == [["Query"] * 16] * 10
    assert calls.names == ["Query"] * 16


def test_one_that_is_to_stop_stops(api: Api, clock: Clock, calls: Calls) -> None:
    waited: list[float] = []

    def wait(seconds: float) -> bool:
        calls.clear()
        waited.append(seconds)
        return False

    watch_minute(clock.now, wait=wait)

    assert (waited, calls.names) == ([5.0], [])


def test_looks_that_a_slow_one_left_no_time_for_are_not_made_up(api: Api, clock: Clock) -> None:
    minute = Minute(clock)

    def wait(seconds: float) -> bool:
        minute.wait(seconds)
        if len(minute.looks) == 2:
            clock.pass_by(seconds=22)
        return True

    watch_minute(clock.now, wait=wait)

    assert minute.looks == ["12:00:05", "12:00:10", "12:00:35", *(f"12:00:{at}" for at in range(40, 60, 5))]


def test_a_large_backlog_is_handed_over_once_a_minute(
    api: Api, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluate, "HANDED_OVER_FROM", 3)
    handed: list[str] = []

    def hand_over(*_: object) -> bool:
        handed.append(f"{clock.now:%H:%M:%S}")
        return True

    monkeypatch.setattr(evaluate, "hand_over", hand_over)
    ids = api.register(*({"name": f"job {n}", "schedule": None, "max_runtime_seconds": 72} for n in range(5)))
    for cron_id in ids:
        api.start(cron_id)
    clock.at("12:01:00")

    watch_minute(clock.now, wait=Minute(clock).wait)

    assert handed == ["12:01:15"]
