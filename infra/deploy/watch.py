"""Who watches the watcher: alarms about CronHub itself, and a dashboard."""

import json

from chalicelib.domain.monitor.signal import SignalKind
from chalicelib.telemetry import NAMESPACE
from infra.deploy.cfn import Json, ref, resource, sub
from infra.deploy.policies import ACCESS, short_name
from infra.deploy.queues import QUEUES, dead_letters_of
from infra.deploy.stages import Stage

_MINUTE = 60


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
        name = short_name(function)
        alarms[f"{name.title()}ErrorsAlarm"] = _alarm(
            f"{name}-errors",
            f"The function {name} failed.",
            ("AWS/Lambda", "Errors", {"FunctionName": f"${{Prefix}}-{name}"}),
        )
    for queue in QUEUES:
        dead = dead_letters_of(queue)
        alarms[f"{dead.logical}Alarm"] = _alarm(
            dead.name,
            f"Messages of the queue {queue.name} were given up.",
            ("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": f"${{Prefix}}-{dead.name}"}),
            Statistic="Maximum",
        )
    return alarms


Metric = tuple[str, str, dict[str, str]]


def _alarm(name: str, says: str, metric: Metric, **more: object) -> Json:
    """One that rings from the first on, unless `more` says otherwise."""
    namespace, metric_name, dimensions = metric
    properties: Json = {
        "AlarmName": sub(f"${{Prefix}}-{name}"),
        "AlarmDescription": says,
        "Namespace": namespace,
        "MetricName": metric_name,
        "Dimensions": [{"Name": each, "Value": sub(value)} for each, value in dimensions.items()],
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


def _widgets(stage: Stage) -> list[Json]:
    functions = [f"${{Prefix}}-{short_name(function)}" for function in ACCESS]
    queues = [f"${{Prefix}}-{queue.name}" for queue in QUEUES]
    dead = [f"${{Prefix}}-{dead_letters_of(queue).name}" for queue in QUEUES]
    api = ["ApiName", "${Prefix}", "Stage", stage.name]
    graphs = [
        ("Signals", "Sum", _own(*(f"signals_{kind.value}" for kind in SignalKind), "throttled")),
        ("Missed runs and alerts", "Sum", _own("runs_missed", "alerts_sent", "alerts_failed")),
        ("Crons due at the tick", "Maximum", _own("due_backlog", "tick_broken")),
        ("Tick and deliveries (s)", "Maximum", _own("tick_lag", "tick_duration", "delivery_delay")),
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
