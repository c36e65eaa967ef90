"""The store as a test asks it: each answer in one form that can be compared."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from infra.local.store import Store, StoreError

#: What came of a request: its answer, or the code of its error and the codes of a transaction's reasons.
Outcome = tuple[str, Any]

TABLE = "differential"
DEFINITION: Mapping[str, Any] = {
    "TableName": TABLE,
    "KeySchema": [
        {"AttributeName": "h", "KeyType": "HASH"},
        {"AttributeName": "r", "KeyType": "RANGE"},
    ],
    "AttributeDefinitions": [
        {"AttributeName": "h", "AttributeType": "S"},
        {"AttributeName": "r", "AttributeType": "N"},
        {"AttributeName": "shard", "AttributeType": "N"},
        {"AttributeName": "due", "AttributeType": "N"},
    ],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "by_due",
            "KeySchema": [
                {"AttributeName": "shard", "KeyType": "HASH"},
                {"AttributeName": "due", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
    ],
    "BillingMode": "PAY_PER_REQUEST",
}


class Subject(Protocol):
    def call(self, operation: str, request: Mapping[str, Any]) -> Outcome: ...


class Embedded:
    def __init__(self, path: Path) -> None:
        self.store = Store(path)

    def call(self, operation: str, request: Mapping[str, Any]) -> Outcome:
        try:
            return "answered", normal(self.store.answer("dynamodb", operation, request))
        except StoreError as error:
            return "refused", _refusal(error.code, error.details.get("CancellationReasons"))


def _refusal(code: str, reasons: Any) -> Any:
    """AWS documents ValidationError as a reason of a cancelled transaction; DynamoDB Local and the emulators
    refuse the whole request instead."""
    codes = [reason["Code"] for reason in reasons or ()]
    return ("ValidationException", []) if "ValidationError" in codes else (code, codes)


@contextmanager
def with_table(subject: Subject) -> Iterator[Subject]:
    """An empty table, which is gone afterwards."""
    assert subject.call("CreateTable", DEFINITION)[0] == "answered"
    try:
        yield subject
    finally:
        subject.call("DeleteTable", {"TableName": TABLE})


def normal(answer: Mapping[str, Any]) -> dict[str, Any]:
    """An answer without what says nothing of its content; sets are sorted.

    Numbers are compared by value: the emulators return them as they were sent, DynamoDB without the
    zeros that mean nothing.
    """
    left_out = ("ResponseMetadata", "ConsumedCapacity", "SDKResponseMetadata", "ItemCollectionMetrics")
    return {key: _normal(value) for key, value in answer.items() if key not in left_out}


def _normal(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _members(key, one) for key, one in value.items()}
    return [_normal(one) for one in value] if isinstance(value, list) else value


def _members(key: str, value: Any) -> Any:
    if key in ("SS", "BS") and isinstance(value, list):
        return sorted(value)
    if key == "NS" and isinstance(value, list):
        return sorted(Decimal(one) for one in value)
    if key == "N" and isinstance(value, str):
        return Decimal(value)
    return _normal(value)


def items_of(subject: Subject, index: str | None = None) -> list[Any]:
    """All items, in the order of their keys: no two stores hash alike."""
    request: dict[str, Any] = {"TableName": TABLE}
    if index is None:
        request["ConsistentRead"] = True
    else:
        request["IndexName"] = index
    kind, answer = subject.call("Scan", request)
    assert kind == "answered", answer
    return sorted(answer["Items"], key=lambda item: (item["h"]["S"], item["r"]["N"]))


class Remote:
    """A store that is asked through boto3: moto, an emulator, or AWS's own DynamoDB Local."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def call(self, operation: str, request: Mapping[str, Any]) -> Outcome:
        try:
            return "answered", normal(self.client._make_api_call(operation, dict(request)))
        except ClientError as error:
            reasons: Any = error.response.get("CancellationReasons")
            return "refused", _refusal(error.response["Error"]["Code"], reasons)


def client_of(endpoint: str | None = None) -> Any:
    """What tells a wrong request from the answer is the store: boto3 sends it as it is, once."""
    return boto3.client(
        "dynamodb",
        region_name="eu-west-1",
        endpoint_url=endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(parameter_validation=False, retries={"total_max_attempts": 1}),
    )
