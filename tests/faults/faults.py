"""One fault, at one call of the store or of the queue."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from threading import Lock
from typing import Any
from unittest.mock import patch

from botocore.client import BaseClient
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError

# What takes messages from a queue on AWS is none of ours.
_OTHERS = ("ReceiveMessage", "DeleteMessage")
_READS = ("GetItem", "BatchGetItem", "Query")
_URL = "http://store.example.com"


class Kind(StrEnum):
    """BEFORE: it did not get there · AFTER: it took effect, its answer did not come · THROTTLED, CONFLICT:
    it was refused · LOST: it was taken and came to nothing, as a message may."""

    BEFORE = "timeout before"
    AFTER = "timeout after it took effect"
    THROTTLED = "throttled"
    CONFLICT = "conflict"
    LOST = "lost"


class Calls(list[str]):
    """Which calls were made, in words, until the end or the fault."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = Lock()
        self.is_hit = False


@contextmanager
def fault_at(number: int | None, kind: Kind = Kind.BEFORE) -> Iterator[Calls]:
    """Has the call of this number (from 0) meet a fault, and no other; None: only counts."""
    calls = Calls()
    real = BaseClient._make_api_call  # type: ignore[attr-defined]

    def call(client: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        service = client.meta.service_model.service_name
        if service not in ("dynamodb", "sqs") or operation in _OTHERS:
            return real(client, operation, parameters)
        with calls.lock:
            is_hit = len(calls) == number
            calls.append(f"{operation} {_of(parameters)}")
            calls.is_hit |= is_hit and applies(kind, operation)
        if not is_hit or not applies(kind, operation):
            return real(client, operation, parameters)
        if kind is Kind.AFTER:
            real(client, operation, parameters)
            raise ReadTimeoutError(endpoint_url=_URL)
        if kind is Kind.LOST:
            return {"MessageId": "lost", "Successful": parameters.get("Entries", [])}
        raise _refusal(kind, operation, parameters)

    with patch.object(BaseClient, "_make_api_call", call):
        yield calls


def _of(parameters: dict[str, Any]) -> str:
    """What a call is of, so that calls of one kind are known from others."""
    if "TransactItems" in parameters:
        return f"{len(parameters['TransactItems'])} items"
    return str(parameters.get("IndexName") or parameters.get("TableName") or "")


def worth_trying(calls: Calls, kind: Kind) -> list[int]:
    """The numbers of the calls that can meet this fault. Of reads that follow each other and are alike, as
    of the shards of an index, the first and the last."""
    found = []
    for number, call in enumerate(calls):
        operation = call.partition(" ")[0]
        is_alike = operation in _READS and calls[number - 1 : number] == [call] == calls[number + 1 : number + 2]
        if applies(kind, operation) and not is_alike:
            found.append(number)
    return found


def applies(kind: Kind, operation: str) -> bool:
    """Whether a call can meet this fault. To what only reads, all faults are one: it has no answer."""
    if operation in _READS:
        return kind is Kind.BEFORE
    if kind is Kind.CONFLICT:
        return operation in ("TransactWriteItems", "PutItem", "UpdateItem", "DeleteItem")
    if kind is Kind.LOST:
        return operation.startswith("SendMessage")
    return True


def _refusal(kind: Kind, operation: str, parameters: dict[str, Any]) -> Exception:
    if kind is Kind.BEFORE:
        return ConnectTimeoutError(endpoint_url=_URL)
    if operation == "TransactWriteItems":
        code = "ThrottlingError" if kind is Kind.THROTTLED else "TransactionConflict"
        reasons = [{"Code": "None"} for _ in parameters["TransactItems"]]
        reasons[-1] = {"Code": code, "Message": "as on AWS"}
        error = {"Code": "TransactionCanceledException", "Message": f"Transaction cancelled [None, {code}]"}
        answer: Any = {"Error": error, "CancellationReasons": reasons}
        return ClientError(answer, operation)
    throttled = "RequestThrottled" if "Message" in operation else "ProvisionedThroughputExceededException"
    code = throttled if kind is Kind.THROTTLED else "TransactionConflictException"
    return ClientError({"Error": {"Code": code, "Message": "as on AWS"}}, operation)
