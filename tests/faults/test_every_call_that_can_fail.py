"""A fault at every call of the store and of the queue, one at a time: in the end all agrees with what
would have been without it, and everybody was told."""

from collections.abc import Callable, Iterator

import pytest

from tests.faults.faults import Calls, Kind, fault_at, worth_trying
from tests.faults.world import Stage, World, stage

# Prepares a world; returns what then goes through the calls.
Way = Callable[[World], Callable[[], None]]

CRON = {"name": "backup", "schedule": "0 * * * *", "max_runtime_seconds": 3600}


def fails(w: World) -> Callable[[], None]:
    [cron_id] = w.api.register(CRON)

    def way() -> None:
        w.signal("fail", cron_id, "one")
        w.deliver()

    return way


def recovers(w: World) -> Callable[[], None]:
    [cron_id] = w.api.register(CRON)
    w.signal("fail", cron_id, "one")
    w.deliver()
    w.clock.pass_by(minutes=1)
    w.signal("start", cron_id, "two")

    def way() -> None:
        w.signal("ping", cron_id, "two")
        w.deliver()

    return way


def starts(w: World) -> Callable[[], None]:
    first, second = w.api.register(CRON, {"name": "report", "schedule": None, "depends_on": ["backup"]})
    w.signal("ping", first, "before")

    def way() -> None:
        w.signal("start", second, "one")

    return way


def misses(w: World) -> Callable[[], None]:
    w.api.register(CRON)
    w.clock.at("13:07:00")

    def way() -> None:
        w.tick()
        w.deliver()

    return way


def times_out(w: World) -> Callable[[], None]:
    [cron_id] = w.api.register({"name": "backup", "schedule": None, "max_runtime_seconds": 60})
    w.signal("start", cron_id, "one")
    w.clock.pass_by(seconds=61)

    def way() -> None:
        w.tick()
        w.deliver()

    return way


def goes_down_with_others(w: World) -> Callable[[], None]:
    w.api.register(*({**CRON, "name": f"job {number}"} for number in range(6)))
    w.clock.at("13:07:00")

    def way() -> None:
        w.tick()
        w.deliver()

    return way


def is_registered(w: World) -> Callable[[], None]:
    w.api.register(CRON, {"name": "import", "schedule": None})
    crons = [
        {**CRON, "description": "changed"},
        {"name": "report", "schedule": None, "tags": ["new"], "depends_on": ["backup"]},
    ]
    body = {"product": "shop", "service": "nightly", "crons": crons, "prune": True}

    def way() -> None:
        assert w.ask("POST", "/api/crons/register", body).status == 200

    return way


WAYS = (
    fails,
    recovers,
    starts,
    misses,
    is_registered,
    pytest.param(times_out, marks=pytest.mark.long),
    pytest.param(goes_down_with_others, marks=pytest.mark.long),
)


@pytest.fixture(scope="module")
def on_stage() -> Iterator[Stage]:
    with stage() as found:
        yield found


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: getattr(way, "__name__", ""))
def test_whatever_call_fails_all_agrees_in_the_end(on_stage: Stage, way: Way, kind: Kind) -> None:
    calls, wanted = gone(on_stage, way, None, kind)
    assert len(calls) > 1
    for number in worth_trying(calls, kind):
        hit, found = gone(on_stage, way, number, kind)
        assert hit.is_hit
        assert found == wanted, f"{kind.value} at call {number}: {calls[number]}"


def gone(on_stage: Stage, way: Way, number: int | None, kind: Kind) -> tuple[Calls, object]:
    """The calls made, and all that is known when the world is well again."""
    with on_stage.world() as w:
        go = way(w)
        with fault_at(number, kind) as calls:
            go()
        w.get_well()
        # Who dies between sending and recording it sends it again, under the same id.
        assert w.repeats() <= 1, f"{kind.value} at call {number}"
        return calls, w.facts()
