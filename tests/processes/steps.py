"""What the tests of alerts do with an org, and how they read what came."""

from collections import defaultdict

from tests.api.client import Api
from tests.processes.inbox import IDS, Arrival, Inbox, id_of


def add_webhook(api: Api, box: Inbox) -> None:
    answer = api.post("/api/channels", {"name": "ops", "kind": "webhook", "url": box.url})
    assert answer.status == 201, answer.text


def signal(api: Api, kind: str, cron_id: str) -> None:
    assert api.post(f"/api/{kind}/{cron_id}", key=None).status == 200


def register(api: Api, service: str, count: int, schedule: str | None = None) -> list[str]:
    """Registers so many crons of one service, in calls of 100; returns their ids."""
    crons = [{"name": f"job {n}", "schedule": schedule, "grace_seconds": 0} for n in range(count)]
    ids = [
        cron_id
        for start in range(0, count, 100)
        for cron_id in api.register(*crons[start : start + 100], service=service)
    ]
    IDS.update({("shop", service, f"job {n}"): cron_id for n, cron_id in enumerate(ids)})
    return ids


def kinds_by_cron(arrivals: list[Arrival]) -> dict[str, list[str]]:
    """Returns what people heard about each cron, in order."""
    told: defaultdict[str, list[str]] = defaultdict(list)
    for arrival in arrivals:
        for event in arrival.events:
            told[id_of(event)].append(event["data"]["kind"])
    return dict(told)
