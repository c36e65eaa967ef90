"""Query and Scan: pages of a table or of an index, in the order of its keys."""

import sqlite3
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

from infra.local.store.capacity import Consumed, read_units
from infra.local.store.codec import decode
from infra.local.store.conditions import Test, read_test
from infra.local.store.errors import Invalid
from infra.local.store.grammar import parse_condition
from infra.local.store.key_conditions import KeyRange, key_range
from infra.local.store.keys import Key, KeySchema, sort_key
from infra.local.store.projections import Projection, read_projection
from infra.local.store.scope import Scope
from infra.local.store.tables import Answer, Index, Request, Table, find_table
from infra.local.store.values import Item, checked_item

PAGE_BYTES = 1024 * 1024

_SELECTS = ("ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES", "SPECIFIC_ATTRIBUTES", "COUNT")


class _Source(NamedTuple):
    """The table or the index that is read."""

    table: Table
    of_index: Index | None

    @property
    def keys(self) -> KeySchema:
        return self.table.keys if self.of_index is None else self.of_index.keys

    @property
    def order(self) -> tuple[str, ...]:
        """The columns that the rows are sorted by."""
        return ("hash", "range") if self.of_index is None else ("hash", "range", "item_hash", "item_range")

    def place_of(self, item: Item) -> Item:
        """The key attributes from which reading goes on."""
        names = (
            self.table.keys.names if self.of_index is None else (*self.table.keys.names, *self.of_index.keys.names)
        )
        return {name: item[name] for name in names}

    def select(self, where: str, order: str) -> str:
        columns = ", ".join(("size", "item", "hash"))
        if self.of_index is None:
            return f"SELECT {columns} FROM items WHERE table_id = ?{where} ORDER BY {order}"  # noqa: S608
        return f"SELECT {columns} FROM entries WHERE table_id = ? AND position = ?{where} ORDER BY {order}"  # noqa: S608

    @property
    def arguments(self) -> tuple[int, ...]:
        return (self.table.id,) if self.of_index is None else (self.table.id, self.of_index.position)


class _Wanted(NamedTuple):
    """What a request asks for."""

    source: _Source
    within: KeyRange | None
    test: Test | None
    projection: Projection | None
    start: tuple[bytes, ...] | None
    request: Request

    @property
    def is_forward(self) -> bool:
        return bool(self.request.get("ScanIndexForward", True))


def query(connection: sqlite3.Connection, request: Request) -> Answer:
    scope = Scope(request)
    source = _source(connection, request)
    text = scope.reading("KeyConditionExpression", request)
    if text is None:
        raise Invalid(
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."
        )
    within = key_range(parse_condition(text, "KeyConditionExpression"), source.keys, scope)
    return _page(connection, _wanted(request, scope, source, within))


def scan(connection: sqlite3.Connection, request: Request) -> Answer:
    scope = Scope(request)
    _check_segment(request)
    return _page(connection, _wanted(request, scope, _source(connection, request), None))


def _wanted(request: Request, scope: Scope, source: _Source, within: KeyRange | None) -> _Wanted:
    test = read_test(scope, "FilterExpression", request)
    projection = read_projection(scope, request)
    scope.check_all_used()
    _check_select(request, source)
    return _Wanted(source, within, test, projection, _start(request, source, within), request)


def _source(connection: sqlite3.Connection, request: Request) -> _Source:
    limit = request.get("Limit")
    if limit is not None and limit < 1:
        raise Invalid(
            f"1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint: "
            "Member must have value greater than or equal to 1"
        )
    table = find_table(connection, request.get("TableName"))
    name = request.get("IndexName")
    if name is None:
        return _Source(table, None)
    index = table.find_index(name)
    if request.get("ConsistentRead"):
        raise Invalid("Consistent reads are not supported on global secondary indexes")
    return _Source(table, index)


def _check_select(request: Request, source: _Source) -> None:
    select = request.get("Select")
    if select is None:
        return
    if select not in _SELECTS:
        raise Invalid(
            f"1 validation error detected: Value '{select}' at 'select' failed to satisfy constraint: "
            f"Member must satisfy enum value set: [{', '.join(_SELECTS)}]"
        )
    if select == "ALL_PROJECTED_ATTRIBUTES" and source.of_index is None:
        raise Invalid("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
    if select == "ALL_ATTRIBUTES" and source.of_index is not None and source.of_index.kept is not None:
        raise Invalid(
            "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported "
            f"for global secondary index {source.of_index.name} because its projection type is not ALL"
        )
    has_projection = request.get("ProjectionExpression") is not None
    if has_projection and select != "SPECIFIC_ATTRIBUTES":
        raise Invalid(f"Cannot specify the ProjectionExpression when choosing to get {select}")
    if select == "SPECIFIC_ATTRIBUTES" and not has_projection:
        raise Invalid(
            "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES"
        )


def _start(request: Request, source: _Source, within: KeyRange | None) -> tuple[bytes, ...] | None:
    """The sort columns of the row after which the page begins."""
    given = request.get("ExclusiveStartKey")
    if not given:
        return None
    item, _ = checked_item(given)
    if set(item) != set(source.keys.names) | set(source.table.keys.names):
        raise Invalid("The provided starting key is invalid")
    own = source.table.keys
    for name, kind in (*own.attributes, *source.keys.attributes):
        if kind not in item[name]:
            raise Invalid(
                "The provided starting key is invalid: The provided key element does not match the schema"
            )
    place = _key_of(source.keys, item)
    if within is not None and not within.holds(*place):
        outside = "The provided starting key is outside query boundaries based on provided conditions"
        raise Invalid(outside if place.hash == within.hash else "The provided starting key is invalid")
    return (*place,) if source.of_index is None else (*place, *_key_of(own, item))


def _key_of(keys: KeySchema, item: Item) -> Key:
    return Key(sort_key(item[keys.hash.name]), sort_key(item[keys.range.name]) if keys.range else b"")


def _check_segment(request: Request) -> None:
    segment, total = request.get("Segment"), request.get("TotalSegments")
    if (segment is None) != (total is None):
        missing = "TotalSegments" if total is None else "Segment"
        given = "Segment" if total is None else "TotalSegments"
        raise Invalid(
            f"The {missing} parameter is required but was not present in the request when {given} is given"
        )
    if segment is not None and total is not None and not 0 <= segment < total:
        raise Invalid(
            "The Segment parameter is zero-based and must be less than parameter TotalSegments: "
            f"Segment: {segment} is not less than TotalSegments: {total}"
        )


def _rows(connection: sqlite3.Connection, wanted: _Wanted) -> Iterator[tuple[int, bytes]]:
    source, columns = wanted.source, wanted.source.order
    where = ""
    arguments: list[Any] = [*source.arguments]
    if wanted.within is not None:
        where += " AND hash = ?"
        arguments.append(wanted.within.hash)
        for comparator, bound in wanted.within.bounds:
            where += f" AND range {comparator} ?"
            arguments.append(bound)
    if wanted.start is not None:
        # The hash of a query is one: to compare it again would keep SQLite from seeking to the start.
        skipped = 1 if wanted.within is not None else 0
        places = ", ".join("?" * (len(columns) - skipped))
        where += f" AND ({', '.join(columns[skipped:])}) {'>' if wanted.is_forward else '<'} ({places})"
        arguments += wanted.start[skipped:]
    direction = "" if wanted.is_forward else " DESC"
    order = ", ".join(f"{column}{direction}" for column in columns)
    segment, total = wanted.request.get("Segment"), wanted.request.get("TotalSegments")
    for size, raw, hash_key in connection.execute(source.select(where, order), arguments):
        if total is None or zlib.crc32(hash_key) % total == segment:
            yield size, raw


def _page(connection: sqlite3.Connection, wanted: _Wanted) -> Answer:
    request, source = wanted.request, wanted.source
    limit = request.get("Limit")
    items: list[Item] = []
    scanned = size = 0
    last: Item | None = None
    for row_size, raw in _rows(connection, wanted):
        item = decode(raw)
        scanned += 1
        size += row_size
        if wanted.test is None or wanted.test(item):
            items.append(item)
        if scanned == limit or size >= PAGE_BYTES:
            last = source.place_of(item)
            break
    consumed = Consumed(request)
    index = None if source.of_index is None else source.of_index.name
    consumed.add(source.table.name, read_units(size, bool(request.get("ConsistentRead"))), index)
    answer: Answer = {"Count": len(items), "ScannedCount": scanned, **consumed.one()}
    if request.get("Select") != "COUNT":
        projection = wanted.projection
        answer["Items"] = [projection(item) for item in items] if projection else items
    if last is not None:
        answer["LastEvaluatedKey"] = last
    return answer
