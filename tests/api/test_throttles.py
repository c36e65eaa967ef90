"""Routes without a key are throttled."""

import pytest

from tests.api.client import Api, Clock


@pytest.fixture(autouse=True)
def throttled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRONHUB_THROTTLE", "on")


def test_signals_to_one_cron_are_throttled(api: Api, clock: Clock) -> None:
    cron_id, other = api.register({"name": "a", "schedule": None}, {"name": "b", "schedule": None})
    answers = [api.post(f"/api/log/{cron_id}", key=None) for _ in range(320)]

    refused = [answer for answer in answers if answer.status == 429]
    # Counted in batches of 20.
    assert 280 <= len(answers) - len(refused) <= 320 - 1
    assert 1 <= int(refused[0].headers["Retry-After"]) <= 60
    assert api.post(f"/api/ping/{other}", key=None).status == 200
    clock.pass_by(minutes=1)
    assert api.post(f"/api/ping/{cron_id}", key=None).status == 200


def test_new_organizations_from_one_address_are_throttled(api: Api) -> None:
    # Each try counts; those that make nothing cost the least.
    answers = [api.post("/api/orgs", {"name": "x", "slug": "-"}, key=None).status for _ in range(320)]

    assert 280 <= answers.count(422) <= 300
    assert set(answers) == {422, 429}
    assert api.post("/api/orgs", {"name": "x", "slug": "one-more"}, key=None).status == 429
