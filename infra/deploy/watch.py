"""Who watches the watcher: alarms about CronHub itself, and a dashboard."""

import json
from itertools import product
from pathlib import Path

from chalicelib.domain.monitor.signal import SignalKind
from chalicelib.services.evaluate import HANDED_OVER_FROM
from chalicelib.telemetry import NAMESPACE
from infra.deploy.cfn import Json, logical, ref, resource, sub
from infra.deploy.policies import ACCESS, short_name
from infra.deploy.queues import QUEUES, Queue, dead_letters_of
from infra.deploy.stages import Stage

_MINUTE = 60
# Of the time that a function has.
_NEAR_LIMIT = 0.8
# Users' receivers fail now and then; this many at once say that something of CronHub's does.
_FAILED_ALERTS = 10
# Longer than two ticks are apart, each of which asks for what is due.
_PATIENCE_SECONDS = 120
_HOT = ("crons", "crons/due", "runs", "rollups", "alerts")
ROOT = Path(__file__).resolve().parents[2]


def watch(stage: Stage) -> Json:
    return {
        "AlarmTopic": resource("SNS::Topic", {"TopicName": sub("${Prefix}-alarms")}),
        "AlarmSubscription": resource(
            "SNS::Subscription",
            {"TopicArn": ref("AlarmTopic"), "Protocol": "email", "Endpoint": ref("AlarmAddress")},
            Condition="HasAlarmAddress",
        ),
        **_alarms(stage),
        "Dashboard": resource(
            "CloudWatch::Dashboard",
            {"DashboardName": sub("${Prefix}"), "DashboardBody": sub(json.dumps({"widgets": _widgets(stage)}))},
        ),
    }


def _alarms(stage: Stage) -> Json:
    alarms = {
        "NoTickAlarm": _alarm(
            "no-tick",
            "The tick has not run for three minutes: nobody notices what is missing.",
            ("AWS/Lambda", "Invocations", {"FunctionName": "${Prefix}-tick"}),
            ComparisonOperator="LessThanThreshold",
            EvaluationPeriods=3,
            TreatMissingData="breaching",
        ),
        "Api5xxAlarm": _alarm(
            "api-5xx",
            "The API answers with 5xx.",
            ("AWS/ApiGateway", "5XXError", {"ApiName": "${Prefix}", "Stage": stage.name}),
            EvaluationPeriods=3,
            DatapointsToAlarm=2,
        ),
    }
    for function in ACCESS:
        alarms |= _alarms_of_function(function)
    for queue in QUEUES:
        alarms |= _alarms_of_queue(queue)
    return alarms | _alarms_of_own_metrics() | _alarms_of_store()


def _alarms_of_function(function: str) -> Json:
    name = short_name(function)
    metrics = {"FunctionName": f"${{Prefix}}-{name}"}
    seconds = seconds_of(function)
    return {
        f"{name.title()}ErrorsAlarm": _alarm(
            f"{name}-errors", f"The function {name} failed.", ("AWS/Lambda", "Errors", metrics)
        ),
        f"{name.title()}ThrottlesAlarm": _alarm(
            f"{name}-throttles",
            f"The function {name} was not run: too many of this account's functions run at once.",
            ("AWS/Lambda", "Throttles", metrics),
        ),
        f"{name.title()}DurationAlarm": _alarm(
            f"{name}-duration",
            f"The function {name} took more than {_NEAR_LIMIT:.0%} of the {seconds} s that it has.",
            ("AWS/Lambda", "Duration", metrics),
            Statistic="Maximum",
            Threshold=int(_NEAR_LIMIT * seconds * 1000),
        ),
    }


def seconds_of(function: str) -> int:
    """How long a function may run."""
    config: Json = json.loads((ROOT / ".chalice" / "config.json").read_text())
    return int(config["lambda_functions"][function].get("lambda_timeout", config["lambda_timeout"]))


def _alarms_of_queue(queue: Queue) -> Json:
    dead = dead_letters_of(queue)
    return {
        f"{dead.logical}Alarm": _alarm(
            dead.name,
            f"Messages of the queue {queue.name} were given up.",
            ("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": f"${{Prefix}}-{dead.name}"}),
            Statistic="Maximum",
        ),
        f"{queue.logical}AgeAlarm": _alarm(
            f"{queue.name}-age",
            f"A message of the queue {queue.name} has waited for {queue.patience_seconds} s.",
            ("AWS/SQS", _AGE, {"QueueName": f"${{Prefix}}-{queue.name}"}),
            Statistic="Maximum",
            Threshold=queue.patience_seconds,
        ),
    }


def _alarms_of_own_metrics() -> Json:
    return {
        "DueBacklogAlarm": _own_alarm(
            "due-backlog",
            f"More than {HANDED_OVER_FROM} crons were due at each of the last five ticks.",
            "due_backlog",
            Statistic="Maximum",
            Threshold=HANDED_OVER_FROM + 1,
            EvaluationPeriods=5,
        ),
        "ShardsBehindAlarm": _own_alarm(
            "shards-behind",
            "Crons that were handed over to the function evaluate were still due a minute later.",
            "shards_behind",
        ),
        "HandOverFailedAlarm": _own_alarm(
            "hand-over-failed",
            "A backlog could not be put on the queue due: the tick worked it off alone.",
            "hand_over_failed",
        ),
        "DeafAlarm": _own_alarm(
            "deaf",
            "No test signal arrives through the public address: those of jobs may be lost, too.",
            "canary_lost",
            EvaluationPeriods=3,
        ),
        "AlertsWaitingAlarm": _own_alarm(
            "alerts-waiting",
            f"An alert that was to be sent at once has waited for {_PATIENCE_SECONDS} s.",
            "alerts_waiting",
            Statistic="Maximum",
            Threshold=_PATIENCE_SECONDS,
        ),
        "AlertsFailedAlarm": _own_alarm(
            "alerts-failed",
            f"{_FAILED_ALERTS} deliveries or more failed within five minutes.",
            "alerts_failed",
            Period=5 * _MINUTE,
            Threshold=_FAILED_ALERTS,
        ),
    }


def _own_alarm(name: str, says: str, metric: str, **more: object) -> Json:
    return _alarm(name, says, (NAMESPACE, metric, {"prefix": "${Prefix}"}), **more)


def _alarms_of_store() -> Json:
    """On the tables and the index that every signal and every tick write."""
    return dict(_throttled(name, kind) for name, kind in product(_HOT, ("read", "write")))


def _throttled(name: str, kind: str) -> tuple[str, Json]:
    table, _, index = name.partition("/")
    dimensions = {"TableName": f"${{Prefix}}-{table}"} | ({"GlobalSecondaryIndexName": index} if index else {})
    where = f"the index {index} of {table}" if index else f"the table {table}"
    alarm = _alarm(
        f"{name.replace('/', '-')}-throttled-{kind}s",
        f"DynamoDB throttled {kind}s of {where}.",
        ("AWS/DynamoDB", f"{kind.title()}ThrottleEvents", dimensions),
    )
    return logical(name.replace("/", "_"), "throttled", f"{kind}s", "alarm"), alarm


Metric = tuple[str, str, dict[str, str]]


def _alarm(name: str, says: str, metric: Metric, **more: object) -> Json:
    """One that rings from the first on, unless `more` says otherwise."""
    namespace, metric_name, dimensions = metric
    properties: Json = {
        "AlarmName": sub(f"${{Prefix}}-{name}"),
        "AlarmDescription": says,
        "Namespace": namespace,
        "MetricName": metric_name,
        "Dimensions": [_dimension(*each) for each in dimensions.items()],
        "Statistic": "Sum",
        "Period": _MINUTE,
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
        "AlarmActions": [ref("AlarmTopic")],
        "OKActions": [ref("AlarmTopic")],
    }
    return resource("CloudWatch::Alarm", properties | more)


def _dimension(name: str, value: str) -> Json:
    return {"Name": name, "Value": sub(value) if "${" in value else value}


def _widgets(stage: Stage) -> list[Json]:
    functions = [f"${{Prefix}}-{short_name(function)}" for function in ACCESS]
    queues = [f"${{Prefix}}-{queue.name}" for queue in QUEUES]
    dead = [f"${{Prefix}}-{dead_letters_of(queue).name}" for queue in QUEUES]
    api = ["ApiName", "${Prefix}", "Stage", stage.name]
    graphs = [
        ("Signals", "Sum", _own(*(f"signals_{kind.value}" for kind in SignalKind), "throttled")),
        ("Missed runs and alerts", "Sum", _own("runs_missed", "alerts_sent", "alerts_failed")),
        (
            "Crons due at the tick",
            "Maximum",
            _own("due_backlog", "tick_broken", "shards_behind", "hand_over_failed", "canary_lost"),
        ),
        (
            "Tick and deliveries (s)",
            "Maximum",
            _own("tick_lag", "tick_duration", "delivery_delay", "alerts_waiting"),
        ),
        ("Requests", "Sum", [["AWS/ApiGateway", name, *api] for name in ("Count", "4XXError", "5XXError")]),
        ("Latency of requests (ms)", "p95", [["AWS/ApiGateway", "Latency", *api]]),
        ("Invocations", "Sum", _by("AWS/Lambda", "Invocations", "FunctionName", functions)),
        ("Errors", "Sum", _by("AWS/Lambda", "Errors", "FunctionName", functions)),
        ("Duration (ms)", "p95", _by("AWS/Lambda", "Duration", "FunctionName", functions)),
        ("Throttled functions", "Sum", _by("AWS/Lambda", "Throttles", "FunctionName", functions)),
        ("Age of the oldest message (s)", "Maximum", _by("AWS/SQS", _AGE, "QueueName", queues)),
        ("Dead letters", "Maximum", _by("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", dead)),
    ]
    return [
        {
            "type": "metric",
            "x": place % 2 * 12,
            "y": place // 2 * 6,
            "width": 12,
            "height": 6,
            "properties": {
                "title": title,
                "region": "${AWS::Region}",
                "stat": statistic,
                "period": _MINUTE,
                "metrics": metrics,
            },
        }
        for place, (title, statistic, metrics) in enumerate(graphs)
    ]


def _own(*names: str) -> list[list[str]]:
    """Metrics that the functions write into their log lines (chalicelib/telemetry.py)."""
    return [[NAMESPACE, name, "prefix", "${Prefix}"] for name in names]


_AGE = "ApproximateAgeOfOldestMessage"


def _by(namespace: str, metric: str, dimension: str, values: list[str]) -> list[list[str]]:
    return [[namespace, metric, dimension, value] for value in values]
