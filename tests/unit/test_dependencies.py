"""When is a dependency completed, and what closes a cycle?"""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.monitor.cron import Cron, LastRun, OpenRun, Settings, Status
from chalicelib.domain.monitor.dependencies import Blocker, Edges, Unmet, blockers, cycle, depending_on, unmet
from chalicelib.domain.runs.run import RunStatus

SECOND = timedelta(seconds=1)
NOW = datetime(2026, 3, 10, 2, 30, tzinfo=UTC)
TWO = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)


def cron(schedule: str | None = "0 2 * * *", **fields: Any) -> Cron:
    usual: dict[str, Any] = {
        "org_id": "o",
        "id": "c1",
        "product": "shop",
        "service": "nightly",
        "name": "backup",
        "settings": Settings(schedule=schedule),
        "created_at": TWO - timedelta(days=9),
        "expected_at": TWO + timedelta(days=1),
    }
    return Cron(**usual | fields)


def ran(finished_at: datetime, status: RunStatus = RunStatus.SUCCESS) -> LastRun:
    return LastRun("r1", status, finished_at)


def test_a_success_since_the_latest_occurrence_completes_it() -> None:
    assert unmet(cron(last_run=ran(TWO + SECOND)), NOW) is None


def test_so_does_one_that_was_a_little_early_and_no_more() -> None:
    minute = timedelta(seconds=60)

    assert unmet(cron(last_run=ran(TWO - minute)), NOW) is None
    assert unmet(cron(last_run=ran(TWO - minute - SECOND)), NOW) is Unmet.NOT_RUN_SINCE_DUE


def test_a_run_by_hand_counts_until_the_next_occurrence() -> None:
    by_hand = cron(last_run=ran(TWO - timedelta(hours=9)))

    assert unmet(by_hand, TWO - SECOND) is None
    assert unmet(by_hand, TWO) is Unmet.NOT_RUN_SINCE_DUE


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, Unmet.NEVER_RAN),
        ({"last_run": ran(NOW, RunStatus.FAILED)}, Unmet.FAILED),
        ({"last_run": ran(NOW, RunStatus.TIMEOUT)}, Unmet.TIMED_OUT),
        ({"last_run": ran(NOW), "open_runs": (OpenRun("r2", NOW, NOW),)}, Unmet.RUNNING),
        ({"open_runs": (OpenRun("r2", NOW, NOW),)}, Unmet.RUNNING),
        ({"last_run": ran(NOW - timedelta(days=1))}, Unmet.NOT_RUN_SINCE_DUE),
    ],
)
def test_why_it_is_not_completed(fields: dict[str, Any], reason: Unmet) -> None:
    assert unmet(cron(**fields), NOW) is reason


def test_without_a_schedule_the_last_run_counts_whenever_it_was() -> None:
    long_ago = NOW - timedelta(days=300)

    assert unmet(cron(None, expected_at=None, last_run=ran(long_ago)), NOW) is None
    assert unmet(cron(None, expected_at=None), NOW) is Unmet.NEVER_RAN
    assert unmet(cron(None, expected_at=None, last_run=ran(NOW, RunStatus.FAILED)), NOW) is Unmet.FAILED


def test_a_paused_cron_is_judged_by_its_schedule_all_the_same() -> None:
    paused = cron(status=Status.PAUSED, expected_at=None)

    assert unmet(paused._replace(last_run=ran(TWO)), NOW) is None
    assert unmet(paused._replace(last_run=ran(TWO - timedelta(hours=1))), NOW) is Unmet.NOT_RUN_SINCE_DUE


@pytest.mark.parametrize(
    ("expected_in", "ran_ago", "completed"),
    [
        # Expected in 4 minutes, so a run was heard of 6 minutes ago, whenever it was.
        (4, 6, True),
        (4, 8, True),
        # Expected 1 minute ago: that is the latest occurrence.
        (-1, 1, True),
        (-1, 3, False),
        # Expected 25 minutes ago: since then every 10 minutes, the last 5 minutes ago.
        (-25, 4, True),
        (-25, 7, False),
    ],
)
def test_an_interval_is_counted_from_what_is_expected(expected_in: int, ran_ago: int, completed: bool) -> None:
    every = cron(
        "@every 10m",
        expected_at=NOW + timedelta(minutes=expected_in),
        last_run=ran(NOW - timedelta(minutes=ran_ago)),
    )

    assert (unmet(every, NOW) is None) is completed


def test_a_paused_interval_has_no_occurrence() -> None:
    assert unmet(cron("@every 10m", expected_at=None, last_run=ran(NOW - timedelta(days=9))), NOW) is None


def test_blockers_are_those_that_are_not_completed() -> None:
    done, never = cron(last_run=ran(NOW)), cron(id="c2", name="report")

    assert blockers([done, never], NOW) == (Blocker("c2", "report", Unmet.NEVER_RAN),)
    assert blockers([], NOW) == ()


def test_a_cron_without_dependencies_is_not_blocked() -> None:
    blocked = cron(is_blocked=True, depends_on=("a", "b"))

    assert depending_on(blocked, ("a",)).is_blocked is True
    assert depending_on(blocked, ()).is_blocked is False


def test_a_path_that_closes() -> None:
    edges = {"b": ["a"], "c": ["b"]}

    assert cycle(edges, {"a": ["c"]}) == ("a", "c", "b", "a")
    assert cycle(edges, {"a": ["d"]}) is None
    assert cycle({}, {"a": ["a"]}) == ("a", "a")
    # The edges of a cron that is named again are replaced.
    assert cycle(edges, {"a": ["c"], "b": []}) is None


def test_a_long_chain_is_followed_to_its_end() -> None:
    chain = {str(number): [str(number + 1)] for number in range(20_000)}
    path = cycle(chain, {"20000": ["0"]})

    assert path is not None
    assert len(path) == 20_002


def test_many_ways_to_one_place_are_each_looked_at_once() -> None:
    # Without that, 2 to the 60th paths.
    layers = {f"{number}{side}": [f"{number + 1}a", f"{number + 1}b"] for number in range(60) for side in "ab"}

    assert cycle(layers, {"0a": layers["0a"]}) is None


NODES = "abcdef"
GRAPHS = st.dictionaries(st.sampled_from(NODES), st.sets(st.sampled_from(NODES), max_size=3))


def reachable(edges: Edges, start: str) -> set[str]:
    """What is reached from `start` by one edge or more, by going on until nothing is added."""
    found = set(edges.get(start, ()))
    while True:
        more = found.union(*(edges.get(node, ()) for node in found))
        if more == found:
            return found
        found = more


@given(GRAPHS, GRAPHS)
def test_cycles_are_as_a_slow_model_has_them(edges: dict[str, set[str]], new: dict[str, set[str]]) -> None:
    together = {**edges, **new}
    looked_at = set(new).union(*(reachable(together, node) for node in new))
    path = cycle(edges, new)

    assert (path is not None) is any(node in reachable(together, node) for node in looked_at)
    if path is not None:
        assert path[0] == path[-1]
        assert len(set(path)) == len(path) - 1
        assert all(after in together[before] for before, after in pairwise(path))


@given(st.permutations(NODES), st.data())
def test_what_only_points_onwards_has_no_cycle(order: list[str], data: st.DataObject) -> None:
    onwards = {
        node: data.draw(st.sets(st.sampled_from(order[place + 1 :]))) if order[place + 1 :] else set()
        for place, node in enumerate(order)
    }

    assert cycle(onwards, onwards) is None
