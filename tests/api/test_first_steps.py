"""The documentation's own steps, in their order."""

from tests.api.client import Api, Clock


def test_a_job_registers_signals_and_is_seen(api: Api, clock: Clock) -> None:
    cron_id = api.new_cron("0 2 * * *")

    started = api.start(cron_id)
    clock.pass_by(seconds=3)
    finished = api.heartbeat(cron_id, duration_ms=1234)

    assert started["run"]["status"] == "running"
    assert finished["run"]["id"] == started["run"]["id"]
    assert finished["run"]["duration_ms"] == 1234
    assert finished["anomaly"] is None
    assert finished["drift"] is None
    assert finished["next_expected_at"] == "2026-03-11T02:00:00Z"
    assert api.cron(cron_id)["status"] == "up"


def test_a_job_that_never_runs_is_missed_after_its_grace(api: Api, clock: Clock) -> None:
    cron_id = api.new_cron("0 2 * * *", grace_seconds=600)

    clock.at("2026-03-11T02:05:00")
    api.tick()
    late = api.cron(cron_id)["status"]
    clock.at("02:10:00")
    api.tick()

    assert late == "late"
    assert api.cron(cron_id)["status"] == "down"
    assert api.cron(cron_id)["reason"] == "missed"
    assert [run["scheduled_at"] for run in api.runs(cron_id, status="missed")] == ["2026-03-11T02:00:00Z"]
    assert api.get("/api/incidents", status="open").json["incidents"][0]["cron_id"] == cron_id
