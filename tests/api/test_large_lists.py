"""Orgs with many crons and crons with many runs: a request reads what it answers with, and no more."""

import random
from datetime import datetime, timedelta

import pytest

from chalicelib.domain import ids
from chalicelib.domain.monitor import on_request
from chalicelib.domain.monitor.cron import Settings
from chalicelib.domain.runs.counts import counts_of, moment_of, sum_counts
from chalicelib.domain.runs.run import Excuse, Run, RunStatus
from chalicelib.store.cron_codec import to_item
from chalicelib.store.runs import new_item
from chalicelib.store.tables import CronItem, RunItem
from tests.api.client import Api, Clock
from tests.api.conftest import Calls


def many_crons(api: Api, clock: Clock, number: int, archived: int = 0) -> list[str]:
    """Crons in the order of their ids; the first `archived` of them are archived."""
    org_id = api.get("/api/orgs/mon-org").json["id"]
    made = []
    with CronItem.batch_write() as batch:
        for place in range(number):
            cron_id = ids.cron_id(org_id, place.to_bytes(10, "big"))
            names = on_request.CronNames("shop", "many", f"job {place}")
            cron = on_request.create(cron_id, names, Settings("0 2 * * *"), clock.now)._replace(version=1)
            batch.save(to_item(cron._replace(archived_at=clock.now) if place < archived else cron))
            made.append(cron_id)
    return made


def many_runs(cron_id: str, until: datetime, number: int, apart: timedelta) -> None:
    """Runs back from a moment: of ten, one failed, one was missed and eight took 20 seconds."""
    with RunItem.batch_write() as batch:
        for place in range(number):
            at = until - place * apart
            run = Run(cron_id, ids.timed_id(at, place.to_bytes(10, "big")), _status(place), scheduled_at=at)
            took = 20_000 if run.status is RunStatus.SUCCESS else None
            batch.save(new_item(run._replace(finished_at=at, duration_ms=took, late=place % 10 == 2), until))


def _status(place: int) -> RunStatus:
    return {0: RunStatus.FAILED, 1: RunStatus.MISSED}.get(place % 10, RunStatus.SUCCESS)


def queries(calls: Calls, table: str) -> list[int | None]:
    """How many items each query of a table asks for; None: as many as there are."""
    found = [given for name, given in calls if name == "Query" and given["TableName"].endswith(f"-{table}")]
    return [given.get("Limit") for given in found]


def test_a_page_of_crons_reads_one_more_than_it_shows(api: Api, clock: Clock, calls: Calls) -> None:
    crons = many_crons(api, clock, 60)
    calls.clear()

    page = api.get("/api/crons", limit=20).json

    assert [cron["id"] for cron in page["crons"]] == crons[:20]
    assert queries(calls, "crons") == [21]


def test_archived_crons_at_the_front_cost_one_large_read_and_not_many_small_ones(
    api: Api, clock: Clock, calls: Calls
) -> None:
    crons = many_crons(api, clock, 60, archived=50)
    calls.clear()

    page = api.get("/api/crons", limit=5).json

    assert [cron["id"] for cron in page["crons"]] == crons[50:55]
    assert queries(calls, "crons") == [6, None]


def test_a_filtered_page_of_crons_is_read_in_large_pages(api: Api, clock: Clock, calls: Calls) -> None:
    crons = many_crons(api, clock, 60)
    calls.clear()

    page = api.get("/api/crons", limit=5, search="job 59").json

    assert [cron["id"] for cron in page["crons"]] == [crons[59]]
    assert queries(calls, "crons") == [None]


def test_details_of_an_hourly_cron_read_its_last_hundred_runs(api: Api, clock: Clock, calls: Calls) -> None:
    cron_id = api.new_cron(schedule=None)
    many_runs(cron_id, clock.now, 300, timedelta(hours=1))
    calls.clear()

    details = api.cron(cron_id)

    assert details["stats"]["24h"]["expected"] == 25
    assert queries(calls, "runs") == [102]


@pytest.mark.parametrize("seconds", [60, 300])
def test_the_last_day_counts_every_run_also_of_a_cron_that_runs_often(
    api: Api, clock: Clock, seconds: int
) -> None:
    cron_id = api.new_cron(schedule=None)
    many_runs(cron_id, clock.now, 1600, timedelta(seconds=seconds))
    in_a_day = 86400 // seconds + 1

    day = api.cron(cron_id)["stats"]["24h"]

    found = [_status(place) for place in range(in_a_day)]
    assert day["expected"] == in_a_day
    assert day["failed"] == found.count(RunStatus.FAILED)
    assert day["missed"] == found.count(RunStatus.MISSED)
    assert day["late"] == sum(place % 10 == 2 for place in range(in_a_day))
    assert day["met"] == found.count(RunStatus.SUCCESS)
    assert day["average_duration_ms"] == 20_000


def test_the_last_day_counts_runs_of_every_kind(api: Api, clock: Clock) -> None:
    chance = random.Random(3)
    cron_id = api.new_cron(schedule=None)
    runs = [_any_run(cron_id, clock.now - place * timedelta(minutes=4), chance) for place in range(400)]
    with RunItem.batch_write() as batch:
        for run in runs:
            batch.save(new_item(run, clock.now))

    day = api.cron(cron_id)["stats"]["24h"]

    since = clock.now - timedelta(hours=24)
    counts = sum_counts(counts_of(run) for run in runs if (run.scheduled_until or moment_of(run)) >= since)
    names = ("expected", "met", "missed", "excused", "runs", "failed", "timed_out", "late")
    assert {name: day[name] for name in names} == {name: getattr(counts, name) for name in names}
    assert day["average_duration_ms"] == pytest.approx(counts.durations.average_ms, abs=1)


def _any_run(cron_id: str, at: datetime, chance: random.Random) -> Run:
    run = Run(cron_id, ids.timed_id(at, chance.randbytes(10)), chance.choice(list(RunStatus)), started_at=at)
    if chance.random() < 0.7:
        run = run._replace(scheduled_at=at, excused=chance.choice([None, *Excuse]))
    if run.scheduled_at and chance.random() < 0.5:
        run = run._replace(scheduled_until=at + timedelta(minutes=chance.randrange(60)), occurrences=3)
    return run._replace(late=chance.random() < 0.2, duration_ms=chance.choice([None, chance.randrange(90_000)]))
