"""GetItem, BatchGetItem and BatchWriteItem."""

import sqlite3
from typing import Any

from infra.local.store import rows
from infra.local.store.capacity import Consumed, read_units
from infra.local.store.errors import Invalid
from infra.local.store.keys import Key
from infra.local.store.projections import read_projection
from infra.local.store.rows import Change
from infra.local.store.scope import Scope
from infra.local.store.tables import Answer, Request, Table, find_table
from infra.local.store.values import Item
from infra.local.store.writes import checked_key, stored_of

MOST_GETS = 100
MOST_WRITES = 25
_MOST_ANSWER_BYTES = 16 * 1024 * 1024


def get_item(connection: sqlite3.Connection, request: Request) -> Answer:
    scope = Scope(request)
    table = find_table(connection, request.get("TableName"))
    projection = read_projection(scope, request)
    scope.check_all_used()
    key, _ = checked_key(table, request["Key"])
    found = rows.load(connection, table, key)
    consumed = Consumed(request)
    consumed.add(table.name, read_units(found.size if found else 0, bool(request.get("ConsistentRead"))))
    answer = consumed.one()
    if found is not None:
        answer["Item"] = projection(found.item) if projection else found.item
    return answer


def batch_get_item(connection: sqlite3.Connection, request: Request) -> Answer:
    wanted = _request_items(request, "BatchGetItem", MOST_GETS, lambda one: len(one.get("Keys") or ()))
    consumed = Consumed(request)
    responses: dict[str, list[Item]] = {}
    unprocessed: dict[str, Any] = {}
    room = _MOST_ANSWER_BYTES
    for name, of_table in wanted.items():
        scope = Scope(of_table)
        table = find_table(connection, name)
        projection = read_projection(scope, of_table)
        scope.check_all_used()
        found, left = responses.setdefault(name, []), []
        for given, key in _keys(table, of_table.get("Keys") or []):
            stored = rows.load(connection, table, key)
            if stored is not None and stored.size > room:
                left.append(given)
                continue
            consumed.add(name, read_units(stored.size if stored else 0, bool(of_table.get("ConsistentRead"))))
            if stored is not None:
                room -= stored.size
                found.append(projection(stored.item) if projection else stored.item)
        if left:
            unprocessed[name] = {**of_table, "Keys": left}
    return {"Responses": responses, "UnprocessedKeys": unprocessed, **consumed.several()}


def _keys(table: Table, given: list[Item]) -> list[tuple[Item, Key]]:
    keys = [(one, checked_key(table, one)[0]) for one in given]
    if len({key for _, key in keys}) < len(keys):
        raise Invalid("Provided list of item keys contains duplicates")
    return keys


def batch_write_item(connection: sqlite3.Connection, request: Request) -> Answer:
    wanted = _request_items(request, "BatchWriteItem", MOST_WRITES, len)
    consumed = Consumed(request)
    changes = []
    for name, writes in wanted.items():
        table = find_table(connection, name)
        changes += [_change(connection, table, write) for write in writes]
    if len({(change.table.id, change.key) for change in changes}) < len(changes):
        raise Invalid("Provided list of item keys contains duplicates")
    for change in changes:
        change.check()
    for change in changes:
        change.write(connection, consumed)
    return {"UnprocessedItems": {}, **consumed.several()}


def _change(connection: sqlite3.Connection, table: Table, write: dict[str, Any]) -> Change:
    if len(write) != 1:
        raise Invalid("Supplied AttributeValue has more than one datatypes set")
    if "PutRequest" in write:
        after = stored_of(write["PutRequest"]["Item"])
        key = table.keys.key_of_item(after.item)
        return Change(table, key, rows.load(connection, table, key), after)
    key, _ = checked_key(table, write["DeleteRequest"]["Key"])
    return Change(table, key, rows.load(connection, table, key), None)


def _request_items(request: Request, operation: str, limit: int, count: Any) -> dict[str, Any]:
    wanted: dict[str, Any] = request.get("RequestItems") or {}
    counts = [count(one) for one in wanted.values()]
    if not counts or not all(counts):
        raise Invalid(
            "1 validation error detected: Value at 'requestItems' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1"
        )
    if sum(counts) > limit:
        raise Invalid(f"Too many items requested for the {operation} call")
    return wanted
