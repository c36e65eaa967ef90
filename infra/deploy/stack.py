"""The stack in the account: created, updated, deleted."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError, WaiterError

from infra.deploy import emulated
from infra.deploy.cfn import Json
from infra.deploy.parameters import BASE_URL, Parameter
from infra.deploy.refusal import Refusal
from infra.deploy.stages import Stage
from infra.deploy.update import Change, tags, update

ROOT = Path(__file__).resolve().parents[2]
AWS_PYTHON = ROOT / ".venv-aws" / "bin" / "python"
# As a module: the script `aws` does not start from a folder whose path has a space.
AWS = (str(AWS_PYTHON), "-m", "awscli")
_CAPABILITIES = ("CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND")
# Created in part: what was created stays, and the next deploy continues from there.
_UNFINISHED = "CREATE_FAILED"
_NAME_ATTEMPTS = 5


def name_of(stage: Stage, given: dict[Parameter, str]) -> str:
    """Returns the name of the stack: its prefix. Two prefixes are two deployments."""
    return next((value for parameter, value in given.items() if parameter.name == "Prefix"), stage.prefix)


def deploy(stage: Stage, given: dict[Parameter, str], template: Path, bucket: str) -> str:
    """Creates or updates the stack; returns the API's URL."""
    stack = name_of(stage, given)
    before = describe(stack)
    if before is not None and before["StackStatus"] in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"):
        raise Refusal(
            f"the stack {stack} is {before['StackStatus']} and accepts no changes: "
            f"make destroy STAGE={stage.name}, then deploy again"
        )
    packaged = _upload(stack, template, bucket)
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    if endpoint:
        packaged.write_text(emulated.adapted(packaged.read_text()))
    if before is None and stage.keeps_data and _keeps_tables(stack):
        _take_over(stack, stage, packaged, bucket, given)
    else:
        _deploy(stack, stage, packaged, bucket, given, before)
    if endpoint and BASE_URL not in given:
        # An emulated API is not where AWS would have it; where it is, is known only now.
        given = {**given, BASE_URL: emulated_url(endpoint, output(stack, "RestAPIId"), stage)}
        _deploy(stack, stage, packaged, bucket, given, describe(stack))
    return output(stack, "URL")


def emulated_url(endpoint: str, api_id: str, stage: Stage) -> str:
    return f"{endpoint.rstrip('/')}/restapis/{api_id}/{stage.name}/_user_request_"


def _upload(stack: str, template: Path, bucket: str) -> Path:
    packaged = template.with_name("packaged.json")
    done = run_cloudformation(
        "package",
        *("--template-file", str(template), "--output-template-file", str(packaged), "--use-json"),
        *("--s3-bucket", bucket, "--s3-prefix", stack),
    )
    if not done:
        raise Refusal(f"the package could not be uploaded to CRONHUB_BUCKET={bucket}; nothing was deployed")
    return packaged


def _deploy(
    stack: str, stage: Stage, packaged: Path, bucket: str, given: dict[Parameter, str], before: Any
) -> None:
    if before is not None and before["StackStatus"] not in (_UNFINISHED, "REVIEW_IN_PROGRESS"):
        url = _put(packaged, bucket, stack)
        _update(Change(stack, stage, url, given, _CAPABILITIES), before)
        return
    values = [f"{parameter.name}={value}" for parameter, value in given.items()]
    done = run_cloudformation(
        "deploy",
        *("--template-file", str(packaged), "--stack-name", stack),
        *("--s3-bucket", bucket, "--s3-prefix", stack, "--no-fail-on-empty-changeset"),
        *("--capabilities", *_CAPABILITIES),
        *(["--parameter-overrides", *values] if values else []),
        *("--tags", *(f"{key}={value}" for key, value in tags(stage, stack).items())),
        "--disable-rollback",
    )
    if not done:
        raise Refusal(_how_to_go_on(stack, stage))


def _put(packaged: Path, bucket: str, stack: str) -> str:
    """Puts a template where CloudFormation reads it; returns its address."""
    s3, key = boto3.client("s3"), f"{stack}/update.template"
    s3.put_object(Bucket=bucket, Key=key, Body=packaged.read_text())
    return f"{s3.meta.endpoint_url}/{bucket}/{key}"


def _update(change: Change, before: Any) -> None:
    try:
        update(change, before)
    except (ClientError, WaiterError) as error:
        sys.stderr.write(f"{error}\n")
        raise Refusal(_how_to_go_on(change.stack, change.stage)) from None


def _keeps_tables(stack: str) -> bool:
    """Whether an earlier stack of this name left its tables."""
    client = boto3.client("dynamodb")
    try:
        client.describe_table(TableName=f"{stack}-orgs")
    except client.exceptions.ResourceNotFoundException:
        return False
    return True


def _take_over(stack: str, stage: Stage, packaged: Path, bucket: str, given: dict[Parameter, str]) -> None:
    """Creates a stack that takes over existing tables, which `aws cloudformation deploy` cannot."""
    s3, client = boto3.client("s3"), boto3.client("cloudformation")
    key = f"{stack}/take-over.template"
    s3.put_object(Bucket=bucket, Key=key, Body=_with_plain_names(json.loads(packaged.read_text()), stack))
    named = {"StackName": stack, "ChangeSetName": "take-over"}
    try:
        client.create_change_set(
            **named,
            ChangeSetType="CREATE",
            ImportExistingResources=True,
            TemplateURL=f"{s3.meta.endpoint_url}/{bucket}/{key}",
            Parameters=[{"ParameterKey": each.name, "ParameterValue": value} for each, value in given.items()],
            Capabilities=list(_CAPABILITIES),
            Tags=[{"Key": name, "Value": value} for name, value in tags(stage, stack).items()],
        )
        client.get_waiter("change_set_create_complete").wait(**named, WaiterConfig={"Delay": 2})
        client.execute_change_set(**named)
        client.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 5})
    except (ClientError, WaiterError) as error:
        sys.stderr.write(f"{error}\n")
        raise Refusal(_how_to_go_on(stack, stage)) from None


def _with_plain_names(template: Json, prefix: str) -> str:
    """CloudFormation knows a table that is there only by a name that stands there as it is."""
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::DynamoDB::Table":
            name = resource["Properties"]["TableName"]["Fn::Sub"]
            resource["Properties"]["TableName"] = name.replace("${Prefix}", prefix)
    return json.dumps(template)


def run_cloudformation(command: str, *arguments: str) -> bool:
    """Runs `aws cloudformation`; returns whether it succeeded and shows its output only if it failed."""
    line = [*AWS, "cloudformation", command, *arguments]
    for _ in range(_NAME_ATTEMPTS):
        done = subprocess.run(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        said = done.stdout.decode("utf-8", "replace").rpartition("\r")[2]
        if done.returncode == 0:
            return True
        if not _is_name_taken(said):
            break
        # The next second has a name of its own.
        time.sleep(1)
    sys.stderr.write(said)
    return False


def _is_name_taken(said: str) -> bool:
    """Whether another deploy began in the same second: awscli names a change set after the second."""
    return "AlreadyExistsException" in said and "awscli-cloudformation-package-deploy-" in said


def _how_to_go_on(stack: str, stage: Stage) -> str:
    now = describe(stack)
    status = now["StackStatus"] if now else "not there"
    again = f"make deploy STAGE={stage.name}"
    if status == _UNFINISHED:
        advice = f"what was created is kept: fix the cause, then {again} continues"
    elif status.startswith("UPDATE_ROLLBACK_COMPLETE"):
        advice = f"it is as it was before and keeps working: fix the cause, then {again}"
    elif status == "UPDATE_ROLLBACK_FAILED":
        advice = f"aws cloudformation continue-update-rollback --stack-name {stack}, then {again}"
    else:
        advice = f"fix the cause, then {again}"
    return f"the stack {stack} is {status}{_cause(stack)}; {advice}"


def _cause(stack: str) -> str:
    """Returns the first thing that went wrong in the last operation."""
    try:
        events = boto3.client("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
    except ClientError:
        return ""
    first = ""
    for event in events:
        if event["LogicalResourceId"] == stack and event["ResourceStatus"] in _BEGUN:
            break
        reason = " ".join(event.get("ResourceStatusReason", "").split())
        failed = event["ResourceStatus"].endswith("_FAILED") and "cancelled" not in reason
        # An alarm that rang is told of with the stack, as no resource failed.
        put_back = event["ResourceStatus"] == "UPDATE_ROLLBACK_IN_PROGRESS" and "alarm" in reason.lower()
        if failed or put_back:
            first = f" ({event['LogicalResourceId']}: {reason})"
    return first


_BEGUN = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS")


def destroy(stage: Stage, given: dict[Parameter, str]) -> str:
    """Deletes the stack; returns what stays, in words."""
    stack = name_of(stage, given)
    if describe(stack) is None:
        return f"there is no stack {stack}"
    client = boto3.client("cloudformation")
    client.delete_stack(StackName=stack)
    try:
        client.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig={"Delay": 5})
    except WaiterError:
        raise Refusal(
            f"the stack {stack} could not be removed whole{_cause(stack)}; "
            f"fix the cause, then make destroy STAGE={stage.name} continues"
        ) from None
    if not stage.keeps_data:
        return f"{stack} is gone, with all its data"
    return f"{stack} is gone; its tables, {stack}-*, are kept and protected against deletion"


def describe(stack: str) -> Any:
    """Returns None where there is no such stack."""
    try:
        return boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise


def output(stack: str, key: str) -> str:
    return next(str(each["OutputValue"]) for each in describe(stack)["Outputs"] if each["OutputKey"] == key)


def parameter(stack: str, wanted: Parameter) -> str:
    """Returns a parameter's value, also one that an earlier deploy gave; empty without a stack."""
    given = (describe(stack) or {}).get("Parameters", [])
    return next((str(each["ParameterValue"]) for each in given if each["ParameterKey"] == wanted.name), "")
