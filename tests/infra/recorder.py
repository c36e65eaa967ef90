"""The calls to AWS that a function makes, as IAM sees them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
from botocore.client import BaseClient

ACCOUNT = "123456789012"
# A transaction needs the rights to what it does, not one of its own.
_IN_TRANSACTIONS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}


class Use(NamedTuple):
    action: str
    resource: str


class Recorder:
    """Records what is called within `function`; what a test does for itself stays out of it."""

    def __init__(self) -> None:
        self.uses: set[Use] = set()
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.is_on = False

    @contextmanager
    def function(self) -> Iterator[None]:
        self.is_on = True
        try:
            yield
        finally:
            self.is_on = False

    @classmethod
    def installed(cls, monkeypatch: pytest.MonkeyPatch) -> "Recorder":
        # The one way of every call, boto3's and pynamodb's: typed nowhere, as it is botocore's own.
        recorder, call = cls(), vars(BaseClient)["_make_api_call"]

        def record(client: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
            if recorder.is_on:
                service = client.meta.service_model.service_name
                recorder.sent.append((operation, parameters))
                recorder.uses.update(uses(service, operation, parameters, client.meta.region_name))
            return call(client, operation, parameters)

        monkeypatch.setattr(BaseClient, "_make_api_call", record)
        return recorder


def uses(service: str, operation: str, parameters: dict[str, Any], region: str) -> Iterator[Use]:
    for action, resource in _targets(service, operation, parameters):
        arn = resource if resource.startswith("arn:") else f"arn:aws:{service}:{region}:{ACCOUNT}:{resource}"
        yield Use(f"{service}:{action}", arn)


def _targets(service: str, operation: str, parameters: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if service == "dynamodb":
        yield from _tables(operation, parameters)
        return
    match service, operation:
        case "sqs", "GetQueueUrl":
            yield operation, parameters["QueueName"]
        case "sqs", "SendMessage" | "GetQueueAttributes":
            yield operation, parameters["QueueUrl"].rpartition("/")[2]
        case "sqs", "SendMessageBatch":
            # IAM knows no right of its own for it.
            yield "SendMessage", parameters["QueueUrl"].rpartition("/")[2]
        case "sns", "Publish":
            yield operation, parameters["TopicArn"]
        case "ses", "SendRawEmail":
            yield operation, f"identity/{parameters['Source']}"
        case _:
            raise AssertionError(f"{service} {operation}: how IAM sees this is not known here")


def _tables(operation: str, parameters: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if operation == "TransactWriteItems":
        for item in parameters["TransactItems"]:
            for kind, written in item.items():
                yield _IN_TRANSACTIONS[kind], f"table/{written['TableName']}"
    elif operation.startswith("Batch"):
        for table in parameters["RequestItems"]:
            yield operation, f"table/{table}"
    else:
        index = parameters.get("IndexName")
        yield operation, f"table/{parameters['TableName']}" + (f"/index/{index}" if index else "")
