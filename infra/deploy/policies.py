"""What each function may do on AWS, and no more: `make template` writes the policies from these tables, and
tests/infra/test_policies.py holds them against the calls that the functions make."""

from typing import NamedTuple

from infra.deploy.cfn import Json, sub

_SERVICE_PARTS = "${AWS::Region}:${AWS::AccountId}"


class Access(NamedTuple):
    #: Actions by table, or by index as `crons/due`.
    tables: dict[str, str]
    #: Queues.
    sends_to: tuple[str, ...] = ()
    #: Queues.
    looks_at: tuple[str, ...] = ()
    #: Queues.
    takes_from: tuple[str, ...] = ()
    delivers: bool = False


ACCESS = {
    "api_handler": Access(
        {
            "alerts": "PutItem Query DeleteItem",
            "api_keys": "ConditionCheckItem GetItem PutItem UpdateItem DeleteItem",
            "api_keys/org": "Query",
            "badges": "GetItem PutItem Query DeleteItem",
            "channels": "GetItem Query UpdateItem DeleteItem",
            "cron_names": "BatchGetItem BatchWriteItem GetItem PutItem Query DeleteItem",
            "crons": "BatchGetItem GetItem PutItem Query UpdateItem DeleteItem",
            "crons/standing": "Query",
            "dependencies": "GetItem PutItem Query DeleteItem",
            "incidents": "GetItem Query UpdateItem DeleteItem",
            "invites": "GetItem PutItem Query UpdateItem DeleteItem",
            "maintenance": "GetItem PutItem Query DeleteItem",
            "members": "GetItem PutItem Query UpdateItem DeleteItem",
            "orgs": "GetItem PutItem UpdateItem DeleteItem",
            "projects": "BatchGetItem GetItem PutItem Query DeleteItem",
            "rollups": "BatchGetItem PutItem Query DeleteItem",
            "runs": "GetItem PutItem Query UpdateItem DeleteItem",
            "sessions": "ConditionCheckItem GetItem PutItem Query UpdateItem DeleteItem",
            "standings": "PutItem Query UpdateItem DeleteItem",
            "status_pages": "GetItem PutItem Query DeleteItem",
            "throttles": "UpdateItem",
            "watch": "GetItem UpdateItem",
        },
        sends_to=("notify",),
        looks_at=("notify",),
        delivers=True,
    ),
    "tick": Access(
        {
            "alerts": "PutItem Query DeleteItem",
            "alerts/send": "Query",
            "api_keys/org": "Query",
            "api_keys": "DeleteItem",
            "badges": "Query DeleteItem",
            "channels": "Query DeleteItem",
            "cron_names": "Query DeleteItem",
            "crons": "BatchGetItem GetItem PutItem Query UpdateItem DeleteItem",
            "crons/due": "Query",
            "dependencies": "Query DeleteItem",
            "incidents": "Query UpdateItem DeleteItem",
            "invites": "Query DeleteItem",
            "maintenance": "Query DeleteItem",
            "members": "Query DeleteItem",
            "orgs": "GetItem UpdateItem DeleteItem",
            "projects": "Query DeleteItem",
            "rollups": "BatchGetItem PutItem Query DeleteItem",
            "runs": "GetItem PutItem Query UpdateItem DeleteItem",
            "sessions": "Query DeleteItem",
            "standings": "Query UpdateItem DeleteItem",
            "status_pages": "Query DeleteItem",
            "watch": "BatchGetItem GetItem UpdateItem",
        },
        sends_to=("notify", "due"),
    ),
    "evaluate": Access(
        {
            "alerts": "PutItem",
            "crons": "BatchGetItem GetItem PutItem Query UpdateItem",
            "crons/due": "Query",
            "incidents": "UpdateItem",
            "maintenance": "Query",
            "rollups": "BatchGetItem PutItem Query",
            "runs": "DeleteItem GetItem PutItem Query UpdateItem",
            "standings": "UpdateItem",
            "watch": "GetItem UpdateItem",
        },
        sends_to=("notify",),
        takes_from=("due",),
    ),
    "notify": Access(
        {
            "alerts": "BatchGetItem BatchWriteItem PutItem Query UpdateItem",
            "channels": "Query UpdateItem",
            "crons": "Query",
            "incidents": "Query",
            "orgs": "GetItem",
            "rollups": "Query",
        },
        sends_to=("notify",),
        takes_from=("notify",),
        delivers=True,
    ),
}

# What the service that reads a queue for a function does in the function's name.
TAKING = ("DeleteMessage", "GetQueueAttributes", "ReceiveMessage")
# What Lambda does in the function's name.
LOGGING = ("CreateLogStream", "PutLogEvents")


def short_name(function: str) -> str:
    """What a function is called in its name on AWS: `{prefix}-api`."""
    return function.removesuffix("_handler")


def policy(function: str) -> Json:
    access = ACCESS[function]
    statements = [_table(name, actions) for name, actions in sorted(access.tables.items())]
    statements += [_queue(queue, ("SendMessage",)) for queue in access.sends_to]
    statements += [_queue(queue, ("GetQueueAttributes",)) for queue in access.looks_at]
    statements += [_queue(queue, TAKING) for queue in access.takes_from]
    if access.delivers:
        statements += _delivering()
    statements.append(_logging(short_name(function)))
    return {"Version": "2012-10-17", "Statement": statements}


def _table(name: str, actions: str) -> Json:
    table, _, index = name.partition("/")
    resource = f"table/${{Prefix}}-{table}" + (f"/index/{index}" if index else "")
    return _allow("dynamodb", actions.split(), f"{_SERVICE_PARTS}:{resource}")


def _queue(queue: str, actions: tuple[str, ...]) -> Json:
    return _allow("sqs", actions, f"{_SERVICE_PARTS}:${{Prefix}}-{queue}")


def _delivering() -> list[Json]:
    topics = _allow("sns", ["Publish"], "*:*:*")
    # A topic of this account must name the role in its own policy: users could else publish to any of them.
    topics["Condition"] = {"StringNotEquals": {"aws:ResourceAccount": sub("${AWS::AccountId}")}}
    return [_allow("ses", ["SendRawEmail"], f"{_SERVICE_PARTS}:identity/*"), topics]


def _logging(name: str) -> Json:
    return _allow("logs", LOGGING, f"{_SERVICE_PARTS}:log-group:/aws/lambda/${{Prefix}}-{name}:*")


def _allow(service: str, actions: list[str] | tuple[str, ...], resource: str) -> Json:
    return {
        "Effect": "Allow",
        "Action": sorted(f"{service}:{action}" for action in actions),
        "Resource": sub(f"arn:${{AWS::Partition}}:{service}:{resource}"),
    }
