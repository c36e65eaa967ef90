"""The decorator and context manager for jobs in Python."""

import asyncio
import sys
from typing import Any

import cronhub
import pytest

from tests.api.client import Api
from tests.cli.program import CRON_ID, FakeCronHub, Tool


def test_a_block_is_reported_with_what_it_logged(fake: FakeCronHub) -> None:
    with cronhub.monitor(CRON_ID) as run:
        run.log("42 files")

    start, finish = fake.calls
    assert start.path == f"/api/start/{CRON_ID}"
    assert finish.query["exit_code"] == ["0"]
    assert finish.query["rid"] == start.query["rid"]
    assert finish.body == b"42 files\n"


def test_what_a_block_raises_is_reported_and_raised_on(fake: FakeCronHub) -> None:
    with pytest.raises(ValueError, match="no rows"), cronhub.monitor(CRON_ID):
        raise ValueError("no rows")

    finish = fake.calls[-1]
    assert finish.query["exit_code"] == ["1"]
    assert finish.body.startswith(b"Traceback (most recent call last)")
    assert finish.body.endswith(b"ValueError: no rows\n")


@pytest.mark.parametrize(("code", "told"), [(None, 0), (0, 0), (3, 3), ("no space", 1)])
def test_an_exit_is_reported_as_the_interpreter_would_end(fake: FakeCronHub, code: Any, told: int) -> None:
    with pytest.raises(SystemExit), cronhub.monitor(CRON_ID):
        sys.exit(code)

    assert fake.calls[-1].query["exit_code"] == [str(told)]


def test_a_function_stays_itself_and_each_call_is_a_run(fake: FakeCronHub) -> None:
    @cronhub.monitor(CRON_ID)
    def add(one: int, other: int = 1) -> int:
        """Adds."""
        return one + other

    assert (add(1), add(2, other=3), add.__name__, add.__doc__) == (2, 5, "add", "Adds.")
    assert len({call.query["rid"][0] for call in fake.told("ping")}) == 2


def test_coroutines_that_overlap_are_told_apart(fake: FakeCronHub) -> None:
    @cronhub.monitor(CRON_ID)
    async def wait(seconds: float) -> float:
        await asyncio.sleep(seconds)
        if seconds > 0.2:
            raise ValueError(seconds)
        return seconds

    async def both() -> list[Any]:
        return list(await asyncio.gather(wait(0.3), wait(0.1), return_exceptions=True))

    failed, waited = asyncio.run(both())

    assert isinstance(failed, ValueError)
    assert waited == 0.1
    outcomes = {call.query["rid"][0]: call.query["exit_code"][0] for call in fake.told("ping")}
    assert sorted(outcomes.values()) == ["0", "1"]
    assert set(outcomes) == {call.query["rid"][0] for call in fake.told("start")}


def test_an_async_block_does_not_hold_up_the_loop(fake: FakeCronHub) -> None:
    fake.delay = 0.3
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1

    async def job() -> None:
        ticking = asyncio.create_task(tick())
        async with cronhub.monitor(CRON_ID):
            pass
        ticking.cancel()

    asyncio.run(job())

    assert ticks > 5


def test_a_job_runs_where_cronhub_is_away(nowhere: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cronhub.reporter.START_BUDGET", 0.1)
    monkeypatch.setattr("cronhub.reporter.FINISH_BUDGET", 0.1)
    with cronhub.monitor(CRON_ID):
        ran = True

    assert ran


def test_what_cronhub_does_not_know_is_warned_of(fake: FakeCronHub) -> None:
    fake.refusals = [404]
    with pytest.warns(UserWarning, match="does not watch"), cronhub.monitor(CRON_ID):
        pass

    assert fake.told("ping") == []


def test_a_block_whose_dependency_is_not_completed_does_not_run(api: Api, tool: Tool) -> None:
    backup, report = api.register(
        {"name": "backup", "schedule": "0 2 * * *"},
        {"name": "report", "schedule": "0 3 * * *", "depends_on": ["backup"]},
    )
    api.heartbeat(backup, "fail")
    with pytest.raises(cronhub.Blocked, match="backup"), cronhub.monitor("nightly/report"):
        raise AssertionError("it ran")
    with cronhub.monitor("nightly/report", ignore_blocked=True):
        pass

    assert "success" in [run["status"] for run in api.runs(report)]
