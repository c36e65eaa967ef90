"""What is added to the functions that Chalice describes."""

from chalice.app import SQSEventConfig

from app import app
from infra.deploy.api import public_address
from infra.deploy.cfn import NOTHING, Json, either, logical, ref, resource, sub
from infra.deploy.package import ARCHITECTURE, RUNTIME
from infra.deploy.parameters import PARAMETERS, PREFIX, RESERVED
from infra.deploy.policies import ACCESS, short_name
from infra.deploy.queues import QUEUES
from infra.deploy.stages import Stage


def logical_function(function: str) -> str:
    """As Chalice calls it in its template."""
    return "APIHandler" if function == "api_handler" else logical(function)


def functions(stage: Stage) -> Json:
    made: Json = {}
    for function in ACCESS:
        name = short_name(function)
        log_group = logical(name, "log")
        made[logical_function(function)] = {
            "DependsOn": [log_group],
            "Properties": {
                # A name of its own, so that its role can be held to its own logs.
                "FunctionName": sub("${Prefix}-" + name),
                "Environment": {"Variables": _variables(stage)},
                "Runtime": RUNTIME,
                "Architectures": [ARCHITECTURE],
                **_reserved(function),
                **_events(function),
            },
        }
        made[log_group] = resource(
            "Logs::LogGroup",
            {"LogGroupName": sub(f"/aws/lambda/${{Prefix}}-{name}"), "RetentionInDays": stage.log_days},
            DeletionPolicy="Delete",
            UpdateReplacePolicy="Delete",
        )
    # A tick that failed is not run again: the next one comes within the minute.
    made["Tick"]["Properties"]["EventInvokeConfig"] = {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60}
    return made


def _reserved(function: str) -> Json:
    if function not in RESERVED:
        return {}
    return {"ReservedConcurrentExecutions": either("Reserves", RESERVED[function], NOTHING)}


def _events(function: str) -> Json:
    """Returns the queue that a function reads, by reference, so that it is created first."""
    for source in app.event_sources:
        if isinstance(source, SQSEventConfig) and source.name == function:
            queue = next(each for each in QUEUES if str(source.queue).endswith(f"-{each.name}"))
            event = logical(function, "sqs_event_source")
            properties = {
                "Queue": sub(f"${{{queue.logical}.Arn}}"),
                # More would be taken from the queue than can run, and count as tries.
                "ScalingConfig": {"MaximumConcurrency": RESERVED[function]},
                # Of a batch, only the messages that failed come again.
                "FunctionResponseTypes": ["ReportBatchItemFailures"],
            }
            return {"Events": {event: {"Properties": properties}}}
    return {}


def _variables(stage: Stage) -> Json:
    given = {
        each.variable: ref(each.name) if each is PREFIX else _if_given(each.name)
        for each in PARAMETERS
        if each.goes_on
    }
    addresses = {queue.variable: ref(queue.logical) for queue in QUEUES if queue.variable}
    return {**given, **addresses, "CRONHUB_BASE_URL": public_address(stage)}


def _if_given(parameter: str) -> Json:
    return either(f"Has{parameter}", ref(parameter), NOTHING)
