"""More crons due at once than a tick looks at by itself: the deployed `evaluate` works them off."""

import time
from collections.abc import Iterator

import boto3
import pytest

from tests.deployed.conftest import Deployed, call, eventually

pytestmark = [pytest.mark.deployed, pytest.mark.long]

CRONS = 600
SHARDS = 16
# The emulator runs each function as a process of this machine.
PATIENCE = 600.0


@pytest.fixture
def key(deployed: Deployed) -> str:
    """The key of an org with many crons, all due at the next full minute."""
    api = f"{deployed.url}/api"
    call("POST", f"{api}/orgs", {"name": "Crowd", "slug": "crowd"})
    made = str(call("POST", f"{api}/orgs/crowd/api-keys", {"name": "first"})["key"])
    # Early in a minute: it must not end while they are still being registered.
    while time.time() % 60 > 20:
        time.sleep(0.5)
    for first in range(0, CRONS, 200):
        numbers = range(first, first + 200)
        crons = [{"name": f"job {n}", "schedule": "* * * * *", "grace_seconds": 0} for n in numbers]
        body = {"product": "crowd", "service": f"from {first}", "crons": crons}
        call("POST", f"{api}/crons/register", body, made)
    return made


@pytest.fixture(autouse=True)
def gone_afterwards(deployed: Deployed, key: str) -> Iterator[None]:
    """The tests after this one are not to wait for so many."""
    yield
    call("DELETE", f"{deployed.url}/api/orgs/crowd", {"slug": "crowd"}, key)


def incidents(url: str, key: str) -> int:
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


def crons_looked_at_by(function: str) -> bool:
    """Whether a function's log says that it judged crons."""
    group = f"/aws/lambda/cronhub-dev-{function}"
    events = boto3.client("logs").filter_log_events(logGroupName=group)["events"]
    return any("looked at" in event["message"] for event in events)


def test_six_hundred_due_crons_are_handed_over_and_judged(deployed: Deployed, key: str) -> None:
    eventually(lambda: len(done_shards()) == SHARDS, PATIENCE)

    assert crons_looked_at_by("evaluate")
    assert incidents(deployed.url, key) == CRONS
    eventually(lambda: call("GET", f"{deployed.url}/api/health/deep")["tick"]["behind_since"] is None)
