"""What an older release left in the tables is read, gone on with and told, by this one.

The items were recorded: `python -m tests.releases.record`. tests/releases runs both releases side by side.
"""

import base64
import json
from pathlib import Path
from typing import Any

import boto3
import pytest

from chalicelib.services.tick import run_minute
from chalicelib.store.tables import MODELS
from tests.api.client import Api, Clock
from tests.channels.receivers import receiver

RECORDED = sorted((Path(__file__).parents[1] / "data").glob("items-of-*.json"))


@pytest.fixture(params=RECORDED, ids=lambda path: path.stem)
def recorded(request: pytest.FixtureRequest) -> Any:
    return json.loads(request.param.read_text(), object_hook=with_bytes)


def with_bytes(found: dict[str, Any]) -> Any:
    """Binary attributes are in base64 there."""
    return {"B": base64.b64decode(found["B"])} if set(found) == {"B"} else found


@pytest.fixture
def older(api: Api, clock: Clock, recorded: Any) -> dict[str, str]:
    """Puts the items into the tables; returns the ids of the crons by name. It is half past twelve then."""
    dynamodb = boto3.client("dynamodb")
    for table, items in recorded["items"].items():
        for item in items:
            dynamodb.put_item(TableName=table, Item=item)
    api.key = recorded["key"]
    clock.at("12:30:00")
    return {cron["name"]: cron["id"] for cron in api.get("/api/crons").json["crons"]}


def test_every_attribute_is_still_known_by_its_name_and_type(recorded: Any) -> None:
    models = {model.Meta.table_name: model for model in MODELS}
    for table, items in recorded["items"].items():
        known = {each.attr_name: each.attr_type for each in models[table].get_attributes().values()}
        for item in items:
            assert {name: next(iter(value)) for name, value in item.items()}.items() <= known.items()


def test_crons_runs_and_incidents_are_read_as_they_were(api: Api, older: dict[str, str]) -> None:
    status = {cron["name"]: cron["status"] for cron in api.get("/api/crons").json["crons"]}

    assert status == {"well": "up", "running": "running", "failed": "down", "missed": "down", "dependant": "new"}
    assert [(run["status"], run["duration_ms"]) for run in api.runs(older["well"])] == [("success", 9000)] * 6
    assert [run["status"] for run in api.runs(older["missed"])] == ["missed"]
    assert len(api.get("/api/incidents", status="open").json["incidents"]) == 2
    assert api.get(f"/api/crons/{older['well']}/stats").json["total"]["ok"] == 6
    assert [one["name"] for one in api.get("/api/maintenance").json["maintenance"]] == ["later"]
    assert api.cron(older["dependant"])["depends_on"] == [older["well"]]


def test_an_open_run_is_ended_and_an_incident_is_closed(api: Api, clock: Clock, older: dict[str, str]) -> None:
    api.heartbeat(older["running"], run_id="the long one")
    api.post(f"/api/ping/{older['failed']}", key=None)

    [run] = api.runs(older["running"])
    assert (run["status"], run["duration_ms"]) == ("success", 30 * 60_000)
    assert api.cron(older["failed"])["status"] == "up"
    [resolved] = api.get("/api/incidents", status="resolved").json["incidents"]
    assert resolved["cron_id"] == older["failed"]


def test_the_tick_goes_on_and_an_alert_on_its_way_arrives_once(
    api: Api, clock: Clock, older: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRONHUB_ALLOW_PRIVATE_TARGETS", "1")
    with receiver() as hook:
        api.post("/api/channels", {"name": "ops", "kind": "webhook", "url": hook.url})
        # Its next occurrence is at half past twelve.
        for _ in range(12):
            run_minute(clock.now)
            clock.pass_by(minutes=1)
        events = [json.loads(got.body) for got in hook.got]

    assert api.cron(older["well"])["status"] == "down"
    assert [(event["type"], event["data"]["cron"]["name"]) for event in events] == [
        ("cron.failed", "failed"),
        ("cron.missed", "well"),
    ]
    assert [run["status"] for run in api.runs(older["well"])].count("success") == 6
