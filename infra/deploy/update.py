"""Changing a stack that is there, watched by its alarms: when one rings, CloudFormation takes the change back."""

import uuid
from typing import Any, NamedTuple

import boto3
from botocore.exceptions import WaiterError

from infra.deploy.cfn import Json
from infra.deploy.parameters import PARAMETERS, Parameter
from infra.deploy.stages import Stage

#: CloudFormation takes five. They speak of the functions and the API, which a release changes.
ALARMS = ("no-tick", "api-5xx", "api-errors", "tick-errors", "notify-errors")
_UNCHANGED = ("didn't contain changes", "No updates are to be performed")
_POLL = {"Delay": 5, "MaxAttempts": 1440}


class Change(NamedTuple):
    stack: str
    stage: Stage
    template_url: str
    given: dict[Parameter, str]
    capabilities: tuple[str, ...]


def tags(stage: Stage, prefix: str) -> dict[str, str]:
    """On the stack, and by it on all that can have tags."""
    return {"application": "cronhub", "stage": stage.name, "prefix": prefix}


def update(change: Change, before: Any) -> None:
    """Raises ClientError, WaiterError where it did not succeed, or was put back."""
    client = boto3.client("cloudformation")
    # A name of its own, so that two deploys at once do not meet.
    named = {"StackName": change.stack, "ChangeSetName": f"deploy-{uuid.uuid4().hex}"}
    client.create_change_set(
        **named,
        ChangeSetType="UPDATE",
        TemplateURL=change.template_url,
        Parameters=_parameters(change.given, before),
        Capabilities=list(change.capabilities),
        Tags=[{"Key": key, "Value": value} for key, value in tags(change.stage, change.stack).items()],
        RollbackConfiguration=_watch(change),
    )
    try:
        client.get_waiter("change_set_create_complete").wait(**named, WaiterConfig={"Delay": 2})
    except WaiterError:
        reason = client.describe_change_set(**named).get("StatusReason", "")
        if not any(words in reason for words in _UNCHANGED):
            raise
        client.delete_change_set(**named)
        return
    client.execute_change_set(**named)
    client.get_waiter("stack_update_complete").wait(StackName=change.stack, WaiterConfig=_POLL)


def _parameters(given: dict[Parameter, str], before: Any) -> list[Json]:
    """What is given; what is not keeps its value, or is empty where the stack does not know it yet."""
    known = {each["ParameterKey"] for each in before.get("Parameters", [])}
    made: list[Json] = []
    for each in PARAMETERS:
        if each in given:
            made.append({"ParameterKey": each.name, "ParameterValue": given[each]})
        elif each.name in known:
            made.append({"ParameterKey": each.name, "UsePreviousValue": True})
    return made


def _watch(change: Change) -> Json:
    """The alarms that take a release back. One that rings already says nothing: a fix must get through."""
    if not change.stage.watched_minutes:
        return {}
    names = [f"{change.stack}-{name}" for name in ALARMS]
    found = boto3.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"]
    quiet = [alarm["AlarmArn"] for alarm in found if alarm["StateValue"] != "ALARM"]
    return {
        "RollbackTriggers": [{"Arn": arn, "Type": "AWS::CloudWatch::Alarm"} for arn in quiet],
        "MonitoringTimeInMinutes": change.stage.watched_minutes,
    }
