"""CronHub is away for an hour: what jobs reported meanwhile arrives with its true times, and is judged by them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cronhub import reporter
from cronhub.reporter import iso
from cronhub.spool import Report

from chalicelib.services.tick import run_minute
from tests.api.client import Api, Clock
from tests.api.test_real_jobs import heard

DAY = datetime(2026, 3, 10, tzinfo=UTC)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock.installed(monkeypatch)


def ticks(clock: Clock, until: str) -> None:
    end = Clock()
    end.at(until)
    while clock.now < end.now:
        run_minute(clock.now)
        clock.pass_by(minutes=1)


def report(cron_id: str, minute: float, exit_code: int = 0) -> Report:
    """Of a run that began so many minutes after 12:00, and took 20 s."""
    began = DAY + timedelta(hours=12, minutes=minute)
    times = (iso(began), iso(began + timedelta(seconds=20)))
    return Report("http://cronhub", cron_id, f"host-{minute}", exit_code, 20_000, *times, output=f"run {minute}")


def send(api: Api, one: Report, *, by_key: bool) -> Any:
    """As `cronhub flush` would."""
    if by_key:
        call = reporter._heartbeat(one)
        answer = api.call(call.method, call.path, call.body)
    else:
        fields = {"exit_code": one.exit_code, "started_at": one.started_at, "finished_at": one.finished_at}
        query = {"rid": one.run_id, "duration_ms": one.duration_ms, **fields}
        answer = api.post(f"/api/ping/{one.cron}", key=None, raw=one.output, content_type="text/plain", **query)
    assert answer.status == 200, answer.text
    return answer.json


@pytest.mark.parametrize("tick_first", [True, False])
@pytest.mark.parametrize("by_key", [True, False])
def test_an_hour_of_runs_arrives_late_with_its_times_and_nobody_is_told_anything(
    api: Api, clock: Clock, by_key: bool, tick_first: bool
) -> None:
    cron_id = api.new_cron("*/10 * * * *")
    ticks(clock, "12:11:00")
    clock.at("12:10:21")
    send(api, report(cron_id, 10), by_key=by_key)
    # Neither ticks nor signals until 13:13.
    clock.at("13:13:00")
    if tick_first:
        run_minute(clock.now)
    for minute in range(20, 80, 10):
        send(api, report(cron_id, minute), by_key=by_key)
    ticks(clock, "13:19:00")

    runs = {run["run_id"]: run for run in api.runs(cron_id, limit=50) if run["run_id"]}
    assert len(runs) == 7
    assert runs["host-30"]["started_at"] == "2026-03-10T12:30:00Z"
    assert runs["host-30"]["finished_at"] == "2026-03-10T12:30:20Z"
    assert {run["duration_ms"] for run in runs.values()} == {20_000}
    assert api.cron(cron_id)["status"] == "up"
    assert heard(cron_id) == []
    assert api.cron(cron_id)["next_expected_at"] == "2026-03-10T13:20:00Z"


def test_a_failure_that_a_later_run_made_good_is_recorded_and_not_told(api: Api, clock: Clock) -> None:
    cron_id = api.new_cron("*/10 * * * *")
    ticks(clock, "12:05:00")
    clock.at("13:13:00")
    run_minute(clock.now)
    send(api, report(cron_id, 70), by_key=True)
    send(api, report(cron_id, 40, exit_code=3), by_key=True)

    failed = next(run for run in api.runs(cron_id) if run["run_id"] == "host-40")
    assert (failed["status"], failed["exit_code"]) == ("failed", 3)
    assert heard(cron_id) == []
    assert api.cron(cron_id)["status"] == "up"


def test_a_failure_that_is_the_last_word_is_told(api: Api, clock: Clock) -> None:
    cron_id = api.new_cron("0 12 * * *")
    clock.at("13:13:00")
    send(api, report(cron_id, 0, exit_code=3), by_key=True)

    assert api.cron(cron_id)["status"] == "down"
    assert heard(cron_id) == ["failed"]


def test_a_report_that_is_sent_twice_counts_once(api: Api, clock: Clock) -> None:
    cron_id = api.new_cron("*/10 * * * *")
    clock.at("13:13:00")
    for _ in range(2):
        send(api, report(cron_id, 60), by_key=True)
    send(api, report(cron_id, 60), by_key=False)

    assert len([run for run in api.runs(cron_id) if run["run_id"]]) == 1
