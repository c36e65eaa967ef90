"""The OpenAPI document: complete, valid, current; and its examples work."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from openapi_spec_validator import validate

from app import app
from chalicelib.api import examples
from chalicelib.api.openapi import as_text
from chalicelib.services import clock, sessions
from tests.api.client import Api, Clock
from tests.api.contract import PREFLIGHTS, contract, faults, faults_of_answer, resolved
from tests.api.test_every_route import PAGES
from tests.api.test_every_route import ROUTES as EXPECTED

_ROOT = Path(__file__).parents[2]
_METHODS = ("get", "head", "post", "put", "patch", "delete", "options")
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, operations in contract()["paths"].items()
    for method, operation in operations.items()
}
SCHEMAS: dict[str, Any] = contract()["components"]["schemas"]
MODELS = sorted(name for name, schema in SCHEMAS.items() if schema.get("type") == "object")


def test_the_committed_document_is_the_one_that_the_code_makes() -> None:
    assert (_ROOT / "docs" / "openapi.json").read_text(encoding="utf-8") == as_text(), "run `make openapi`"


def test_the_document_is_valid_openapi() -> None:
    validate(contract())


def test_every_route_of_the_app_is_documented_and_no_other() -> None:
    there = {f"{method} {path}" for path, methods in app.routes.items() for method in methods} - PREFLIGHTS

    assert set(OPERATIONS) == there - PAGES


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_route_says_what_it_is_for_and_who_may_use_it(name: str) -> None:
    operation = OPERATIONS[name]

    assert operation["summary"]
    assert operation["tags"]
    assert "Needs" in operation["description"]
    if name in EXPECTED:
        assert bool([one for one in operation["security"] if one]) is (EXPECTED[name].action is not None)
    assert {"500", "503"} <= set(operation["responses"])
    assert any(status.startswith("2") for status in operation["responses"])


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_route_names_all_of_its_paths_parameters_with_examples(name: str) -> None:
    path = name.split()[1]
    parameters = OPERATIONS[name]["parameters"]
    in_path = [one["name"] for one in parameters if one["in"] == "path"]

    assert sorted(in_path) == sorted(part[1:-1] for part in path.split("/") if part.startswith("{"))
    for one in parameters:
        if "example" in one:
            assert faults(one["example"], one["schema"]) == []
        else:
            assert one["in"] == "query"
            assert not one["required"]


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_body_and_json_answer_has_an_example(name: str) -> None:
    operation = OPERATIONS[name]
    answers = [resolved(answer).get("content", {}) for answer in operation["responses"].values()]
    contents = [operation.get("requestBody", {}).get("content", {}), *answers]

    for content in contents:
        for media, one in content.items():
            if one["schema"]:
                assert "example" in one or one["examples"], media


def test_there_is_an_example_of_every_model_and_of_nothing_else() -> None:
    assert sorted(examples.EXAMPLES) == MODELS


@pytest.mark.parametrize("name", MODELS)
def test_an_example_fits_its_schema(name: str) -> None:
    assert faults(examples.EXAMPLES[name], {"$ref": f"#/components/schemas/{name}"}) == []


@pytest.mark.parametrize("name", MODELS)
def test_the_example_of_an_answer_has_every_field(name: str) -> None:
    is_request = "additionalProperties" in SCHEMAS[name]
    missing = set(SCHEMAS[name]["properties"]) - set(examples.EXAMPLES[name])

    assert is_request or missing <= ({"blocked_by"} if name == "Problem" else set())


@pytest.mark.parametrize("status", examples.PROBLEMS)
def test_the_example_of_a_problem_fits_its_schema(status: int) -> None:
    assert faults(examples.PROBLEMS[status], {"$ref": "#/components/schemas/Problem"}) == []
    assert examples.PROBLEMS[status]["status"] == status


def test_the_schema_says_what_is_checked() -> None:
    register = SCHEMAS["RegisterCrons"]["properties"]
    cron = SCHEMAS["RegisterCron"]

    assert register["crons"]["maxItems"] == 1000
    assert cron["required"] == ["name", "schedule"]
    assert cron["properties"]["grace_seconds"]["anyOf"][0]["maximum"] == 31_622_400
    assert cron["properties"]["grace_seconds"]["description"].startswith("How long after its time")


def test_the_document_is_served(api: Api) -> None:
    answer = api.get("/openapi.json", key=None)

    assert answer.status == 200
    assert answer.json == json.loads(as_text())


def test_a_cold_start_does_not_load_what_makes_the_document() -> None:
    code = "import app, sys; assert not {'chalicelib.api.openapi', 'chalicelib.api.examples'} & set(sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], cwd=_ROOT, check=False).returncode == 0


def real_ids(api: Api) -> dict[str, str]:
    """What stands in the place of each id of the examples."""
    other, cron = api.register({"name": "rotate-logs", "schedule": None}, {"name": "backup", "schedule": "@daily"})
    api.post(f"/api/crons/{other}/heartbeat", {"status": "success"})
    run = api.post(f"/api/crons/{cron}/heartbeat", {"status": "fail"}).json["run"]["id"]
    window = {"name": "w", "starts_at": "2036-02-17T02:00:00Z", "ends_at": "2036-02-17T03:00:00Z"}
    token = api.post("/api/orgs/mon-org/invite", {"email": "ada@example.com", "role": "admin"}).json["link"]
    member = api.post("/api/invites/accept", {"token": token.partition("#")[2]}, key=None).json["member"]["id"]
    invited = api.post("/api/orgs/mon-org/invite", {"email": "dev@example.com"}).json
    session = sessions.sign_in(api.key or "", "Firefox", clock.now()).session
    page = api.post("/api/status-pages", {"title": "p", "crons": [{"cron_id": cron}]}).json
    badge = api.post("/api/badges", {"cron_id": cron}).json
    return {
        examples.PATHS["badge_file"]: badge["svg_url"].rpartition("/")[2],
        examples.BADGE: badge["id"],
        examples.PAGE: page["id"],
        examples.TOKEN: invited["link"].partition("#")[2],
        examples.SESSION: session.id,
        examples.CRON: cron,
        examples.OTHER_CRON: other,
        examples.RUN: run,
        examples.MEMBER: member,
        examples.INVITE: invited["id"],
        examples.KEY_ID: api.get("/api/orgs/mon-org/api-keys").json["api_keys"][0]["id"],
        examples.INCIDENT: api.get("/api/incidents").json["incidents"][0]["id"],
        examples.PROJECT: api.post("/api/projects", {"name": "p"}).json["id"],
        examples.WINDOW: api.post("/api/maintenance", window).json["id"],
        examples.CHANNEL: api.post("/api/channels", examples.EXAMPLES["CreateChannel"]).json["id"],
        "my-org": "mon-org",
    }


def example_of(operation: dict[str, Any]) -> Any:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return None
    return resolved(content["examples"]["example"])["value"]


#: What cannot be tried without somebody outside: a receiver, a mailed link.
_ELSEWHERE = {"GET /api/channels/confirm", "POST /api/channels/{channel_id}/test", "POST /api/orgs"}
#: These depend on what was done before: a dependency to remove, a tick that ran.
_NEEDS_MORE = {
    # With a key in the path: tests/api/compat.
    *(name for name in OPERATIONS if "{target}/{part}/{action}" in name),
    *(name for name in OPERATIONS if "{project}" in name or " /p/" in name or " /api/v" in name),
    *(name for name in OPERATIONS if " /api/monitors" in name),
    "DELETE /api/crons/{cron_id}/dependencies/{depends_on_id}",
    # Runs that show a schedule.
    "POST /api/crons/{cron_id}/accept-schedule",
    "GET /api/health/deep",
    "HEAD /api/health/deep",
}


@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - _ELSEWHERE - _NEEDS_MORE))
def test_the_example_request_of_a_route_works(api: Api, clock: Clock, name: str) -> None:
    method, path = name.split()
    operation, ids = OPERATIONS[name], real_ids(api)
    body = json.dumps(example_of(operation)) if example_of(operation) is not None else None
    query = {}
    for one in operation["parameters"]:
        if one["in"] == "path":
            path = path.replace("{" + one["name"] + "}", one["example"])
        elif "example" in one and one["name"] != "cursor":
            query[one["name"]] = (
                str(one["example"]).lower() if isinstance(one["example"], bool) else one["example"]
            )
    for example, real in ids.items():
        path = path.replace(example, real)
        body = body and body.replace(example, real)
        query = {key: str(value).replace(example, real) for key, value in query.items()}
    without_key = not operation["security"]

    target = f"{path}?{urlencode(query)}" if query else path
    answer = api.call(method, target, raw=body, key=None if without_key else "own")

    assert 200 <= answer.status < 300, answer.text


def test_an_answer_that_is_not_as_documented_is_noticed() -> None:
    path = f"/api/crons/{examples.CRON}"

    assert faults_of_answer("GET", path, 200, json.dumps(examples.EXAMPLES["CronDetails"])) == []
    assert faults_of_answer("GET", path, 200, "{}")
    assert faults_of_answer("GET", path, 418, "{}")


def test_every_field_is_described() -> None:
    bare = [
        f"{name}.{field}"
        for name, schema in json.loads(as_text())["components"]["schemas"].items()
        for field, value in schema.get("properties", {}).items()
        if "description" not in value
    ]

    assert bare == []
