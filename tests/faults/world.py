"""All there is between a job and the people who are told: the API, the queue, `notify`, the tick, a receiver."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from chalice.test import Client

from app import app
from chalicelib.domain.errors import CronHubError
from chalicelib.services import throttle
from chalicelib.store import api_keys, queue
from chalicelib.store.tables import AlertItem, create_tables
from tests.api.client import Answer, Api, Clock
from tests.channels.receivers import Receiver, receiver
from tests.stores import empty_tables, emulated_aws

_QUEUES = ("CRONHUB_QUEUE_URL", "CRONHUB_DUE_QUEUE_URL")
# A claim whose holder died has ended, and what failed once is tried again.
_MINUTES_UNTIL_WELL = 2


class World:
    def __init__(self, api: Api, clock: Clock, box: Receiver) -> None:
        self.api = api
        self.clock = clock
        self.box = box

    def signal(self, kind: str, cron_id: str, run_id: str) -> None:
        """As a job that sends its signal again until it is taken."""
        for _ in range(5):
            answer = self.api.post(f"/api/{kind}/{cron_id}", key=None, rid=run_id)
            if answer.status == 200:
                return
            assert (answer.status, answer.headers.get("Retry-After") is not None) == (503, True), answer.text
            self.clock.pass_by(seconds=1)
        raise AssertionError("it was never taken")

    def ask(self, method: str, path: str, body: Any) -> Answer:
        """As somebody who asks again after a 503."""
        for _ in range(5):
            answer = self.api.call(method, path, body)
            if answer.status != 503:
                return answer
            self.clock.pass_by(seconds=1)
        raise AssertionError("it was never taken")

    def deliver(self) -> None:
        """What SQS does: `notify` gets each message, and again where it raised."""
        sqs = queue.client()
        url = queue.queue_url()
        for _ in range(3):
            found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
            for message in found.get("Messages", []):
                if self._invoke("notify", self.api.client.events.generate_sqs_event([message["Body"]])):
                    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    def tick(self) -> None:
        """What EventBridge does; a tick that raised is not run again."""
        self._invoke("tick", self.api.client.events.generate_cw_event("aws.events", "Scheduled Event", {}, [], ""))

    def _invoke(self, function: str, event: Any) -> bool:
        """Whether it ended well."""
        try:
            answer = self.api.client.lambda_.invoke(function, event).payload
        except (CronHubError, BotoCoreError, ClientError) as error:
            print(f"{function} failed: {error}")
            return False
        return not (answer or {}).get("batchItemFailures")

    def get_well(self) -> None:
        """What is left of a fault is made good by the minutes after it."""
        for _ in range(_MINUTES_UNTIL_WELL):
            self.deliver()
            self.clock.pass_by(seconds=61)
            self.tick()
        self.deliver()

    def repeats(self) -> int:
        ids = Counter(got.headers["x-cronhub-delivery"] for got in self.box.got)
        return sum(ids.values()) - len(ids)

    def facts(self) -> Any:
        """All that is known of what happened, but for ids and times."""
        crons = self.api.get("/api/crons").json["crons"]
        return {
            "crons": {cron["name"]: self._facts_of(cron["id"]) for cron in crons},
            "incidents": sorted(
                self._incident(one["id"]) for one in self.api.get("/api/incidents").json["incidents"]
            ),
            "to send": [item.alert_id for item in AlertItem.scan() if item.send_at is not None],
            "told": self._told(),
        }

    def _facts_of(self, cron_id: str) -> Any:
        cron = self.api.cron(cron_id)
        runs = self.api.runs(cron_id)
        counts = ("expected", "met", "missed", "excused", "runs", "ok", "failed", "timed_out", "late")
        return {
            "status": cron["status"],
            "reason": cron["reason"],
            "settings": (cron["schedule"], cron["description"], sorted(cron["tags"]), len(cron["depends_on"])),
            "archived": cron["archived_at"] is not None,
            "runs": [(run["status"], run["run_id"], run["scheduled_at"], run["message"]) for run in runs],
            "stats": {name: [cron["stats"][name][count] for count in counts] for name in ("24h", "7d")},
        }

    def _incident(self, incident_id: str) -> Any:
        found = self.api.get(f"/api/incidents/{incident_id}").json
        told = [(alert["kind"], [one["state"] for one in alert["deliveries"]]) for alert in found["alerts"]]
        return found["cron_name"], found["reason"], found["status"], found["missed"], told

    def _told(self) -> Any:
        """Each alert that arrived, once, in the order of a cron's."""
        told: dict[str, list[str]] = {}
        ids = set()
        for got in self.box.got:
            event = json.loads(got.body)
            for one in event["data"].get("alerts", [event]):
                if one["data"]["alert_id"] not in ids:
                    ids.add(one["data"]["alert_id"])
                    told.setdefault(one["data"]["cron"]["name"], []).append(one["data"]["kind"])
        return told


class Stage:
    """One emulated AWS, API and receiver for many worlds: to make new ones takes longer than all that
    happens in one."""

    def __init__(self, client: Client, box: Receiver, queues: dict[str, str]) -> None:
        self.client = client
        self.box = box
        self.queues = queues

    @contextmanager
    def world(self) -> Iterator[World]:
        """A new one: an org with a webhook, at noon."""
        empty_tables()
        self.box.got.clear()
        api_keys.forget_keys()
        throttle.forget()
        with pytest.MonkeyPatch.context() as monkeypatch:
            monkeypatch.setenv("CRONHUB_ALLOW_PRIVATE_TARGETS", "1")
            for variable, url in self.queues.items():
                monkeypatch.setenv(variable, url)
            queue.queue_url.cache_clear()
            # The same ids in each: so the same calls, in the same order.
            monkeypatch.setattr("secrets.token_bytes", Random(0).randbytes)
            world = World(Api(self.client), Clock.installed(monkeypatch), self.box)
            world.api.key = world.api.new_org("mon-org")
            made = world.api.post("/api/channels", {"name": "ops", "kind": "webhook", "url": self.box.url})
            assert made.status == 201, made.text
            world.clock.pass_by(seconds=1)
            yield world


@contextmanager
def stage() -> Iterator[Stage]:
    with emulated_aws("embedded"), receiver() as box, Client(app) as client:
        queue.forget()
        create_tables()
        queues = {variable: queue.client().create_queue(QueueName=variable)["QueueUrl"] for variable in _QUEUES}
        yield Stage(client, box, queues)
    queue.forget()
