"""The tables and their indexes, as CreateTable defines them."""

import json
import os
import re
import sqlite3
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from infra.local.store.errors import Invalid, StoreError
from infra.local.store.keys import KeyAttribute, KeySchema
from infra.local.store.values import Item

Request = Mapping[str, Any]
Answer = dict[str, Any]

ACCOUNT = "000000000000"
_KINDS = ("S", "N", "B")
_MOST_INDEXES = 20
# DynamoDB's own figure is hours old, so one that stops here is as good.
_MOST_COUNTED = 1000
_is_name = re.compile(r"[a-zA-Z0-9_.-]{3,255}").fullmatch


class Index(NamedTuple):
    name: str
    #: Its place in the table's definition.
    position: int
    keys: KeySchema
    #: Which attributes its entries hold; None: all.
    kept: frozenset[str] | None

    def projected(self, item: Item) -> Item:
        kept = self.kept
        return item if kept is None else {name: value for name, value in item.items() if name in kept}


class Table(NamedTuple):
    id: int
    name: str
    keys: KeySchema
    indexes: tuple[Index, ...]
    #: The attribute that holds when an item expires, in seconds.
    expires: str | None
    definition: dict[str, Any]

    def find_index(self, name: str) -> Index:
        for index in self.indexes:
            if index.name == name:
                return index
        raise Invalid(f"The table does not have the specified index: {name}")


def find_table(connection: sqlite3.Connection, name: Any) -> Table:
    """The table of a request. Raises ResourceNotFoundException."""
    found = _row(connection, _checked_name(name))
    if found is None:
        raise StoreError("ResourceNotFoundException", "Requested resource not found")
    return found


def _row(connection: sqlite3.Connection, name: str) -> Table | None:
    row = connection.execute("SELECT id, revision FROM tables WHERE name = ?", (name,)).fetchone()
    return None if row is None else _load(connection, name, *row)


def _load(connection: sqlite3.Connection, name: str, table_id: int, revision: int) -> Table:
    known = _known.get(name)
    if known is None or known[0] != (table_id, revision):
        row = connection.execute("SELECT definition FROM tables WHERE id = ?", (table_id,)).fetchone()
        known = (table_id, revision), _parse(table_id, name, row[0])
        _known[name] = known
    return known[1]


#: Parsed tables by name, with id and revision: another process may change a table.
_known: dict[str, tuple[tuple[int, int], Table]] = {}


def all_names(connection: sqlite3.Connection) -> list[str]:
    return [name for (name,) in connection.execute("SELECT name FROM tables ORDER BY name")]


def _parse(table_id: int, name: str, text: str) -> Table:
    definition = json.loads(text)
    kinds = {one["AttributeName"]: one["AttributeType"] for one in definition["AttributeDefinitions"]}
    keys = _key_schema(definition["KeySchema"], kinds)
    indexes = []
    for position, index in enumerate(definition.get("GlobalSecondaryIndexes", [])):
        index_keys = _key_schema(index["KeySchema"], kinds)
        indexes.append(Index(index["IndexName"], position, index_keys, _kept(index, keys, index_keys)))
    return Table(table_id, name, keys, tuple(indexes), definition.get("Expires"), definition)


def _key_schema(given: list[dict[str, str]], kinds: Mapping[str, str]) -> KeySchema:
    found = {one["KeyType"]: KeyAttribute(one["AttributeName"], kinds[one["AttributeName"]]) for one in given}
    return KeySchema(found["HASH"], found.get("RANGE"))


def _kept(index: Mapping[str, Any], keys: KeySchema, index_keys: KeySchema) -> frozenset[str] | None:
    projection = index["Projection"]
    if projection["ProjectionType"] == "ALL":
        return None
    return frozenset((*keys.names, *index_keys.names, *projection.get("NonKeyAttributes", ())))


def create_table(connection: sqlite3.Connection, request: Request, now: float) -> Answer:
    name = _checked_name(request.get("TableName"))
    if _row(connection, name) is not None:
        raise StoreError("ResourceInUseException", f"Table already exists: {name}")
    definition = _definition(request, now)
    connection.execute(
        "INSERT INTO tables (name, revision, definition) VALUES (?, ?, ?)",
        (name, _new_revision(), json.dumps(definition)),
    )
    return {"TableDescription": _description(connection, find_table(connection, name))}


def add_index(connection: sqlite3.Connection, request: Request) -> tuple[Table, Answer]:
    """Adds the index of an UpdateTable; returns the table with it. Its entries are the caller's to write."""
    table = _described(connection, request)
    updates = request.get("GlobalSecondaryIndexUpdates") or []
    if len(updates) != 1 or "Create" not in updates[0]:
        raise Invalid("UpdateTable adds one index at a time to this store, and does nothing else")
    index = {key: updates[0]["Create"][key] for key in ("IndexName", "KeySchema", "Projection")}
    definition = dict(table.definition)
    known = {one["AttributeName"]: one for one in definition["AttributeDefinitions"]}
    known.update((one["AttributeName"], one) for one in request.get("AttributeDefinitions") or [])
    _checked_schema(index["KeySchema"], {name: one["AttributeType"] for name, one in known.items()})
    indexes = [*definition["GlobalSecondaryIndexes"], index]
    _check_indexes(indexes)
    _save(
        connection,
        table,
        {**definition, "AttributeDefinitions": [*known.values()], "GlobalSecondaryIndexes": indexes},
    )
    found = find_table(connection, table.name)
    return found, {"TableDescription": _description(connection, found)}


def _save(connection: sqlite3.Connection, table: Table, definition: dict[str, Any]) -> None:
    connection.execute(
        "UPDATE tables SET revision = ?, definition = ? WHERE id = ?",
        (_new_revision(), json.dumps(definition), table.id),
    )


def describe_table(connection: sqlite3.Connection, request: Request) -> Answer:
    return {"Table": _description(connection, _described(connection, request))}


def _described(connection: sqlite3.Connection, request: Request) -> Table:
    name = _checked_name(request.get("TableName"))
    found = _row(connection, name)
    if found is None:
        raise StoreError("ResourceNotFoundException", f"Requested resource not found: Table: {name} not found")
    return found


def list_tables(connection: sqlite3.Connection, request: Request) -> Answer:
    limit = request.get("Limit") or 100
    start = request.get("ExclusiveStartTableName") or ""
    names = [name for name in all_names(connection) if name > start]
    answer: Answer = {"TableNames": names[:limit]}
    if len(names) > limit:
        answer["LastEvaluatedTableName"] = names[limit - 1]
    return answer


def delete_table(connection: sqlite3.Connection, request: Request) -> Answer:
    table = _described(connection, request)
    answer = {"TableDescription": {**_description(connection, table), "TableStatus": "DELETING"}}
    for statement in (
        "DELETE FROM items WHERE table_id = ?",
        "DELETE FROM entries WHERE table_id = ?",
        "DELETE FROM tables WHERE id = ?",
    ):
        connection.execute(statement, (table.id,))
    return answer


def describe_time_to_live(connection: sqlite3.Connection, request: Request) -> Answer:
    table = _described(connection, request)
    if table.expires is None:
        return {"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}}
    description = {"TimeToLiveStatus": "ENABLED", "AttributeName": table.expires}
    return {"TimeToLiveDescription": description}


def set_time_to_live(connection: sqlite3.Connection, request: Request) -> tuple[Table, Answer]:
    """Returns the table as it is then; its items' expiry is the caller's to set."""
    table = _described(connection, request)
    specification = request["TimeToLiveSpecification"]
    attribute = specification["AttributeName"]
    if specification["Enabled"] == (table.expires is not None):
        state = "enabled" if specification["Enabled"] else "disabled"
        raise Invalid(f"TimeToLive is already {state}")
    if not specification["Enabled"] and attribute != table.expires:
        raise Invalid(
            f"TimeToLive is active on a different AttributeName: current AttributeName is {table.expires}"
        )
    definition = {**table.definition, "Expires": attribute if specification["Enabled"] else None}
    _save(connection, table, definition)
    return find_table(connection, table.name), {"TimeToLiveSpecification": dict(specification)}


def _new_revision() -> int:
    """A random one, so that no other file's table is taken for this one."""
    return uuid.uuid4().int >> 66


def _checked_name(given: Any) -> str:
    if not isinstance(given, str):
        raise Invalid(
            "1 validation error detected: Value null at 'tableName' failed to satisfy constraint: "
            "Member must not be null"
        )
    name: str = given.rpartition("/")[2] if given.startswith("arn:") else given
    if not _is_name(name):
        raise Invalid(
            f"1 validation error detected: Value '{name}' at 'tableName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+, and be 3 to 255 characters long"
        )
    return name


def _definition(request: Request, now: float) -> dict[str, Any]:
    """What is kept of a CreateTable. Raises Invalid where its parts do not fit."""
    if request.get("LocalSecondaryIndexes"):
        raise Invalid("local secondary indexes are not known to this store")
    attributes = request.get("AttributeDefinitions") or []
    kinds = {one["AttributeName"]: one["AttributeType"] for one in attributes}
    if any(kind not in _KINDS for kind in kinds.values()):
        raise Invalid("One or more parameter values were invalid: Member must satisfy enum value set: [B, N, S]")
    indexes = request.get("GlobalSecondaryIndexes") or []
    used = _checked_schema(request.get("KeySchema") or [], kinds)
    for index in indexes:
        used |= _checked_schema(index["KeySchema"], kinds)
    if used != set(kinds):
        raise Invalid(
            "One or more parameter values were invalid: Some AttributeDefinitions are not used. "
            f"AttributeDefinitions: {sorted(kinds)}, keys used: {sorted(used)}"
        )
    _check_indexes(indexes)
    return {
        "AttributeDefinitions": attributes,
        "KeySchema": request["KeySchema"],
        "GlobalSecondaryIndexes": [
            {key: index[key] for key in ("IndexName", "KeySchema", "Projection")} for index in indexes
        ],
        "BillingMode": request.get("BillingMode", "PROVISIONED"),
        "CreatedAt": now,
        "TableId": str(uuid.uuid4()),
    }


def _checked_schema(schema: list[dict[str, str]], kinds: Mapping[str, str]) -> set[str]:
    types = [one["KeyType"] for one in schema]
    if types not in (["HASH"], ["HASH", "RANGE"]):
        raise Invalid(
            "Invalid KeySchema: The first KeySchemaElement is not a HASH key type, or the second is not RANGE"
        )
    names = {one["AttributeName"] for one in schema}
    missing = sorted(names - set(kinds))
    if missing:
        raise Invalid(
            "One or more parameter values were invalid: "
            "Some index key attributes are not defined in AttributeDefinitions. "
            f"Keys: {missing}, AttributeDefinitions: {sorted(kinds)}"
        )
    return names


def _check_indexes(indexes: list[dict[str, Any]]) -> None:
    names = [index["IndexName"] for index in indexes]
    if len(set(names)) < len(names):
        raise Invalid(f"One or more parameter values were invalid: Duplicate index name: {names}")
    if len(names) > _MOST_INDEXES:
        raise Invalid(
            "One or more parameter values were invalid: "
            f"GlobalSecondaryIndex count exceeds the per-table limit of {_MOST_INDEXES}"
        )


def _description(connection: sqlite3.Connection, table: Table) -> dict[str, Any]:
    definition = table.definition
    count, size = connection.execute(
        "SELECT count(*), coalesce(sum(size), 0) FROM (SELECT size FROM items WHERE table_id = ? LIMIT ?)",
        (table.id, _MOST_COUNTED),
    ).fetchone()
    region = os.environ.get("AWS_DEFAULT_REGION") or os.environ.get("AWS_REGION") or "us-east-1"
    arn = f"arn:aws:dynamodb:{region}:{ACCOUNT}:table/{table.name}"
    throughput = {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0, "NumberOfDecreasesToday": 0}
    described = {
        "TableName": table.name,
        "TableStatus": "ACTIVE",
        "TableArn": arn,
        "TableId": definition["TableId"],
        "KeySchema": definition["KeySchema"],
        "AttributeDefinitions": definition["AttributeDefinitions"],
        "CreationDateTime": datetime.fromtimestamp(definition["CreatedAt"], UTC),
        "ItemCount": count,
        "TableSizeBytes": size,
        "ProvisionedThroughput": throughput,
        "BillingModeSummary": {"BillingMode": definition["BillingMode"]},
    }
    indexes = [
        {**index, "IndexStatus": "ACTIVE", "IndexArn": f"{arn}/index/{index['IndexName']}"}
        for index in definition["GlobalSecondaryIndexes"]
    ]
    return {**described, "GlobalSecondaryIndexes": indexes} if indexes else described
