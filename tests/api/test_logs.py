"""What a job logs of a run stands beside the run's own record."""

from tests.api.client import Api, Clock


def test_a_log_under_a_runs_id_is_recorded_while_it_runs(api: Api, clock: Clock) -> None:
    cron_id = api.new_cron("0 2 * * *")
    api.start(cron_id, run_id="a")
    clock.pass_by(seconds=1)

    answer = api.post(f"/api/crons/{cron_id}/log", {"message": "three rows", "run_id": "a"})

    assert answer.status == 200
    assert answer.json["run"]["status"] == "log"
    assert [run["status"] for run in api.runs(cron_id)] == ["log", "running"]


def test_a_log_before_its_run_does_not_take_the_runs_id(api: Api, clock: Clock) -> None:
    cron_id = api.new_cron("0 2 * * *")
    api.post(f"/api/crons/{cron_id}/log", {"message": "warming up", "run_id": "a"})

    clock.pass_by(seconds=1)
    started = api.start(cron_id, run_id="a")

    assert started["run"]["status"] == "running"
    assert api.cron(cron_id)["status"] == "running"
