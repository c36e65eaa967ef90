"""A cron that its first ping made learns its schedule: shown as a proposal, taken by one call."""

from tests.api.client import Api, Clock
from tests.api.test_every_route import assert_problem


def test_a_schedule_is_proposed_once_the_runs_show_it_and_taken_by_one_call(api: Api, clock: Clock) -> None:
    key = api.new_key("ingest")
    api.get(f"/ping/{key}/sync?create=1", key=None)
    (cron,) = api.get("/api/crons").json["crons"]
    assert api.cron(cron["id"])["schedule_proposal"] is None
    assert_problem(api.post(f"/api/crons/{cron['id']}/accept-schedule"), 409)
    for _ in range(9):
        clock.pass_by(minutes=10)
        api.get(f"/ping/{key}/sync", key=None)

    proposal = api.cron(cron["id"])["schedule_proposal"]
    accepted = api.post(f"/api/crons/{cron['id']}/accept-schedule").json

    assert proposal == {"schedule": "*/10 * * * *", "timezone": "UTC", "runs": 10}
    assert (accepted["schedule"], accepted["next_expected_at"]) == ("*/10 * * * *", "2026-03-10T13:40:00Z")
    assert api.cron(cron["id"])["schedule_proposal"] is None
    assert_problem(api.post(f"/api/crons/{cron['id']}/accept-schedule"), 409)
