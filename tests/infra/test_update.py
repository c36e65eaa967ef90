"""A change of a stack that is there: what it keeps, and which alarms take it back."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import WaiterError
from moto import mock_aws

from infra.deploy import stack
from infra.deploy.parameters import RESERVE
from infra.deploy.stages import STAGES
from infra.deploy.template import template
from infra.deploy.update import ALARMS, Change, update

PROD, DEV = STAGES["prod"], STAGES["dev"]
BEFORE = {
    "StackStatus": "UPDATE_COMPLETE",
    "Parameters": [{"ParameterKey": name, "ParameterValue": "x"} for name in ("Prefix", "Mail", "Gone")],
}


class CloudFormation:
    """Notes what it is asked for. fails: what it says of a change set that it does not make."""

    def __init__(self, fails: str = "") -> None:
        self.fails = fails
        self.made: dict[str, Any] = {}
        self.done: list[str] = []

    def create_change_set(self, **asked: Any) -> None:
        self.made = asked

    def get_waiter(self, name: str) -> "CloudFormation":
        self.done.append(name)
        return self

    def wait(self, **_: Any) -> None:
        if self.fails:
            raise WaiterError("ChangeSetCreateComplete", "failed", {})

    def describe_change_set(self, **_: Any) -> Any:
        return {"StatusReason": self.fails}

    def delete_change_set(self, **_: Any) -> None:
        self.done.append("deleted")

    def execute_change_set(self, **_: Any) -> None:
        self.done.append("executed")


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with mock_aws():
        yield


@pytest.fixture
def alarms() -> Any:
    client = boto3.client("cloudwatch")
    for name in (*ALARMS, "due-age"):
        client.put_metric_alarm(
            AlarmName=f"cronhub-{name}",
            ComparisonOperator="GreaterThanThreshold",
            EvaluationPeriods=1,
            Namespace="x",
            MetricName="x",
            Period=60,
            Statistic="Sum",
            Threshold=1,
        )
    return client


def updated(monkeypatch: pytest.MonkeyPatch, stage: Any = PROD, fails: str = "") -> CloudFormation:
    formation, real = CloudFormation(fails), boto3.client
    monkeypatch.setattr(boto3, "client", lambda name: formation if name == "cloudformation" else real(name))
    update(Change("cronhub", stage, "https://s3/t", {RESERVE: "off"}, ("CAPABILITY_IAM",)), BEFORE)
    return formation


def test_what_is_not_given_keeps_its_value(monkeypatch: pytest.MonkeyPatch, alarms: Any) -> None:
    made = updated(monkeypatch).made["Parameters"]

    assert {one["ParameterKey"]: one.get("ParameterValue", "kept") for one in made} == {
        "Prefix": "kept",
        "Mail": "kept",
        "Reserve": "off",
    }


def test_a_release_that_rings_an_alarm_is_taken_back(monkeypatch: pytest.MonkeyPatch, alarms: Any) -> None:
    watched = updated(monkeypatch).made["RollbackConfiguration"]

    assert watched["MonitoringTimeInMinutes"] == 5
    names = {one["Arn"].rpartition(":")[2] for one in watched["RollbackTriggers"]}
    assert names == {f"cronhub-{name}" for name in ALARMS}
    assert {one["Type"] for one in watched["RollbackTriggers"]} == {"AWS::CloudWatch::Alarm"}
    # CloudFormation takes no more.
    assert len(names) == 5


def test_the_alarms_that_take_it_back_are_there() -> None:
    there = {
        one["Properties"]["AlarmName"]["Fn::Sub"].removeprefix("${Prefix}-")
        for one in template(PROD)["Resources"].values()
        if one.get("Type") == "AWS::CloudWatch::Alarm"
    }

    assert set(ALARMS) <= there


def test_an_alarm_that_rings_already_does_not_keep_a_fix_out(monkeypatch: pytest.MonkeyPatch, alarms: Any) -> None:
    alarms.set_alarm_state(AlarmName="cronhub-api-5xx", StateValue="ALARM", StateReason="x")

    watched = updated(monkeypatch).made["RollbackConfiguration"]

    assert len(watched["RollbackTriggers"]) == 4
    assert not any("api-5xx" in one["Arn"] for one in watched["RollbackTriggers"])


def test_dev_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, alarms: Any) -> None:
    assert updated(monkeypatch, DEV).made["RollbackConfiguration"] == {}


def test_it_is_tagged_and_has_a_name_of_its_own(monkeypatch: pytest.MonkeyPatch, alarms: Any) -> None:
    first, second = updated(monkeypatch).made, updated(monkeypatch).made

    assert {one["Key"]: one["Value"] for one in first["Tags"]} == {
        "application": "cronhub",
        "stage": "prod",
        "prefix": "cronhub",
    }
    assert first["ChangeSetName"] != second["ChangeSetName"]


def test_no_change_is_no_failure(monkeypatch: pytest.MonkeyPatch, alarms: Any) -> None:
    done = updated(monkeypatch, fails="The submitted information didn't contain changes.").done

    assert "deleted" in done
    assert "executed" not in done


def test_a_change_set_that_cannot_be_made_is_a_failure(monkeypatch: pytest.MonkeyPatch, alarms: Any) -> None:
    with pytest.raises(WaiterError):
        updated(monkeypatch, fails="Template error")


def test_the_alarm_that_took_a_release_back_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    events = [
        {"LogicalResourceId": "cronhub", "ResourceStatus": "UPDATE_ROLLBACK_COMPLETE"},
        {
            "LogicalResourceId": "cronhub",
            "ResourceStatus": "UPDATE_ROLLBACK_IN_PROGRESS",
            "ResourceStatusReason": "Alarm with ARN arn:aws:cloudwatch:x:1:alarm:cronhub-api-5xx breached",
        },
        {"LogicalResourceId": "cronhub", "ResourceStatus": "UPDATE_IN_PROGRESS"},
    ]

    class Events:
        def describe_stack_events(self, **_: Any) -> Any:
            return {"StackEvents": events}

    monkeypatch.setattr(boto3, "client", lambda _: Events())

    assert stack._cause("cronhub") == f" (cronhub: {events[1]['ResourceStatusReason']})"
