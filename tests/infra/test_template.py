"""The generated files against what they are made from: the models, the functions, Chalice's own names."""

import ast
import json
import re
from typing import Any

import boto3
import pytest
from pynamodb.models import Model

from app import app
from chalicelib import settings
from chalicelib.api.routes import ROUTES
from chalicelib.domain.monitor.signal import SignalKind
from chalicelib.store.queue import LONGEST_DELAY_SECONDS
from chalicelib.store.tables import MODELS
from chalicelib.telemetry import NAMESPACE
from infra.deploy.cfn import logical
from infra.deploy.findings import FINDINGS
from infra.deploy.functions import logical_function
from infra.deploy.policies import ACCESS
from infra.deploy.queues import FUNCTION_SECONDS, QUEUES, dead_letters_of
from infra.deploy.stages import STAGES
from infra.deploy.tables import table_name
from infra.deploy.template import ROOT, policy_files, template, text

Json = dict[str, Any]
# It describes tables without CronHub's own code.
USUAL_STORE = "moto"
CONFIG = json.loads((ROOT / ".chalice" / "config.json").read_text())


@pytest.fixture(params=STAGES)
def stage(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def resources(stage: str) -> Json:
    return of_stage(stage)["Resources"]


def of_stage(stage: str) -> Json:
    """The template as CloudFormation reads it."""
    document: Json = json.loads(text(template(STAGES[stage])))
    return document


def properties(resources: Json, kind: str) -> list[Json]:
    return [each["Properties"] for each in resources.values() if each.get("Type") == f"AWS::{kind}"]


def test_the_policies_are_as_make_template_writes_them() -> None:
    for path, document in policy_files().items():
        assert path.read_text() == text(document), f"{path.name} is not up to date: make template"


def differences(one: Any, other: Any, path: str = "") -> dict[str, tuple[Any, Any]]:
    """Where two documents differ, by the path in them."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        pairs = [(f"{path}/{key}", one[key], other[key]) for key in one]
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = [(f"{path}/{place}", *both) for place, both in enumerate(zip(one, other, strict=True))]
    else:
        return {} if one == other else {path: (one, other)}
    return {where: both for key, a, b in pairs for where, both in differences(a, b, key).items()}


def test_the_stages_differ_only_in_prefix_protection_of_data_retention_of_logs_and_the_stage_name() -> None:
    found = differences(of_stage("dev"), of_stage("prod"))

    tables = {f"/Resources/{logical(table_name(model), 'table')}" for model in MODELS}
    protection = {f"{table}/Properties/DeletionProtectionEnabled": (False, True) for table in tables}
    deletion = {
        f"{table}/{policy}": ("Delete", "Retain")
        for table in tables
        for policy in ("DeletionPolicy", "UpdateReplacePolicy")
    }
    known = {"/Parameters/Prefix/Default": ("cronhub-dev", "cronhub"), **protection, **deletion}
    others = {path: both for path, both in found.items() if path not in known}
    assert {path: found.get(path) for path in known} == known
    assert {both for path, both in others.items() if path.endswith("/RetentionInDays")} == {(14, 90)}
    # All else is the stage's name inside an address or a metric's dimension.
    for path, (dev, prod) in others.items():
        if not path.endswith("/RetentionInDays"):
            assert re.sub(r"\bdev\b", "prod", dev) == prod, path


@pytest.mark.parametrize("model", MODELS, ids=table_name)
def test_a_table_is_as_its_model_makes_it(store: None, resources: Json, model: type[Model]) -> None:
    client = boto3.client("dynamodb")
    made: Json = client.describe_table(TableName=model.Meta.table_name)["Table"]
    expiry: Json = client.describe_time_to_live(TableName=model.Meta.table_name)["TimeToLiveDescription"]

    table = resources[logical(table_name(model), "table")]["Properties"]

    assert table["TableName"] == {"Fn::Sub": "${Prefix}-" + table_name(model)}
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert keys(table) == keys(made)
    assert types(table) == types(made)
    assert indexes(table) == indexes(made)
    assert table.get("TimeToLiveSpecification", {}).get("AttributeName") == expiry.get("AttributeName")


def keys(described: Json) -> list[tuple[str, str]]:
    """CloudFormation wants the hash key first, pynamodb does not care."""
    return sorted((key["KeyType"], key["AttributeName"]) for key in described["KeySchema"])


def types(described: Json) -> dict[str, str]:
    return {each["AttributeName"]: each["AttributeType"] for each in described["AttributeDefinitions"]}


def indexes(described: Json) -> list[tuple[str, list[tuple[str, str]], str]]:
    there = described.get("GlobalSecondaryIndexes", [])
    return sorted((index["IndexName"], keys(index), index["Projection"]["ProjectionType"]) for index in there)


def test_the_hash_key_comes_first(resources: Json) -> None:
    for table in properties(resources, "DynamoDB::Table"):
        for schema in (
            table["KeySchema"],
            *(index["KeySchema"] for index in table.get("GlobalSecondaryIndexes", [])),
        ):
            assert [key["KeyType"] for key in schema] in (["HASH"], ["HASH", "RANGE"])


def test_there_is_a_table_for_each_model_and_no_other(resources: Json) -> None:
    assert len(properties(resources, "DynamoDB::Table")) == len(MODELS)


def test_production_keeps_its_data_and_dev_can_be_thrown_away(stage: str, resources: Json) -> None:
    tables = [each for each in resources.values() if each.get("Type") == "AWS::DynamoDB::Table"]
    kept = stage == "prod"

    for table in tables:
        assert table["Properties"]["DeletionProtectionEnabled"] is kept
        assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == ("Retain" if kept else "Delete")
        assert table["Properties"]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_a_message_comes_back_only_long_after_its_function_ended(resources: Json) -> None:
    assert CONFIG["lambda_timeout"] == FUNCTION_SECONDS
    for queue in QUEUES:
        made = resources[queue.logical]["Properties"]
        assert made["VisibilityTimeout"] >= 6 * FUNCTION_SECONDS
        assert made["RedrivePolicy"] == {
            "deadLetterTargetArn": {"Fn::GetAtt": [dead_letters_of(queue).logical, "Arn"]},
            "maxReceiveCount": 5,
        }


def test_every_function_of_the_app_is_known_here() -> None:
    sources = {source.name for source in app.event_sources}

    assert set(ACCESS) == {"api_handler"} | sources
    assert {name: config["iam_policy_file"] for name, config in CONFIG["lambda_functions"].items()} == {
        name: f"policy-{name}.json" for name in ACCESS
    }
    assert CONFIG["autogen_policy"] is False
    assert {name: stage["environment_variables"] for name, stage in CONFIG["stages"].items()} == {
        stage.name: {"CRONHUB_PREFIX": stage.prefix} for stage in STAGES.values()
    }


def test_every_function_has_its_logs_kept_for_a_time_and_its_errors_told(resources: Json) -> None:
    groups = {each["LogGroupName"]["Fn::Sub"] for each in properties(resources, "Logs::LogGroup")}
    alarms = {
        each["Dimensions"][0]["Value"]["Fn::Sub"]
        for each in properties(resources, "CloudWatch::Alarm")
        if each.get("MetricName") == "Errors"
    }
    names = [resources[logical_function(function)]["Properties"]["FunctionName"]["Fn::Sub"] for function in ACCESS]

    assert groups == {f"/aws/lambda/{name}" for name in names} | {"/aws/apigateway/${Prefix}"}
    assert alarms == set(names)
    assert all(each["RetentionInDays"] > 0 for each in properties(resources, "Logs::LogGroup"))


def test_a_tick_that_does_not_come_is_told(resources: Json) -> None:
    alarm = alarm_named(resources, "no-tick")

    assert (alarm["MetricName"], alarm["ComparisonOperator"], alarm["Threshold"]) == (
        "Invocations",
        "LessThanThreshold",
        1,
    )
    assert alarm["Period"] * alarm["EvaluationPeriods"] == 180
    assert alarm["TreatMissingData"] == "breaching"
    assert alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}]


def alarm_named(resources: Json, name: str) -> Json:
    alarms = properties(resources, "CloudWatch::Alarm")
    return next(each for each in alarms if each["AlarmName"] == {"Fn::Sub": "${Prefix}-" + name})


def test_an_api_that_fails_is_told(resources: Json, stage: str) -> None:
    alarm = alarm_named(resources, "api-5xx")

    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/ApiGateway", "5XXError")
    # Under the name that the API is given.
    assert resources["RestAPI"]["Properties"]["DefinitionBody"]["info"]["title"] == {"Ref": "Prefix"}
    assert {each["Name"]: each["Value"] for each in alarm["Dimensions"]} == {
        "ApiName": {"Fn::Sub": "${Prefix}"},
        "Stage": stage,
    }


def test_every_alarm_tells_the_topic_that_the_given_address_gets(resources: Json) -> None:
    alarms = properties(resources, "CloudWatch::Alarm")
    subscription = resources["AlarmSubscription"]

    # No tick, 5xx, six of CronHub's own metrics, reads and writes of four tables and an index.
    assert len(alarms) == 2 + 6 + 2 * 5 + 3 * len(ACCESS) + 2 * len(QUEUES)
    assert all(each["AlarmActions"] == [{"Ref": "AlarmTopic"}] for each in alarms)
    assert subscription["Condition"] == "HasAlarmAddress"
    assert subscription["Properties"]["Endpoint"] == {"Ref": "AlarmAddress"}


def test_dead_letters_are_told(resources: Json) -> None:
    told = {
        each["Dimensions"][0]["Value"]["Fn::Sub"]
        for each in properties(resources, "CloudWatch::Alarm")
        if each.get("MetricName") == "ApproximateNumberOfMessagesVisible"
    }

    assert told == {f"${{Prefix}}-{dead_letters_of(queue).name}" for queue in QUEUES}


def alarms_of(resources: Json, metric: str) -> dict[str, Json]:
    """The alarms on a metric, by what they are about."""
    alarms = [each for each in properties(resources, "CloudWatch::Alarm") if each.get("MetricName") == metric]
    return {str(each["Dimensions"][0]["Value"]["Fn::Sub"]).removeprefix("${Prefix}-"): each for each in alarms}


def test_a_function_that_is_throttled_or_nearly_out_of_time_is_told(resources: Json) -> None:
    throttles, durations = alarms_of(resources, "Throttles"), alarms_of(resources, "Duration")

    assert set(throttles) == set(durations) == {"api", "tick", "evaluate", "notify"}
    assert {each["Threshold"] for each in throttles.values()} == {1}
    assert all(each["Statistic"] == "Maximum" for each in durations.values())
    for name, alarm in durations.items():
        config = CONFIG["lambda_functions"]["api_handler" if name == "api" else name]
        limit = 1000 * config.get("lambda_timeout", CONFIG["lambda_timeout"])
        assert 0.5 * limit < alarm["Threshold"] < limit, name


def test_a_message_that_nobody_takes_is_told(resources: Json) -> None:
    ages = alarms_of(resources, "ApproximateAgeOfOldestMessage")

    assert set(ages) == {queue.name for queue in QUEUES}
    assert all(each["Statistic"] == "Maximum" for each in ages.values())
    assert ages["due"]["Threshold"] == 120, "what is due waits for a minute, and no longer"
    # A message that is kept back for a later try is no trouble.
    assert ages["notify"]["Threshold"] == 120 + LONGEST_DELAY_SECONDS


def test_an_alert_that_waits_for_two_minutes_is_told(resources: Json) -> None:
    alarm = alarm_named(resources, "alerts-waiting")

    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == (
        NAMESPACE,
        "alerts_waiting",
        "Maximum",
    )
    assert (alarm["Threshold"], alarm["Period"], alarm["EvaluationPeriods"]) == (120, 60, 1)


def test_deadlines_that_pass_unjudged_and_alerts_that_fail_are_told(resources: Json) -> None:
    own = {
        each["MetricName"]: each
        for each in properties(resources, "CloudWatch::Alarm")
        if each.get("Namespace") == NAMESPACE
    }

    assert set(own) == {
        "due_backlog",
        "shards_behind",
        "hand_over_failed",
        "canary_lost",
        "alerts_failed",
        "alerts_waiting",
    }
    assert own["shards_behind"]["Threshold"] == own["hand_over_failed"]["Threshold"] == 1
    assert all(
        each["Dimensions"] == [{"Name": "prefix", "Value": {"Fn::Sub": "${Prefix}"}}] for each in own.values()
    )


def test_a_store_that_throttles_is_told(resources: Json) -> None:
    alarms = [
        each for each in properties(resources, "CloudWatch::Alarm") if each.get("Namespace") == "AWS/DynamoDB"
    ]
    on = {(each["MetricName"], each["Dimensions"][0]["Value"]["Fn::Sub"]) for each in alarms}
    tables = {each["TableName"]["Fn::Sub"] for each in properties(resources, "DynamoDB::Table")}

    for table in ("crons", "runs", "rollups", "alerts"):
        assert {(f"{kind}ThrottleEvents", f"${{Prefix}}-{table}") for kind in ("Read", "Write")} <= on
    assert {table for _, table in on} <= tables
    assert {"Name": "GlobalSecondaryIndexName", "Value": "due"} in [each["Dimensions"][-1] for each in alarms]


def measured_in(source: str) -> set[str]:
    """The names in the first arguments of the calls of `measure`; of a made up one, its beginning."""
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    names = (call.args[0] for call in calls if getattr(call.func, "id", "") == "measure")
    parts = (part for name in names for part in ast.walk(name) if isinstance(part, ast.Constant))
    return {str(part.value) for part in parts}


def test_every_metric_of_the_functions_is_on_the_dashboard(resources: Json) -> None:
    measured = set[str]().union(*(measured_in(path.read_text()) for path in (ROOT / "chalicelib").rglob("*.py")))
    body = json.loads(resources["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"])
    metrics = [metric for widget in body["widgets"] for metric in widget["properties"]["metrics"]]

    shown = {metric[1] for metric in metrics if metric[0] == NAMESPACE}
    assert "signals_" in measured
    assert shown == (measured - {"signals_"}) | {f"signals_{kind.value}" for kind in SignalKind}


def choice(value: Any) -> Any:
    """What an Fn::If with a condition has where that is true."""
    return value["Fn::If"][1]


def test_functions_run_on_what_is_pinned_and_not_on_what_deploys(resources: Json) -> None:
    for function in ACCESS:
        made = resources[logical_function(function)]["Properties"]
        assert (made["Runtime"], made["Architectures"]) == ("python3.11", ["arm64"])


def test_an_api_flood_leaves_room_for_detection_and_delivery(resources: Json) -> None:
    for function, least in (("tick", 2), ("evaluate", settings.due_shards()), ("notify", 10)):
        made = resources[logical_function(function)]["Properties"]
        reserved = made["ReservedConcurrentExecutions"]
        assert reserved["Fn::If"][0] == "Reserves"
        assert choice(reserved) >= least
        for event in made.get("Events", {}).values():
            # More messages than can run would come back as failed tries.
            assert event["Properties"]["ScalingConfig"] == {"MaximumConcurrency": choice(reserved)}
    assert "ReservedConcurrentExecutions" not in resources["APIHandler"]["Properties"]


def test_reserving_can_be_turned_off(stage: str) -> None:
    document = of_stage(stage)

    assert document["Conditions"]["Reserves"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "Reserve"}, "off"]}]}
    assert document["Parameters"]["Reserve"]["Default"] == ""


def test_every_route_without_a_key_is_throttled_before_it_runs(resources: Json) -> None:
    settings = resources["RestAPI"]["Properties"]["MethodSettings"]
    throttled = {
        (each["ResourcePath"].replace("~1", "/").replace("//", "/"), each["HttpMethod"]): each for each in settings
    }

    assert throttled.keys() == {(one.path, method) for one in ROUTES if one.public for method in one.methods}
    ping, org = throttled["/api/ping/{cron_id}", "POST"], throttled["/api/orgs", "POST"]
    assert ping["ResourcePath"] == "/~1api~1ping~1{cron_id}"
    assert ping["ThrottlingRateLimit"] == {"Fn::If": ["HasKeylessRate", {"Ref": "KeylessRate"}, 2000]}
    assert org["ThrottlingRateLimit"] == 100
    # Each of the functions that jobs with a key need is asked for without this limit.
    assert ("/api/crons/{cron_id}/heartbeat", "POST") not in throttled


def test_there_is_one_stage_and_the_gateways_own_answers_are_as_ours(resources: Json) -> None:
    api = resources["RestAPI"]["Properties"]
    # It keeps the transform from adding a stage called Stage.
    assert api["OpenApiVersion"] == "2.0"
    answers = api["DefinitionBody"]["x-amazon-apigateway-gateway-responses"]
    assert {
        answer["responseParameters"]["gatewayresponse.header.X-Content-Type-Options"]
        for answer in answers.values()
    } == {"'nosniff'"}
    for name, status in (("MISSING_AUTHENTICATION_TOKEN", 404), ("THROTTLED", 429)):
        problem = json.loads(answers[name]["responseTemplates"]["application/json"])
        assert (answers[name]["statusCode"], problem["status"]) == (status, status)
    assert answers["THROTTLED"]["responseParameters"]["gatewayresponse.header.Retry-After"] == "'2'"


def test_each_request_is_logged_without_what_signals(resources: Json, stage: str) -> None:
    setting = choice(resources["RestAPI"]["Properties"]["AccessLogSetting"])
    log = resources["ApiAccessLog"]

    logged = json.loads(setting["Format"])
    assert {"$context.resourcePath", "$context.status", "$context.identity.sourceIp"} <= set(logged.values())
    assert "$context.path" not in logged.values()
    assert setting["DestinationArn"]["Fn::Sub"].endswith(":log-group:${ApiAccessLog}")
    assert log["Properties"]["RetentionInDays"] == STAGES[stage].log_days
    # Other APIs of the account may have come to need the leave to write.
    assert {resources[name]["DeletionPolicy"] for name in log["DependsOn"] + ["ApiLogRole"]} == {"Retain"}
    assert {resources[name]["Condition"] for name in ("ApiAccessLog", "ApiLogRole", "ApiAccount")} == {
        "LogsAccess"
    }


def skipped(resource: Json) -> set[str]:
    return {each["id"] for each in resource.get("Metadata", {}).get("checkov", {}).get("skip", [])}


def test_every_finding_that_stays_has_its_reason_where_it_is_found_and_in_the_documents(resources: Json) -> None:
    document = (ROOT / "docs" / "security.md").read_text()
    written = re.findall(r"^\| `(CKV_\w+)` \| (.+) \| (.+) \|$", document, re.MULTILINE)

    assert written == [(each.check, each.wants, each.why) for each in FINDINGS]
    found = {name: skipped(one) for name, one in resources.items() if skipped(one)}
    assert set[str]().union(*found.values()) == {each.check for each in FINDINGS}
    assert [name for name, checks in found.items() if "CKV_AWS_115" in checks] == ["APIHandler"]
    assert all("CKV_AWS_117" in found[logical_function(function)] for function in ACCESS)
    assert {name for name, checks in found.items() if "CKV_AWS_119" in checks} == {
        name for name, one in resources.items() if one.get("Type") == "AWS::DynamoDB::Table"
    }
