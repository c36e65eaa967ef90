"""Orgs: read, renamed, ended; projects; when keys were used."""

from datetime import datetime

import pytest

from chalicelib.domain.accounts.project import Project
from chalicelib.domain.alerts.alert import Alert
from chalicelib.domain.monitor.cron import Cron
from chalicelib.domain.monitor.decision import Decision
from chalicelib.services import orgs
from chalicelib.services.commit import commit_and_log
from chalicelib.services.tick import run_minute
from chalicelib.store import api_keys, org_deletion, projects
from chalicelib.store.tables import MODELS, AlertItem, OrgItem
from tests.api.client import Api, Clock


def test_an_org_is_read_and_renamed(api: Api) -> None:
    assert api.get("/api/orgs/mon-org").json["name"] == "Mon-Org"

    renamed = api.patch("/api/orgs/mon-org", {"name": "New", "slug": "new-org"})

    assert renamed.json["slug"] == "new-org"
    assert api.get("/api/orgs/mon-org").status == 404
    assert api.get("/api/orgs/new-org").json["name"] == "New"
    assert api.post("/api/orgs", {"name": "x", "slug": "mon-org"}, key=None).status == 201


def test_a_taken_slug_is_a_conflict(api: Api) -> None:
    api.new_org("other")

    assert api.patch("/api/orgs/mon-org", {"slug": "other"}).status == 409
    assert api.get("/api/orgs/mon-org").status == 200


def fill(api: Api) -> str:
    cron_id = api.new_cron()
    other = api.register({"name": "other", "schedule": "@daily"})[0]
    api.post(f"/api/crons/{cron_id}/dependencies", {"depends_on_id": other})
    api.post(f"/api/fail/{other}", key=None)
    api.post("/api/projects", {"name": "p"})
    api.post("/api/orgs/mon-org/invite", {"email": "a@example.com"})
    window = {"name": "w", "starts_at": "2036-01-01T00:00:00Z", "ends_at": "2036-01-01T01:00:00Z"}
    api.post("/api/maintenance", window)
    return cron_id


def left() -> dict[str, int]:
    counts = {model.Meta.table_name: sum(1 for _ in model.scan()) for model in MODELS}
    return {name: count for name, count in counts.items() if count and not name.endswith("throttles")}


def test_ending_an_org_takes_all_of_it(api: Api) -> None:
    cron_id = fill(api)

    assert api.delete("/api/orgs/mon-org", raw='{"slug":"mon-org"}').status == 204

    assert api.post(f"/api/ping/{cron_id}", key=None).status == 404
    assert api.get("/api/crons").status == 401
    assert org_deletion.marked().leaving == []
    for item in OrgItem.scan():
        assert item.key == "leaving"
    assert set(left()) <= {"cronhub-orgs"}
    assert api.post("/api/orgs", {"name": "x", "slug": "mon-org"}, key=None).status == 201


def test_ending_an_org_spares_another(api: Api) -> None:
    fill(api)
    own = api.key
    api.key = api.new_org("other")
    cron_id = api.new_cron()
    api.key, other = own, api.key

    api.delete("/api/orgs/mon-org", raw='{"slug":"mon-org"}')

    assert api.get(f"/api/crons/{cron_id}", key=other).status == 200


def test_an_end_that_was_cut_off_goes_on_with_the_tick(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(api)
    calls = iter([True] * 3 + [False])
    real = org_deletion.remove
    monkeypatch.setattr(org_deletion, "remove", lambda org_id, _in_time: real(org_id, lambda: next(calls)))

    assert api.delete("/api/orgs/mon-org", raw='{"slug":"mon-org"}').status == 202
    monkeypatch.setattr(org_deletion, "remove", real)
    assert len(org_deletion.marked().leaving) == 1
    orgs.go_on_deleting()

    assert org_deletion.marked().leaving == []
    assert set(left()) <= {"cronhub-orgs"}


def test_an_org_that_is_being_deleted_takes_no_signals_and_misses_nothing(
    api: Api, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"job {n}" for n in range(20)]
    cron_ids = api.register(*({"name": name, "schedule": "*/5 * * * *", "grace_seconds": 0} for name in names))
    monkeypatch.setattr(org_deletion, "remove", lambda *_: False)

    assert api.delete("/api/orgs/mon-org", raw='{"slug":"mon-org"}').status == 202

    assert {api.post(f"/api/ping/{cron_id}", key=None).status for cron_id in cron_ids} == {404}
    clock.pass_by(hours=1)
    assert run_minute(clock.now).looked_at == 0
    assert list(AlertItem.scan()) == []


def test_a_deletion_without_time_for_the_ping_urls_ends_them_with_the_tick(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    cron_id = api.new_cron()
    real = orgs.delete_org
    monkeypatch.setattr(orgs, "delete_org", lambda slug, by: real(slug, by, budget_seconds=0))

    assert api.delete("/api/orgs/mon-org", raw='{"slug":"mon-org"}').status == 202
    assert api.post(f"/api/ping/{cron_id}", key=None).status == 200
    monkeypatch.setattr(org_deletion, "remove", lambda *_: False)
    orgs.go_on_deleting()

    assert api.post(f"/api/ping/{cron_id}", key=None).status == 404


def test_what_a_function_that_still_knew_a_key_made_goes_as_well(
    api: Api, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.new_cron()
    monkeypatch.setattr(api_keys, "forget_keys", lambda: None)
    assert api.delete("/api/orgs/mon-org", raw='{"slug":"mon-org"}').status == 204

    late = api.new_cron()
    orgs.go_on_deleting()
    assert api.post(f"/api/ping/{late}", key=None).status == 200
    clock.pass_by(minutes=2)
    orgs.go_on_deleting()

    assert api.post(f"/api/ping/{late}", key=None).status == 404
    assert set(left()) <= {"cronhub-orgs"}
    assert org_deletion.marked() == ([], [])


def test_a_ping_that_read_the_cron_just_before_does_not_undo_its_end(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    cron_id = api.new_cron()
    monkeypatch.setattr(org_deletion, "remove", lambda *_: False)

    def late(cron: Cron, decision: Decision, now: datetime) -> list[Alert]:
        monkeypatch.setattr("chalicelib.services.signals.commit_and_log", commit_and_log)
        assert api.delete("/api/orgs/mon-org", raw='{"slug":"mon-org"}').status == 202
        return commit_and_log(cron, decision, now)

    monkeypatch.setattr("chalicelib.services.signals.commit_and_log", late)

    assert api.post(f"/api/ping/{cron_id}", key=None).status == 404


@pytest.mark.parametrize("body", ["{}", '{"slug":"other"}', '{"slug":7}'])
def test_the_slug_must_be_repeated(api: Api, body: str) -> None:
    answer = api.delete("/api/orgs/mon-org", raw=body)

    assert answer.status == 422
    assert answer.wrong_fields == ["slug"]
    assert api.get("/api/orgs/mon-org").status == 200


def test_projects_have_names_of_their_own(api: Api) -> None:
    made = api.post("/api/projects", {"name": "Shop"})
    other = api.post("/api/projects", {"name": "Bank", "description": "money"}).json
    path = f"/api/projects/{made.json['id']}"

    assert made.status == 201
    assert api.post("/api/projects", {"name": "Shop"}).status == 409
    assert api.patch(path, {"name": "Bank"}).status == 409
    assert api.patch(path, {"name": "Store"}).json["name"] == "Store"
    assert api.post("/api/projects", {"name": "Shop"}).status == 201
    assert api.delete(f"/api/projects/{other['id']}").status == 204
    assert {one["name"] for one in api.get("/api/projects").json["projects"]} == {"Store", "Shop"}
    assert api.get(path, key=api.new_org("other")).status == 404
    assert api.get("/api/projects/nothing").status == 404


def test_a_project_that_is_renamed_while_it_is_deleted_leaves_no_name_behind(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/api/projects/{api.post('/api/projects', {'name': 'Shop'}).json['id']}"
    real = projects.find_project
    renamed: list[str] = []

    def find(org_id: str, project_id: str) -> Project | None:
        found = real(org_id, project_id)
        if not renamed:
            # Between the deletion's reading and its writing.
            renamed.append("Store")
            assert api.patch(path, {"name": "Store"}).status == 200
        return found

    monkeypatch.setattr(projects, "find_project", find)

    assert api.delete(path).status == 204
    assert api.post("/api/projects", {"name": "Shop"}).status == 201
    assert api.post("/api/projects", {"name": "Store"}).status == 201


def test_a_key_shows_its_last_use_to_the_hour(api: Api, clock: Clock) -> None:
    clock.pass_by(minutes=61)
    api.get("/api/crons")
    first = clock.now
    clock.pass_by(minutes=30)
    api.get("/api/crons")

    key = api.get("/api/orgs/mon-org/api-keys").json["api_keys"][0]

    assert key["last_used_at"] == f"{first:%Y-%m-%dT%H:%M:%SZ}"
