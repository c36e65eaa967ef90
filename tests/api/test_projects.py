"""A project must be there where it is named."""

from typing import Any

import pytest

from tests.api.client import Answer, Api
from tests.api.conftest import Calls

NO_PROJECT = "01kmtzy4g0a1b2c3d4e5f6g7h8"
WINDOW = {"name": "deploy", "starts_at": "2026-03-11T01:00:00Z", "ends_at": "2026-03-11T02:00:00Z"}
HOOK = {"name": "hook", "kind": "webhook", "url": "https://93.184.216.34/x"}


def new_project(api: Api, name: str = "Payments", key: str | None = "own") -> str:
    return str(api.post("/api/projects", {"name": name}, key=key).json["id"])


def registered(api: Api, *projects: Any) -> Answer:
    crons = [
        {"name": f"job {place}", "schedule": None, "project_id": project} for place, project in enumerate(projects)
    ]
    return api.post("/api/crons/register", {"product": "shop", "service": "nightly", "crons": crons})


def assert_refused(answer: Answer, *fields: str) -> None:
    assert (answer.status, answer.wrong_fields) == (422, list(fields)), answer.text
    assert {error["message"] for error in answer.json["errors"]} == {
        "is not the id of a project of this organization"
    }


def test_a_cron_is_registered_only_in_projects_that_are_there(api: Api) -> None:
    mine, theirs = new_project(api), new_project(api, key=api.new_org("other-org"))

    assert_refused(
        registered(api, mine, "label", theirs, None, NO_PROJECT),
        *(f"crons[{place}].project_id" for place in (1, 2, 4)),
    )
    assert api.get("/api/crons").json["crons"] == []
    assert registered(api, mine, None).status == 200


def test_all_wrong_projects_and_dependencies_are_named_at_once(api: Api) -> None:
    cron = {"name": "a", "schedule": None, "project_id": NO_PROJECT, "depends_on": ["nothing"]}
    answer = api.post("/api/crons/register", {"product": "shop", "service": "nightly", "crons": [cron]})

    assert answer.wrong_fields == ["crons[0].project_id", "crons[0].depends_on[0]"]


def test_a_cron_moves_only_to_a_project_that_is_there(api: Api) -> None:
    path = f"/api/crons/{api.new_cron()}"
    project = new_project(api)

    assert_refused(api.patch(path, {"project_id": NO_PROJECT}), "project_id")
    assert api.patch(path, {"project_id": project}).json["project_id"] == project
    assert api.patch(path, {"project_id": None}).json["project_id"] is None


def test_a_project_that_is_gone_is_not_named_again_and_its_crons_stay(api: Api) -> None:
    project = new_project(api)
    [cron_id] = [cron["id"] for cron in registered(api, project).json["crons"]]
    api.delete(f"/api/projects/{project}")

    assert_refused(registered(api, project), "crons[0].project_id")
    assert api.cron(cron_id)["project_id"] == project
    # What does not speak of the project goes on.
    assert api.patch(f"/api/crons/{cron_id}", {"description": "x"}).status == 200


def test_a_window_covers_only_a_project_that_is_there(api: Api) -> None:
    project = new_project(api)
    window = api.post("/api/maintenance", {**WINDOW, "project_id": project})
    path = f"/api/maintenance/{window.json['id']}"

    assert window.status == 201
    assert_refused(api.post("/api/maintenance", {**WINDOW, "project_id": NO_PROJECT}), "project_id")
    assert_refused(api.patch(path, {"project_id": NO_PROJECT}), "project_id")
    assert api.get(path).json["project_id"] == project


@pytest.mark.parametrize("wrong", [NO_PROJECT, "label"])
def test_a_channel_filters_only_by_projects_that_are_there(api: Api, wrong: str) -> None:
    project = new_project(api)
    channel = api.post("/api/channels", {**HOOK, "filters": {"project_ids": [project]}})
    path = f"/api/channels/{channel.json['id']}"

    assert channel.status == 201
    filters = {"project_ids": [project, wrong]}
    assert_refused(api.post("/api/channels", {**HOOK, "filters": filters}), "filters.project_ids[1]")
    assert_refused(api.patch(path, {"filters": filters}), "filters.project_ids[1]")
    assert api.get(path).json["filters"]["project_ids"] == [project]


def test_a_list_is_filtered_only_by_a_project_that_is_there(api: Api) -> None:
    project = new_project(api)
    registered(api, project, None)

    assert_refused(api.get("/api/crons", project_id=NO_PROJECT), "project_id")
    assert [cron["name"] for cron in api.get("/api/crons", project_id=project).json["crons"]] == ["job 0"]


def test_projects_cost_one_read_and_only_where_they_are_named(api: Api, calls: Calls) -> None:
    projects = [new_project(api, name) for name in "ab"]

    def reads() -> int:
        return sum("cronhub-projects" in parameters.get("RequestItems", {}) for _, parameters in calls)

    registered(api, None, None)
    assert reads() == 0
    registered(api, *projects * 2)
    assert reads() == 1
