"""What stops a deployment, each told in one line; and how to go on after one that failed."""

import json
import os
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from infra.deploy import __main__ as deploying
from infra.deploy import checks, emulated, stack
from infra.deploy.cfn import Json
from infra.deploy.package import USED_SERVICES, Target, api_by_name, for_target, leave_out_unused_services
from infra.deploy.parameters import BASE_URL, PARAMETERS, PREFIX, RESERVED
from infra.deploy.policies import ACCESS, policy
from infra.deploy.refusal import Refusal
from infra.deploy.stages import STAGES
from infra.deploy.template import ROOT, template

DEV, PROD = STAGES["dev"], STAGES["prod"]


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("CRONHUB_BUCKET", "S3_BUCKET", *(each.variable for each in PARAMETERS)):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        yield


def said(command: str, stage: str = "", **env: str) -> tuple[int, str]:
    """Without an account of anybody's: nothing is asked for outside."""
    none = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CRONHUB_"))}
    none |= {"AWS_EC2_METADATA_DISABLED": "true", "HOME": "/nonexistent"}
    line = [sys.executable, "-m", "infra.deploy", command, stage]
    done = subprocess.run(line, cwd=ROOT, env=none | env, capture_output=True, text=True, check=False)
    assert done.stdout == ""
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("stage", "env", "line"),
    [
        ("", {}, "STAGE is not set: STAGE=dev or STAGE=prod"),
        ("test", {}, "STAGE=test is no stage: STAGE=dev or STAGE=prod"),
        ("dev", {}, "AWS_DEFAULT_REGION is not set: "),
        (
            "dev",
            {"AWS_DEFAULT_REGION": "eu-west-1"},
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE: ",
        ),
        ("dev", {"CRONHUB_PREFIX": "a b"}, "CRONHUB_PREFIX=a b is not: "),
        ("dev", {"CRONHUB_MAIL": "smtp://very-secret"}, "CRONHUB_MAIL must be ses:FROM"),
        (
            "dev",
            {"CRONHUB_DOMAIN": "cron.example.com"},
            "CRONHUB_DOMAIN and CRONHUB_CERTIFICATE_ARN go together: ",
        ),
        ("dev", {"CRONHUB_ALARM_ADDRESS": "nobody"}, "CRONHUB_ALARM_ADDRESS=nobody is not: "),
    ],
)
def test_what_is_missing_or_wrong_is_one_line(stage: str, env: dict[str, str], line: str) -> None:
    for command in ("deploy", "destroy"):
        status, told = said(command, stage, **env)

        assert (status, told.count("\n")) == (2, 1), told
        assert told.startswith(line)
        assert "very-secret" not in told


def test_a_bucket_must_be_named_and_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Refusal, match=r"^CRONHUB_BUCKET is not set: "):
        checks.bucket()
    monkeypatch.setenv("CRONHUB_BUCKET", "packages")
    with pytest.raises(Refusal, match=r"^CRONHUB_BUCKET=packages cannot be used \(404\): aws s3 mb s3://packages"):
        checks.bucket()
    boto3.client("s3", "us-east-1").create_bucket(Bucket="packages")

    assert checks.bucket() == "packages"


def test_who_deploys_is_known() -> None:
    assert checks.account() == "123456789012"


def test_a_stack_is_called_as_its_prefix() -> None:
    assert [stack.name_of(stage, {}) for stage in (DEV, PROD)] == ["cronhub-dev", "cronhub"]
    assert stack.name_of(PROD, checks.given({"CRONHUB_PREFIX": "watch"})) == "watch"


def test_only_what_is_given_is_changed() -> None:
    assert checks.given({"CRONHUB_PREFIX": "watch", "HOME": "/root"}) == {PREFIX: "watch"}


class Account:
    """CloudFormation with one stack in a state."""

    def __init__(self, status: str, *failures: tuple[str, str]) -> None:
        at = datetime(2026, 3, 10, tzinfo=UTC)
        self.stack: dict[str, Any] = {"StackName": "cronhub", "StackStatus": status, "Parameters": []}
        begun = ("cronhub", "UPDATE_IN_PROGRESS", "")
        earlier = ("OrgsTable", "CREATE_FAILED", "of long ago")
        told = [(name, "CREATE_FAILED", reason) for name, reason in failures]
        self.events = [
            {"LogicalResourceId": name, "ResourceStatus": status, "ResourceStatusReason": reason, "Timestamp": at}
            for name, status, reason in [*told, begun, earlier]
        ]

    def describe_stacks(self, **_: Any) -> Any:
        return {"Stacks": [self.stack]}

    def describe_stack_events(self, **_: Any) -> Any:
        return {"StackEvents": self.events}


def test_after_a_failure_it_is_said_how_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    # Latest first, as CloudFormation gives them: what failed first is the cause.
    failures = ("RunsTable", "Resource creation cancelled"), ("CronsTable", "cronhub-crons already exists")
    advice = {
        "CREATE_FAILED": "what was created is kept: fix the cause, then make deploy STAGE=prod continues",
        "UPDATE_ROLLBACK_COMPLETE": "it is as it was before and keeps working",
        "UPDATE_ROLLBACK_FAILED": "aws cloudformation continue-update-rollback --stack-name cronhub",
    }
    for status, wanted in advice.items():
        account = Account(status, *failures)
        monkeypatch.setattr(boto3, "client", lambda *_, account=account: account)

        told = stack._how_to_go_on("cronhub", PROD)

        assert told.startswith(f"the stack cronhub is {status} (CronsTable: cronhub-crons already exists); ")
        assert wanted in told


@pytest.mark.parametrize(("address", "lines"), [("", 1), ("ops@example.com", 0)])
def test_a_deployment_whose_alarms_nobody_gets_says_so_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], address: str, lines: int
) -> None:
    account = Account("UPDATE_COMPLETE")
    # As CloudFormation keeps it: it may be of an earlier deploy.
    account.stack["Parameters"] = [{"ParameterKey": "AlarmAddress", "ParameterValue": address}]
    for name in ("account", "bucket"):
        monkeypatch.setattr(checks, name, lambda: "one")
    monkeypatch.setattr(checks, "room_for_functions", lambda: None)
    monkeypatch.setattr(boto3, "client", lambda *_: account)
    monkeypatch.setattr(stack, "deploy", lambda *_: "https://example.com")
    monkeypatch.setattr(deploying, "build", lambda *_: ROOT)

    deploying.deploy("prod", ROOT)

    told = [line for line in capsys.readouterr().out.splitlines() if "CRONHUB_ALARM_ADDRESS" in line]
    assert len(told) == lines
    if told:
        assert told[0].startswith("CRONHUB_ALARM_ADDRESS is not set: nobody is told when CronHub itself fails; ")


def test_a_deployment_without_a_domain_says_that_its_ping_urls_may_go(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    account = Account("UPDATE_COMPLETE")
    for name in ("account", "bucket"):
        monkeypatch.setattr(checks, name, lambda: "one")
    monkeypatch.setattr(checks, "room_for_functions", lambda: None)
    monkeypatch.setattr(boto3, "client", lambda *_: account)
    monkeypatch.setattr(stack, "deploy", lambda *_: "https://example.com")
    monkeypatch.setattr(deploying, "build", lambda *_: ROOT)

    told = []
    for domain in ("", "cron.example.com"):
        account.stack["Parameters"] = [{"ParameterKey": "Domain", "ParameterValue": domain}]
        deploying.deploy("prod", ROOT)
        told.append(
            "CRONHUB_DOMAIN is not set: ping URLs hold API Gateway's own address" in capsys.readouterr().out
        )

    assert told == [True, False]


class Quota:
    def __init__(self, most: int) -> None:
        self.most = most

    def get_account_settings(self) -> Any:
        return {"AccountLimit": {"ConcurrentExecutions": self.most}}


def test_an_account_with_a_low_quota_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boto3, "client", lambda *_: Quota(10))
    with pytest.raises(Refusal, match=r"runs 10 functions at once and 138 are needed .* or CRONHUB_RESERVE=off"):
        checks.room_for_functions()

    monkeypatch.setattr(boto3, "client", lambda *_: Quota(1000))
    checks.room_for_functions()


def test_without_a_stack_no_parameter_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack, "describe", lambda _: None)

    assert stack.parameter("cronhub", BASE_URL) == ""


def test_reserving_that_was_turned_off_once_stays_off(monkeypatch: pytest.MonkeyPatch) -> None:
    account = Account("UPDATE_COMPLETE")
    account.stack["Parameters"] = [{"ParameterKey": "Reserve", "ParameterValue": "off"}]
    for name in ("account", "bucket"):
        monkeypatch.setattr(checks, name, lambda: "one")
    looked: list[None] = []
    monkeypatch.setattr(checks, "room_for_functions", lambda: looked.append(None))
    monkeypatch.setattr(boto3, "client", lambda *_: account)
    monkeypatch.setattr(stack, "deploy", lambda *_: "https://example.com")
    monkeypatch.setattr(deploying, "build", lambda *_: ROOT)

    deploying.deploy("prod", ROOT)
    assert looked == []
    monkeypatch.setenv("CRONHUB_RESERVE", "on")
    deploying.deploy("prod", ROOT)
    assert looked == [None]


def test_a_stack_that_takes_no_changes_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boto3, "client", lambda *_: Account("ROLLBACK_COMPLETE"))

    with pytest.raises(Refusal, match="is ROLLBACK_COMPLETE and accepts no changes: make destroy STAGE=prod"):
        stack.deploy(PROD, {}, ROOT / "nothing", "packages")


def test_the_api_names_its_function_so_that_the_function_can_know_the_api() -> None:
    by_reference = {"uri": {"Fn::Sub": "arn:lambda:path/functions/${APIHandler.Arn}/invocations"}}
    template = {"Resources": {"RestAPI": {"Properties": {"DefinitionBody": by_reference}}}}

    api = api_by_name(template)["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]

    assert api["uri"]["Fn::Sub"].endswith(":function:${Prefix}-api/invocations")


@pytest.mark.parametrize("command", ["deploy", "package"])
def test_chalice_alone_says_in_one_sentence_what_to_run_instead(command: str, tmp_path: Path) -> None:
    chalice = str(Path(sys.executable).with_name("chalice"))
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "AWS_DEFAULT_REGION": "eu-west-1"}
    line = [chalice, command, *([str(tmp_path)] if command == "package" else [])]
    done = subprocess.run(line, cwd=ROOT, env=env, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        f"chalice {command} knows nothing of CronHub's tables, queues and alarms: "
        f"run make {command} STAGE=dev or STAGE=prod instead (docs/operations.md)"
    ]
    assert list(tmp_path.iterdir()) == []


def test_a_package_is_for_what_it_is_built_for() -> None:
    function = {"Type": "AWS::Serverless::Function", "Properties": {"Runtime": "python3.99", "Timeout": 60}}
    template = {"Resources": {"Tick": function, "Topic": {"Type": "AWS::SNS::Topic", "Properties": {}}}}

    made = for_target(template, Target())["Resources"]

    assert made["Tick"]["Properties"] == {"Runtime": "python3.11", "Architectures": ["arm64"], "Timeout": 60}
    assert made["Topic"]["Properties"] == {}


def test_a_package_holds_only_the_services_that_are_called(tmp_path: Path) -> None:
    package = tmp_path / "deployment.zip"
    kept = [
        "app.py",
        "botocore/data/endpoints.json",
        "botocore/data/sqs/2012-11-05/service-2.json.gz",
        "botocore/x.py",
    ]
    with zipfile.ZipFile(package, "w") as whole:
        for name in [*kept, "botocore/data/ec2/2016-11-15/service-2.json.gz"]:
            whole.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), name)

    leave_out_unused_services(package)

    with zipfile.ZipFile(package) as lean:
        assert {name: lean.read(name).decode() for name in lean.namelist()} == {name: name for name in kept}
        assert {one.date_time for one in lean.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert [path.name for path in tmp_path.iterdir()] == ["deployment.zip"]


def test_every_service_that_is_called_is_in_the_package() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "chalicelib").rglob("*.py"))
    called = set(re.findall(r'boto3\.client\(\s*"(\w+)"', sources))

    assert called | {"dynamodb"} == set(USED_SERVICES)


def test_an_emulated_api_is_where_the_emulator_has_it() -> None:
    url = stack.emulated_url("http://localhost:4566/", "a1b2", DEV)

    assert url == "http://localhost:4566/restapis/a1b2/dev/_user_request_"
    assert checks.given({BASE_URL.variable: url}) == {BASE_URL: url}


def test_the_emulator_alone_is_granted_what_aws_does_not_know() -> None:
    document = template(DEV) | {"Policies": [policy(function) for function in ACCESS]}

    granted = json.loads(emulated.adapted(json.dumps(document)))

    assert "SendMessageBatch" not in json.dumps(document)
    for before, after in zip(document["Policies"], granted["Policies"], strict=True):
        for one, other in zip(before["Statement"], after["Statement"], strict=True):
            more = ["sqs:SendMessageBatch"] if "sqs:SendMessage" in one["Action"] else []
            assert other == one | {"Action": one["Action"] + more}


def test_the_emulator_alone_runs_few_functions_at_once() -> None:
    document = template(DEV)

    adapted = json.loads(emulated.adapted(json.dumps(document)))["Resources"]

    for function in ("evaluate", "notify"):
        before, after = (at_once_of(one[function.title()]) for one in (document["Resources"], adapted))
        assert before == RESERVED[function]
        assert after == min(before, max(2, os.cpu_count() or 2))


def at_once_of(function: Json) -> int:
    [event] = function["Properties"]["Events"].values()
    return int(event["Properties"]["ScalingConfig"]["MaximumConcurrency"])


TAKEN = (
    "An error occurred (AlreadyExistsException): "
    "ChangeSet [awscli-cloudformation-package-deploy-1795600351] already exists"
)


@pytest.mark.parametrize(
    ("answers", "succeeds", "calls"),
    [
        ([(255, TAKEN), (0, "")], True, 2),
        ([(255, "AccessDenied"), (0, "")], False, 1),
        ([(255, TAKEN)] * 9, False, 5),
    ],
)
def test_a_deploy_in_the_same_second_as_another_tries_again(
    monkeypatch: pytest.MonkeyPatch, answers: list[tuple[int, str]], succeeds: bool, calls: int
) -> None:
    made: list[Any] = []

    def answered(line: Any, **_: Any) -> subprocess.CompletedProcess[bytes]:
        code, said = answers[len(made)]
        made.append(line)
        return subprocess.CompletedProcess(line, code, said.encode())

    monkeypatch.setattr(subprocess, "run", answered)
    monkeypatch.setattr(time, "sleep", lambda _: None)

    assert stack.run_cloudformation("deploy") is succeeds
    assert len(made) == calls
