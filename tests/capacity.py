"""What the calls of the store cost, as the store itself says."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from botocore.client import BaseClient


@dataclass
class Consumed:
    calls: int = 0
    read: float = 0.0
    write: float = 0.0


@contextmanager
def counting() -> Iterator[Consumed]:
    """Calls of DynamoDB, and their read and write units, of every thread."""
    consumed = Consumed()
    real = BaseClient._make_api_call  # type: ignore[attr-defined]

    def count(client: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        if client.meta.service_model.service_name != "dynamodb":
            return real(client, operation, parameters)
        answer = real(client, operation, {**parameters, "ReturnConsumedCapacity": "TOTAL"})
        found = answer.get("ConsumedCapacity", [])
        units = sum(float(one.get("CapacityUnits", 0)) for one in (found if isinstance(found, list) else [found]))
        consumed.calls += 1
        if "Write" in operation or operation.startswith(("Put", "Update", "Delete")):
            consumed.write += units
        else:
            consumed.read += units
        return answer

    with patch.object(BaseClient, "_make_api_call", count):
        yield consumed
