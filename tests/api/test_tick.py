"""The tick in trouble: items that cannot be read, others at the same work, too much to do, too late."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from chalicelib.domain.errors import Unavailable
from chalicelib.domain.ids import org_of
from chalicelib.domain.monitor.cron import Cron
from chalicelib.services.evaluate import PUT_OFF_BROKEN, TickReport, run_tick
from chalicelib.store import crons
from chalicelib.store.tables import CronItem
from tests.api.client import Api, Clock
from tests.capacity import counting


def overdue(api: Api, clock: Clock, number: int) -> list[str]:
    """Hourly crons that were missed just now."""
    ids = api.register(*({"name": f"job {n}", "schedule": "0 * * * *"} for n in range(number)))
    clock.at("13:07:00")
    return ids


def statuses(api: Api) -> dict[str, str]:
    return {cron["name"]: cron["status"] for cron in api.get("/api/crons").json["crons"]}


def test_an_item_that_cannot_be_read_stops_no_other_and_does_not_come_back_every_minute(
    api: Api, clock: Clock
) -> None:
    broken, *others = overdue(api, clock, 4)
    [item] = [item for item in CronItem.scan() if item.cron_id == broken]
    item.update([CronItem.status.set("what nobody wrote")])

    report = api.tick()

    assert (report.looked_at, report.broken, report.changed) == (4, 1, 3)
    assert [api.cron(one)["status"] for one in others] == ["down"] * 3
    clock.pass_by(minutes=1)
    assert api.tick().looked_at == 0
    clock.pass_by(seconds=PUT_OFF_BROKEN.total_seconds())
    assert api.tick().broken == 1


def test_a_tick_that_another_overtakes_records_and_tells_nothing_twice(
    api: Api, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = overdue(api, clock, 6)
    real = crons.crons_at
    reports: list[TickReport] = []

    def find(keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Cron]:
        found = real(keys)
        if not reports:
            # Between this one's reading and its writing.
            reports.append(TickReport())
            reports.append(run_tick(clock.now))
        return found

    monkeypatch.setattr(crons, "crons_at", find)
    reports.append(run_tick(clock.now))

    assert [(report.changed, report.broken) for report in reports[1:]] == [(6, 0), (0, 0)]
    for cron_id in ids:
        assert [run["status"] for run in api.runs(cron_id)] == ["missed"]
        assert api.cron(cron_id)["incident"]["missed"] == 1
        assert api.cron(cron_id)["stats"]["24h"]["missed"] == 1
    assert len(api.get("/api/incidents").json["incidents"]) == 6


def test_a_tick_whose_time_is_over_leaves_the_rest_to_the_next(
    api: Api, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    overdue(api, clock, 9)
    seconds = iter(range(100))
    monkeypatch.setattr(
        "chalicelib.services.evaluate.time", SimpleNamespace(monotonic=lambda: float(next(seconds)))
    )

    first = run_tick(clock.now, budget_seconds=5)
    second = run_tick(clock.now, budget_seconds=50)

    assert first.out_of_time
    assert (first.changed, second.changed) == (4, 5)
    assert set(statuses(api).values()) == {"down"}


def test_a_late_tick_finds_what_those_before_it_would_have(api: Api, clock: Clock) -> None:
    [cron_id] = api.register({"name": "job", "schedule": "* * * * *", "failure_tolerance": 2})

    clock.at("12:05:30")
    api.tick()

    # The last one has its grace still.
    missed = api.runs(cron_id)
    assert [run["scheduled_at"][11:16] for run in missed] == ["12:04", "12:03", "12:02", "12:01"]
    assert {run["status"] for run in missed} == {"missed"}
    assert api.cron(cron_id)["incident"]["missed"] == 4 - 2


def test_a_shard_that_cannot_be_read_leaves_the_others_to_be(
    api: Api, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    overdue(api, clock, 40)
    real = crons.due_crons
    failed: list[int] = []

    def due(shard: int, now: datetime) -> Iterator[tuple[str, str]]:
        found = list(real(shard, now))
        # The first in which there is something to be seen.
        if found and not failed:
            failed.append(len(found))
            raise Unavailable("no answer")
        return iter(found)

    monkeypatch.setattr(crons, "due_crons", due)
    first, second = api.tick(), api.tick()

    assert (first.changed, second.changed) == (40 - failed[0], failed[0])
    assert set(statuses(api).values()) == {"down"}


def overdue_chain(api: Api, clock: Clock, number: int) -> list[str]:
    """Hourly crons of which each waits for the one before it, all missed just now."""
    crons: list[dict[str, Any]] = [{"name": f"job {n}", "schedule": "0 * * * *"} for n in range(number)]
    for before, cron in pairwise(crons):
        cron["depends_on"] = [before["name"]]
    ids = api.register(*crons)
    clock.at("13:07:00")
    return ids


def test_a_dependency_that_goes_down_in_the_same_tick_speaks_for_its_dependants(api: Api, clock: Clock) -> None:
    first, *others = overdue_chain(api, clock, 8)

    report = api.tick()

    [incident] = api.get("/api/incidents").json["incidents"]
    assert incident["cron_id"] == first
    assert {api.runs(one)[0]["incident_id"] for one in others} == {incident["id"]}
    assert statuses(api) == {"job 0": "down"} | {f"job {n}": "blocked" for n in range(1, 8)}
    assert (report.looked_at, report.changed) == (8, 8)


def test_a_very_long_chain_is_followed_as_far_as_python_can(
    api: Api, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    *_, last = overdue_chain(api, clock, 100)
    due = {0: [(str(org_of(last)), last)]}
    monkeypatch.setattr(crons, "due_crons", lambda shard, _now: iter(due.get(shard, [])))

    report = api.tick()

    assert (report.looked_at, report.changed, report.broken) == (81, 81, 0)


def test_many_due_crons_are_read_together_and_those_with_dependencies_judged_after_them(
    api: Api, clock: Clock
) -> None:
    clock.at("12:10:00")
    causes = [{"name": f"cause {n}", "schedule": "0 13 * * *", "grace_seconds": 0} for n in range(20)]
    symptoms = [
        {"name": f"symptom {n}", "schedule": "0 13 * * *", "grace_seconds": 0, "depends_on": [f"cause {n}"]}
        for n in range(20)
    ]
    api.register(*causes, *symptoms)
    clock.at("13:10:00")

    with counting() as consumed:
        report = api.tick()

    assert (report.looked_at, report.broken) == (40, 0)
    shown = {cron["name"]: cron["status"] for cron in api.get("/api/crons", limit=100).json["crons"]}
    assert {shown[f"cause {n}"] for n in range(20)} == {"down"}
    assert {shown[f"symptom {n}"] for n in range(20)} == {"blocked"}
    # 16 shards, one read of all, a commit each; of a symptom also what it depends on.
    assert consumed.calls < 16 + 1 + 40 + 2 * 20 + 20
