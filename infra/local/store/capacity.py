"""What a request consumes, counted as DynamoDB counts it."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

_READ_BYTES = 4096
_WRITE_BYTES = 1024


def read_units(size: int, consistent: bool) -> float:
    units = max(1, -(-size // _READ_BYTES))
    return float(units) if consistent else units / 2


def write_units(size: int) -> float:
    return float(max(1, -(-size // _WRITE_BYTES)))


class Consumed:
    """Units by table and index. factor: 2 in transactions, which read or write everything twice."""

    def __init__(self, request: Mapping[str, Any], factor: int = 1) -> None:
        self._wanted = request.get("ReturnConsumedCapacity") or "NONE"
        self._factor = factor
        self._units: dict[str, dict[str | None, float]] = defaultdict(lambda: defaultdict(float))

    def add(self, table: str, units: float, index: str | None = None) -> None:
        self._units[table][index] += units * self._factor

    def one(self) -> dict[str, Any]:
        """The member of an answer about a single table; empty where it was not asked for."""
        found = self._all()
        return {"ConsumedCapacity": found[0]} if found else {}

    def several(self, kind: str | None = None) -> dict[str, Any]:
        """kind: Read or Write, in transactions, whose answers name it."""
        found = self._all()
        if kind is not None:
            for one in found:
                one[f"{kind}CapacityUnits"] = one["CapacityUnits"]
        return {"ConsumedCapacity": found} if found else {}

    def _all(self) -> list[dict[str, Any]]:
        if self._wanted == "NONE":
            return []
        return [self._of_table(table, units) for table, units in self._units.items()]

    def _of_table(self, table: str, units: Mapping[str | None, float]) -> dict[str, Any]:
        found: dict[str, Any] = {"TableName": table, "CapacityUnits": sum(units.values())}
        if self._wanted == "INDEXES":
            found["Table"] = {"CapacityUnits": units.get(None, 0.0)}
            indexes = {index: {"CapacityUnits": one} for index, one in units.items() if index is not None}
            if indexes:
                found["GlobalSecondaryIndexes"] = indexes
        return found
