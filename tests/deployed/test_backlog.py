"""More crons due at once than a tick looks at by itself: the deployed `evaluate` works them off."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from tests.deployed.conftest import PATIENCE, Deployed, call, eventually

pytestmark = pytest.mark.deployed

CRONS = 600
AT_ONCE = 200
SHARDS = 16
# What registering all of them may take.
REGISTERED_WITHIN = timedelta(seconds=30)


@pytest.fixture
def key(deployed: Deployed) -> str:
    """The key of an org with many crons, all due at one of the next full minutes, and not again for a year."""
    api = f"{deployed.url}/api"
    call("POST", f"{api}/orgs", {"name": "Crowd", "slug": "crowd"})
    made = str(call("POST", f"{api}/orgs/crowd/api-keys", {"name": "first"})["key"])
    due = (datetime.now(UTC) + REGISTERED_WITHIN).replace(second=0, microsecond=0) + timedelta(minutes=1)
    schedule = f"{due.minute} {due.hour} {due.day} {due.month} *"
    for first in range(0, CRONS, AT_ONCE):
        numbers = range(first, first + AT_ONCE)
        crons = [{"name": f"job {n}", "schedule": schedule, "grace_seconds": 0} for n in numbers]
        body = {"product": "crowd", "service": f"from {first}", "crons": crons}
        call("POST", f"{api}/crons/register", body, made)
    assert datetime.now(UTC) < due, "some were registered too late to be due this year"
    return made


def open_incidents(url: str, key: str) -> int:
    found, cursor = 0, ""
    while True:
        page = call("GET", f"{url}/api/incidents?limit=200&status=open{cursor}", key=key)
        found += len(page["incidents"])
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


def done_shards() -> set[str]:
    items = boto3.client("dynamodb").scan(TableName="cronhub-dev-watch", ConsistentRead=True)["Items"]
    return {item["name"]["S"] for item in items if "done_at" in item}


def lines_of(function: str) -> Iterator[Any]:
    """What a function logged."""
    group = f"/aws/lambda/cronhub-dev-{function}"
    for page in boto3.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group):
        texts = (line for event in page["events"] for line in event["message"].splitlines())
        yield from (json.loads(text) for text in texts if text.startswith("{"))


def test_six_hundred_due_crons_are_handed_over_and_judged(deployed: Deployed, key: str) -> None:
    eventually(lambda: len(done_shards()) == SHARDS, REGISTERED_WITHIN.seconds + 60 + PATIENCE)

    assert open_incidents(deployed.url, key) == CRONS
    ticks, shards = list(lines_of("tick")), list(lines_of("evaluate"))
    assert sum("worked off by shards" in line.get("message", "") for line in ticks) == 1
    assert {line["hand_over_failed"] for line in ticks if "hand_over_failed" in line} == {0}
    # All of them by `evaluate`: the tick had none left to work off by itself.
    assert sum(line.get("runs_missed", 0) for line in shards) == CRONS
    assert sum(line.get("runs_missed", 0) for line in ticks) == 0
    assert call("GET", f"{deployed.url}/api/health/deep")["tick"]["behind_since"] is None
