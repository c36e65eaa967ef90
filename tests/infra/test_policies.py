"""Each function's policy against the calls it makes: what it needs it may, and nothing else."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any

import boto3
import pytest
from chalice.test import Client

from app import app
from chalicelib import settings
from chalicelib.channels import sns
from chalicelib.domain.monitor.cron import Cron
from chalicelib.services import clock, reports, sessions
from chalicelib.services.evaluate import work_off
from chalicelib.services.tick import run_minute
from chalicelib.store import crons, org_deletion, queue
from chalicelib.store.channels import note_failed
from chalicelib.store.org_moments import OrgMoment
from chalicelib.store.tables import ChannelItem, CronItem
from chalicelib.store.tick_log import note_tick
from infra.deploy.policies import ACCESS, LOGGING, TAKING
from infra.deploy.template import ROOT
from tests.api.client import Api, Clock
from tests.api.contract import PREFLIGHTS
from tests.channels.receivers import Receiver, Reply, receiver
from tests.infra.recorder import ACCOUNT, Recorder, Use
from tests.infra.walk import WalkedApi, walk

# Calls that go through botocore have a region.
USUAL_STORE = "moto"
SERVICES = {f"sqs:{action}" for action in TAKING} | {f"logs:{action}" for action in LOGGING}


def allowed(function: str) -> list[Use]:
    """What a function's policy allows, each action by itself; resources may have stars in them."""
    document = json.loads((ROOT / ".chalice" / f"policy-{function}.json").read_text())
    return [
        Use(action, _filled_in(statement["Resource"]["Fn::Sub"]))
        for statement in document["Statement"]
        for action in statement["Action"]
    ]


def _filled_in(resource: str) -> str:
    known = {"AWS::Partition": "aws", "AWS::Region": "eu-west-1", "AWS::AccountId": ACCOUNT}
    for name, value in {**known, "Prefix": settings.prefix()}.items():
        resource = resource.replace(f"${{{name}}}", value)
    return resource


def covers(grant: Use, use: Use) -> bool:
    return grant.action == use.action and fnmatchcase(use.resource, grant.resource)


def assert_fits(function: str, recorder: Recorder) -> None:
    grants = allowed(function)
    refused = [use for use in recorder.uses if not any(covers(grant, use) for grant in grants)]
    unused = [
        grant
        for grant in grants
        if grant.action not in SERVICES and not any(covers(grant, use) for use in recorder.uses)
    ]
    assert not refused, _listed(refused)
    assert not unused, _listed(unused)


def _listed(uses: list[Use]) -> str:
    return "; ".join(sorted(f"{use.action} {use.resource.rpartition(':')[2]}" for use in uses))


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    return Recorder.installed(monkeypatch)


@pytest.fixture
def topic(store: None) -> Iterator[str]:
    sns._client.cache_clear()
    yield str(boto3.client("sns").create_topic(Name="alerts")["TopicArn"])
    sns._client.cache_clear()


@pytest.fixture
def wakes(store: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The queue that wakes `notify`, known to the functions as the deployment tells them."""
    url = str(boto3.client("sqs").create_queue(QueueName=settings.queue_name())["QueueUrl"])
    due = str(boto3.client("sqs").create_queue(QueueName=settings.due_queue_name())["QueueUrl"])
    monkeypatch.setenv("CRONHUB_QUEUE_URL", url)
    monkeypatch.setenv("CRONHUB_DUE_QUEUE_URL", due)
    monkeypatch.setenv("CRONHUB_THROTTLE", "on")
    monkeypatch.setenv("CRONHUB_ALLOW_PRIVATE_TARGETS", "1")
    monkeypatch.setenv("CRONHUB_MAIL", "ses:cronhub@example.com")
    boto3.client("ses").verify_email_identity(EmailAddress="cronhub@example.com")
    queue.forget()
    yield url
    queue.forget()


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as one:
        yield one


def test_the_api(api: Api, clock: Clock, recorder: Recorder, wakes: str, topic: str, hook: Receiver) -> None:
    walked = WalkedApi(api, recorder, list(app.routes))

    walk(walked, clock, hook.url, topic)

    there = {f"{method} {path}" for path, methods in app.routes.items() for method in methods} - PREFLIGHTS
    assert there - walked.walked == set()
    assert_fits("api_handler", recorder)


def add_channels(api: Api, hook: Receiver, topic: str) -> None:
    """One of each kind that calls something."""
    for kind, url in (("webhook", hook.url), ("sns", topic), ("email", "ops@example.com")):
        made = api.post("/api/channels", {"name": kind, "kind": kind, "url": url})
        assert made.status == 201, made.text
    for item in ChannelItem.scan():
        item.update([ChannelItem.confirmed.set(True)])


def test_the_tick(
    api: Api,
    clock: Clock,
    recorder: Recorder,
    wakes: str,
    topic: str,
    hook: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add_channels(api, hook, topic)
    other = api.new_org("other")
    first, hung, waiting = api.register(
        {"name": "first", "schedule": "0 13 * * *"},
        {"name": "hung", "schedule": "0 13 * * *", "max_runtime_seconds": 100_000},
        {"name": "waiting", "schedule": "0 13 * * *", "depends_on": ["first"]},
    )
    api.start(hung, run_id="of the first day")
    leave_open(api, clock)
    fill(api, other)
    # An entry of the index that nothing stands behind.
    CronItem.get(org_id(api), waiting).update([CronItem.due_at.set(0)])
    with overtaken():
        tick(recorder, clock)
    for day in ("second", "third"):
        clock.pass_by(days=1, hours=2)
        tick(recorder, clock)
        api.heartbeat(hung, run_id=f"of the {day} day")
        tick(recorder, clock)
    org_deletion.mark(OrgMoment(org_id(api, other), clock.now))
    tick(recorder, clock)
    monkeypatch.setattr("chalicelib.services.evaluate.HANDED_OVER_FROM", 0)
    clock.pass_by(days=1)
    tick(recorder, clock)
    # Nobody works off what was handed over.
    clock.pass_by(minutes=1)
    with recorder.function():
        run_minute(clock.now)

    assert api.cron(first)["status"] == "down"
    assert api.get("/api/orgs/other", key=other).status == 401
    assert_fits("tick", recorder)


def leave_open(api: Api, clock: Clock) -> None:
    """Runs and incidents that the clock ends, each by other calls."""
    hung, overtaken, held = api.register(
        *({"name": name, "schedule": None} for name in ("hung as well", "overtaken", "held")), service="open"
    )
    for took in (1_000, 2_000, 3_000):
        api.heartbeat(hung, duration_ms=took)
    clock.pass_by(minutes=2)
    api.start(hung)
    api.heartbeat(overtaken)
    api.start(overtaken)
    ends_at = clock.now + timedelta(hours=1)
    window = {"starts_at": clock.now.isoformat(), "ends_at": ends_at.isoformat(), "cron_ids": [held]}
    assert api.post("/api/maintenance", {"name": "deploy", **window}).status == 201
    api.heartbeat(held, "failure")


def tick(recorder: Recorder, clock: Clock) -> None:
    # The one before came in time.
    note_tick(clock.now - timedelta(minutes=1))
    with recorder.function():
        run_minute(clock.now)


def test_evaluate(api: Api, clock: Clock, recorder: Recorder, wakes: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first, hung, _ = api.register(
        {"name": "first", "schedule": "0 13 * * *"},
        {"name": "hung", "schedule": "0 13 * * *", "max_runtime_seconds": 100_000},
        {"name": "waiting", "schedule": "0 13 * * *", "depends_on": ["first"]},
    )
    api.start(hung, run_id="of the first day")
    leave_open(api, clock)
    # An entry of the index that nothing stands behind.
    CronItem.get(org_id(api), hung).update([CronItem.due_at.set(0)])
    evaluate(recorder, clock)
    for day in ("second", "third"):
        clock.pass_by(days=1, hours=2)
        note_tick(clock.now - timedelta(minutes=1))
        with overtaken():
            evaluate(recorder, clock)
        api.heartbeat(hung, run_id=f"of the {day} day")
        evaluate(recorder, clock)
    assert api.cron(first)["status"] == "down"
    # And after a time without ticks, in which a signal came.
    note_tick(clock.now)
    clock.pass_by(hours=1)
    api.heartbeat(hung, run_id="of the fourth day")
    clock.pass_by(hours=23)
    evaluate(recorder, clock)

    assert_fits("evaluate", recorder)


@contextmanager
def overtaken() -> Iterator[None]:
    """Each due cron changes between its reading and its writing, so that it is read again by itself."""
    real = crons.crons_at

    def stale(keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Cron]:
        return {key: cron._replace(version=cron.version - 1) for key, cron in real(keys).items()}

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(crons, "crons_at", stale)
        yield


def evaluate(recorder: Recorder, clock: Clock) -> None:
    with recorder.function():
        for shard in range(16):
            work_off(shard, clock.now)


def org_id(api: Api, key: str = "own") -> str:
    return str(api.get(f"/api/orgs/{'mon-org' if key == 'own' else 'other'}", key=key).json["id"])


def fill(api: Api, key: str) -> None:
    """One of everything in an org."""
    own, api.key = api.key, key
    first, second = api.register({"name": "one", "schedule": "@daily"}, {"name": "two", "schedule": "@daily"})
    api.post(f"/api/crons/{second}/dependencies", {"depends_on_id": first})
    api.post(f"/api/fail/{first}", key=None)
    api.post("/api/channels", {"name": "x", "kind": "sns", "url": f"arn:aws:sns:eu-west-1:{ACCOUNT}:x"})
    api.post("/api/projects", {"name": "x"})
    sessions.sign_in(key, "Firefox", clock.now())
    api.post("/api/badges", {})
    api.post("/api/status-pages", {"title": "x", "address": "secret"})
    with pytest.MonkeyPatch.context() as patched:
        patched.delenv("CRONHUB_MAIL")
        link = api.post("/api/orgs/other/invite", {"email": "x@example.com", "role": "viewer"}).json["link"]
    accepted = api.post("/api/invites/accept", {"token": link.partition("#")[2]}, key=None)
    assert accepted.status == 201, accepted.text
    times = {"starts_at": "2027-03-10T02:00:00Z", "ends_at": "2027-03-10T03:00:00Z"}
    api.post("/api/maintenance", {"name": "x", **times})
    api.key = own


def test_notify(api: Api, clock: Clock, recorder: Recorder, wakes: str, topic: str, hook: Receiver) -> None:
    add_channels(api, hook, topic)
    with receiver(Reply(500)) as broken:
        made = api.post("/api/channels", {"name": "broken", "kind": "webhook", "url": broken.url})
        # It has failed for a day, of which the others are told.
        note_failed(org_id(api), made.json["id"], clock.now - timedelta(days=1), "answered 500")
        api.post(f"/api/fail/{api.new_cron()}", key=None)
        api.patch("/api/orgs/mon-org", {"report": {"every": "weekly"}})
        clock.pass_by(days=7)
        reports.go_on(clock.now)
        work_off_wakes(recorder, wakes)
        # Enough to wait for each other; a message may come twice.
        for cron_id in api.register(*({"name": f"job {n}", "schedule": None} for n in range(5))):
            api.post(f"/api/fail/{cron_id}", key=None)
        bodies = work_off_wakes(recorder, wakes)
        clock.pass_by(seconds=10)
        notify(recorder, bodies)

    types = {json.loads(got.body)["type"] for got in hook.got}
    assert types == {"cron.failed", "crons.down", "notice.channel_failing", "notice.report"}
    assert_fits("notify", recorder)


def work_off_wakes(recorder: Recorder, wakes: str) -> list[str]:
    """Has notify work on what is on the queue; returns the messages."""
    bodies: list[str] = []
    while messages := boto3.client("sqs").receive_message(QueueUrl=wakes).get("Messages"):
        bodies += [message["Body"] for message in messages]
        notify(recorder, [message["Body"] for message in messages])
        for message in messages:
            boto3.client("sqs").delete_message(QueueUrl=wakes, ReceiptHandle=message["ReceiptHandle"])
    return bodies


def notify(recorder: Recorder, bodies: list[str]) -> None:
    with recorder.function(), Client(app) as functions:
        functions.lambda_.invoke("notify", functions.events.generate_sqs_event(bodies))


@pytest.mark.parametrize("function", ACCESS)
def test_topics_of_the_deployments_own_account_decide_for_themselves(function: str) -> None:
    document: Any = json.loads((ROOT / ".chalice" / f"policy-{function}.json").read_text())

    publishing = [each for each in document["Statement"] if "sns:Publish" in each["Action"]]

    assert all(
        each["Condition"] == {"StringNotEquals": {"aws:ResourceAccount": {"Fn::Sub": "${AWS::AccountId}"}}}
        for each in publishing
    )
