"""One write of one item: prepared from a request, checked against what is stored, then made.

PutItem, UpdateItem and DeleteItem are one of them; a transaction is several.
"""

import sqlite3
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

from infra.local.store import rows
from infra.local.store.capacity import Consumed
from infra.local.store.conditions import Test, read_test
from infra.local.store.errors import ConditionFailed, Invalid
from infra.local.store.grammar import parse_update
from infra.local.store.keys import Key
from infra.local.store.projections import part_of
from infra.local.store.rows import Change, Stored
from infra.local.store.scope import Scope
from infra.local.store.tables import Answer, Request, Table, find_table
from infra.local.store.updates import Update, update_of
from infra.local.store.values import MOST_ITEM_BYTES, Item, checked_item, size_of_item

After: TypeAlias = Callable[[Stored | None], Stored | None]

_OLD_OR_NONE = ("NONE", "ALL_OLD")
_OF_UPDATES = (*_OLD_OR_NONE, "UPDATED_OLD", "ALL_NEW", "UPDATED_NEW")


class Write(NamedTuple):
    table: Table
    key: Key
    test: Test | None
    #: What an item becomes. A check changes nothing.
    after: After
    shows_failed: bool
    is_check: bool = False

    def change(self, connection: sqlite3.Connection) -> Change:
        """Raises ConditionFailed or Invalid; nothing is written by then."""
        before = rows.load(connection, self.table, self.key)
        if self.test is not None and not self.test({} if before is None else before.item):
            shown = before is not None and self.shows_failed
            raise ConditionFailed(before.item if shown and before is not None else None)
        change = Change(self.table, self.key, before, self.after(before))
        change.check()
        return change


def put_item(connection: sqlite3.Connection, request: Request) -> Answer:
    _check_return_values(request, _OLD_OR_NONE, "ReturnValues can only be ALL_OLD or NONE")
    return _with_old(connection, request, prepare_put(connection, request))


def delete_item(connection: sqlite3.Connection, request: Request) -> Answer:
    _check_return_values(request, _OLD_OR_NONE, "ReturnValues can only be ALL_OLD or NONE")
    return _with_old(connection, request, prepare_delete(connection, request))


def _with_old(connection: sqlite3.Connection, request: Request, write: Write) -> Answer:
    change, consumed = _make(connection, request, write)
    answer = consumed.one()
    if change.before is not None and request.get("ReturnValues") == "ALL_OLD":
        answer["Attributes"] = change.before.item
    return answer


def update_item(connection: sqlite3.Connection, request: Request) -> Answer:
    wanted = request.get("ReturnValues") or "NONE"
    _check_return_values(request, _OF_UPDATES, f"Unknown ReturnValues: {wanted}")
    write, update = prepare_update(connection, request)
    change, consumed = _make(connection, request, write)
    answer = consumed.one()
    side = change.before if wanted.endswith("_OLD") else change.after
    if wanted == "NONE" or side is None:
        return answer
    found = side.item if wanted.startswith("ALL") else part_of(side.item, list(update.paths))
    if found:
        answer["Attributes"] = found
    return answer


def _make(connection: sqlite3.Connection, request: Request, write: Write) -> tuple[Change, Consumed]:
    consumed = Consumed(request)
    change = write.change(connection)
    change.write(connection, consumed)
    return change, consumed


def _check_return_values(request: Request, allowed: tuple[str, ...], message: str) -> None:
    if (request.get("ReturnValues") or "NONE") not in allowed:
        raise Invalid(message)


def prepare_put(connection: sqlite3.Connection, request: Request) -> Write:
    scope = Scope(request)
    table = find_table(connection, request.get("TableName"))
    test = read_test(scope, "ConditionExpression", request)
    scope.check_all_used()
    stored = stored_of(request["Item"])
    key = table.keys.key_of_item(stored.item)
    return Write(table, key, test, lambda _: stored, _shows_failed(request))


def stored_of(item: Item) -> Stored:
    """An item that is to be put. Raises Invalid for one that DynamoDB does not store."""
    checked, size = checked_item(item)
    if size > MOST_ITEM_BYTES:
        raise Invalid("Item size has exceeded the maximum allowed size")
    return Stored(checked, size)


def prepare_delete(connection: sqlite3.Connection, request: Request) -> Write:
    return _prepare_by_key(connection, request, lambda _: None)


def prepare_check(connection: sqlite3.Connection, request: Request) -> Write:
    write = _prepare_by_key(connection, request, lambda before: before)
    if write.test is None:
        raise Invalid("The expression can not be empty;")
    return write._replace(is_check=True)


def _prepare_by_key(connection: sqlite3.Connection, request: Request, after: After) -> Write:
    scope = Scope(request)
    table = find_table(connection, request.get("TableName"))
    test = read_test(scope, "ConditionExpression", request)
    scope.check_all_used()
    key, _ = checked_key(table, request["Key"])
    return Write(table, key, test, after, _shows_failed(request))


def prepare_update(connection: sqlite3.Connection, request: Request) -> tuple[Write, Update]:
    scope = Scope(request)
    table = find_table(connection, request.get("TableName"))
    text = scope.reading("UpdateExpression", request)
    update = Update(()) if text is None else update_of(parse_update(text), scope)
    test = read_test(scope, "ConditionExpression", request)
    scope.check_all_used()
    _refuse_key_changes(table, update)
    key, named = checked_key(table, request["Key"])
    return Write(table, key, test, _updated(update, named), _shows_failed(request)), update


def checked_key(table: Table, given: Item) -> tuple[Key, Item]:
    named, _ = checked_item(given)
    return table.keys.key_of(named), named


def _updated(update: Update, named: Item) -> After:
    def after(before: Stored | None) -> Stored:
        item = update.apply(named if before is None else before.item)
        size = size_of_item(item)
        if size > MOST_ITEM_BYTES:
            raise Invalid("Item size to update has exceeded the maximum allowed size")
        return Stored(item, size)

    return after


def _refuse_key_changes(table: Table, update: Update) -> None:
    for path in update.paths:
        if path[0] in table.keys.names:
            raise Invalid(
                "One or more parameter values were invalid: "
                f"Cannot update attribute {path[0]}. This attribute is part of the key"
            )


def _shows_failed(request: Mapping[str, Any]) -> bool:
    return request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
