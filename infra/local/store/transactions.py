"""TransactWriteItems and TransactGetItems: all of it, or nothing."""

import hashlib
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

import msgpack

from infra.local.store import rows
from infra.local.store.capacity import Consumed, read_units, write_units
from infra.local.store.errors import Cancelled, ConditionFailed, Invalid, Reason, StoreError
from infra.local.store.projections import read_projection
from infra.local.store.rows import Change
from infra.local.store.scope import Scope
from infra.local.store.tables import Answer, Request, find_table
from infra.local.store.writes import (
    Write,
    checked_key,
    prepare_check,
    prepare_delete,
    prepare_put,
    prepare_update,
)

MOST_ITEMS = 100
MOST_BYTES = 4 * 1024 * 1024
TOKEN_SECONDS = 600

_PREPARE: Mapping[str, Callable[[sqlite3.Connection, Request], Write]] = {
    "Put": prepare_put,
    "Delete": prepare_delete,
    "ConditionCheck": prepare_check,
    "Update": lambda connection, request: prepare_update(connection, request)[0],
}


def transact_write_items(connection: sqlite3.Connection, request: Request, now: float) -> Answer:
    consumed = Consumed(request, factor=2)
    writes = [_prepare(connection, item) for item in _checked_items(request)]
    if len({(write.table.id, write.key) for write in writes}) < len(writes):
        raise Invalid("Transaction request cannot include multiple operations on one item")
    if _is_repeated(connection, request, now):
        return consumed.several("Write")
    changes = _changes(connection, writes)
    if sum(change.after.size for change in changes if change.after is not None) > MOST_BYTES:
        raise Invalid("Collection size of items in the transaction exceeds 4 MB")
    for write, change in zip(writes, changes, strict=True):
        if write.is_check:
            consumed.add(write.table.name, write_units(change.after.size if change.after else 0))
        else:
            change.write(connection, consumed)
    _remember(connection, request, now)
    return consumed.several("Write")


def _checked_items(request: Request) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = request.get("TransactItems") or []
    if not 1 <= len(items) <= MOST_ITEMS:
        bound = "less than or equal to 100" if items else "greater than or equal to 1"
        raise Invalid(
            "1 validation error detected: Value at 'transactItems' failed to satisfy constraint: "
            f"Member must have length {bound}"
        )
    return items


def _prepare(connection: sqlite3.Connection, item: Mapping[str, Any]) -> Write:
    if len(item) != 1:
        raise Invalid("TransactItems can only contain one of Check, Put, Update or Delete")
    ((kind, request),) = item.items()
    if kind not in _PREPARE:
        raise Invalid(f"TransactItems cannot contain {kind}")
    return _PREPARE[kind](connection, request)


def _changes(connection: sqlite3.Connection, writes: list[Write]) -> list[Change]:
    """All changes, of which none is made yet. Raises Cancelled with a reason for each item."""
    changes, reasons = [], list[Reason]()
    for write in writes:
        try:
            changes.append(write.change(connection))
            reasons.append({"Code": "None"})
        except ConditionFailed as error:
            reasons.append({"Code": "ConditionalCheckFailed", "Message": error.message, **error.details})  # type: ignore[typeddict-item]
        except Invalid as error:
            reasons.append({"Code": "ValidationError", "Message": error.message})
    if len(changes) < len(writes):
        raise Cancelled(reasons)
    return changes


def _is_repeated(connection: sqlite3.Connection, request: Request, now: float) -> bool:
    """Whether this very request was carried out within the last ten minutes."""
    token = request.get("ClientRequestToken")
    if not token:
        return False
    row = connection.execute("SELECT digest, used_at FROM tokens WHERE token = ?", (token,)).fetchone()
    if row is None or row[1] < now - TOKEN_SECONDS:
        return False
    if row[0] != _digest(request):
        raise StoreError(
            "IdempotentParameterMismatchException",
            "Request parameters do not match the previous request with the same ClientRequestToken",
        )
    return True


def _remember(connection: sqlite3.Connection, request: Request, now: float) -> None:
    token = request.get("ClientRequestToken")
    if token:
        connection.execute(
            "INSERT OR REPLACE INTO tokens (token, digest, used_at) VALUES (?, ?, ?)",
            (token, _digest(request), now),
        )


def _digest(request: Request) -> bytes:
    return hashlib.sha256(msgpack.packb(request["TransactItems"])).digest()


def forget_tokens(connection: sqlite3.Connection, now: float) -> None:
    connection.execute("DELETE FROM tokens WHERE used_at < ?", (now - TOKEN_SECONDS,))


def transact_get_items(connection: sqlite3.Connection, request: Request) -> Answer:
    consumed = Consumed(request, factor=2)
    seen, responses = set(), []
    for entry in _checked_items(request):
        get = entry["Get"]
        scope = Scope(get)
        table = find_table(connection, get.get("TableName"))
        projection = read_projection(scope, get)
        scope.check_all_used()
        key, _ = checked_key(table, get["Key"])
        if (table.id, key) in seen:
            raise Invalid("Transaction request cannot include multiple operations on one item")
        seen.add((table.id, key))
        found = rows.load(connection, table, key)
        consumed.add(table.name, read_units(found.size if found else 0, consistent=True))
        item = None if found is None else projection(found.item) if projection else found.item
        responses.append({} if item is None else {"Item": item})
    return {"Responses": responses, **consumed.several("Read")}
