"""Amazon SNS."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from moto import mock_aws

from chalicelib.channels import sns
from chalicelib.channels.message import State
from chalicelib.channels.send import deliver, why_not
from chalicelib.domain.alerts.channel import Channel, ChannelKind
from tests.channels.receivers import NOON, channel, message

ARN = "arn:aws:sns:eu-west-1:123456789012:alerts"


def topic(arn: str) -> Channel:
    return channel(arn, ChannelKind.SNS)


@pytest.fixture
def aws() -> Iterator[None]:
    sns._client.cache_clear()
    with mock_aws():
        yield
    sns._client.cache_clear()


def subscribed(name: str, **attributes: str) -> tuple[str, Any]:
    """A topic, and a function that returns what reached a queue of it."""
    topics, queues = boto3.client("sns", "eu-west-1"), boto3.client("sqs", "eu-west-1")
    arn = topics.create_topic(Name=name, Attributes=attributes)["TopicArn"]
    queue = queues.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    queue_arn = queues.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topics.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue_arn)

    def received() -> Any:
        messages = queues.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(one["Body"]) for one in messages]

    return arn, received


def test_programs_get_the_event(aws: None) -> None:
    arn, received = subscribed("alerts")
    outcome = deliver(topic(arn), message(title="backup\nwas missed – ü" + "x" * 200), NOON)

    (got,) = received()
    assert outcome.state is State.DELIVERED
    assert json.loads(got["Message"]) == message().event
    assert got["Subject"].startswith("backup was missed ? ?x")
    assert len(got["Subject"]) == 99
    assert {name: one["Value"] for name, one in got["MessageAttributes"].items()} == {
        "id": "01jdelivery",
        "kind": "missed",
        "severity": "critical",
    }


def test_a_fifo_topic_is_told_the_id_to_drop_a_repeat_by(aws: None) -> None:
    arn, received = subscribed("alerts.fifo", FifoTopic="true")
    outcome = deliver(topic(arn), message(), NOON)

    assert outcome.state is State.DELIVERED
    assert len(received()) == 1


def test_a_topic_that_is_gone_is_refused(aws: None) -> None:
    outcome = deliver(topic(ARN), message(), NOON)

    assert outcome.state is State.REFUSED
    assert "NotFound" in outcome.detail


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("NotFound", State.REFUSED),
        ("NotFoundException", State.REFUSED),
        ("AuthorizationError", State.REFUSED),
        ("AuthorizationErrorException", State.REFUSED),
        ("InvalidParameter", State.REFUSED),
        ("InvalidParameterException", State.REFUSED),
        ("Throttling", State.LATER),
        ("Throttled", State.LATER),
        ("InternalError", State.LATER),
        ("ServiceUnavailable", State.LATER),
    ],
)
def test_what_its_errors_mean(monkeypatch: pytest.MonkeyPatch, code: str, state: State) -> None:
    class Topics:
        def publish(self, **_: Any) -> None:
            raise ClientError({"Error": {"Code": code, "Message": f"of {ARN}"}}, "Publish")

    monkeypatch.setattr(sns, "_client", lambda _: Topics())
    outcome = deliver(topic(ARN), message(), NOON)

    assert outcome.state is state
    assert code in outcome.detail
    assert ARN not in outcome.detail


def test_where_nothing_answers_it_goes_later(monkeypatch: pytest.MonkeyPatch) -> None:
    class Topics:
        def publish(self, **_: Any) -> None:
            raise ReadTimeoutError(endpoint_url="https://sns.eu-west-1.amazonaws.com")

    monkeypatch.setattr(sns, "_client", lambda _: Topics())

    assert deliver(topic(ARN), message(), NOON).state is State.LATER


def test_a_message_over_the_limit_is_cut(aws: None) -> None:
    arn, received = subscribed("alerts")
    event = {"data": {"text": "ü" * 60_000}}
    outcome = deliver(topic(arn), message(text="ü" * 200_000, event=event), NOON)

    assert outcome.state is State.DELIVERED
    assert received()[0]["Message"].startswith("üü")


@pytest.mark.parametrize(
    "arn",
    [
        "",
        "alerts",
        "https://example.com/",
        "arn:aws:sqs:eu-west-1:123456789012:alerts",
        "arn:aws:sns:eu-west-1:12345678901:alerts",
        "arn:aws:sns:eu-west-1:123456789012:",
        "arn:aws:sns:eu-west-1:123456789012:alerts:4f2a",
        "arn:aws:sns:eu-west-1.evil.test/:123456789012:alerts",
        "arn:aws:sns::123456789012:alerts",
        ARN + "\n",
    ],
)
def test_what_is_no_topic_is_refused(arn: str) -> None:
    assert why_not(ChannelKind.SNS, arn)


@pytest.mark.parametrize("arn", [ARN, "arn:aws-us-gov:sns:us-gov-west-1:123456789012:a_B-9.fifo"])
def test_what_is_a_topic_is_taken(arn: str) -> None:
    assert why_not(ChannelKind.SNS, arn) is None
