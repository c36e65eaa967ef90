"""Items and their index entries, as rows. An item and its entries change in one transaction."""

import sqlite3
from typing import NamedTuple

from infra.local.store.capacity import Consumed, write_units
from infra.local.store.codec import decode, encode
from infra.local.store.errors import Invalid
from infra.local.store.keys import Key, sort_key
from infra.local.store.tables import Index, Table, find_table
from infra.local.store.values import Item, kind_of, size_of_item

_FIVE_YEARS = 5 * 365 * 86400


class Stored(NamedTuple):
    item: Item
    size: int


class Entry(NamedTuple):
    key: Key
    item: Item


def load(connection: sqlite3.Connection, table: Table, key: Key) -> Stored | None:
    row = connection.execute(
        "SELECT item, size FROM items WHERE table_id = ? AND hash = ? AND range = ?", (table.id, *key)
    ).fetchone()
    return None if row is None else Stored(decode(row[0]), row[1])


class Change(NamedTuple):
    """An item that is written (after is None: deleted) in place of what was there before."""

    table: Table
    key: Key
    before: Stored | None
    after: Stored | None

    def check(self) -> None:
        """Raises Invalid where an attribute that an index is sorted by has the wrong type."""
        if self.after is not None:
            for index in self.table.indexes:
                _check_entry(index, self.after.item)

    def write(self, connection: sqlite3.Connection, consumed: Consumed) -> None:
        table, key, before, after = self
        size = max(one.size for one in (before, after, Stored({}, 0)) if one is not None)
        consumed.add(table.name, write_units(size))
        if after is not None:
            connection.execute(
                "INSERT OR REPLACE INTO items (table_id, hash, range, size, expires, item) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (table.id, *key, after.size, expiry_of(table, after.item), encode(after.item)),
            )
        elif before is not None:
            connection.execute("DELETE FROM items WHERE table_id = ? AND hash = ? AND range = ?", (table.id, *key))
        for index in table.indexes:
            self._write_entry(connection, index, consumed)

    def _write_entry(self, connection: sqlite3.Connection, index: Index, consumed: Consumed) -> None:
        before, after = (None if one is None else _entry(index, one.item) for one in (self.before, self.after))
        if before == after:
            return
        place = (self.table.id, index.position)
        if before is not None and (after is None or before.key != after.key):
            connection.execute(
                "DELETE FROM entries WHERE table_id = ? AND position = ? AND hash = ? AND range = ? "
                "AND item_hash = ? AND item_range = ?",
                (*place, *before.key, *self.key),
            )
            consumed.add(self.table.name, write_units(size_of_item(before.item)), index.name)
        if after is not None:
            size = size_of_item(after.item)
            _save_entry(connection, (*place, *after.key, *self.key), after.item)
            consumed.add(self.table.name, write_units(size), index.name)


def _save_entry(connection: sqlite3.Connection, key: tuple[int | bytes, ...], item: Item) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO entries (table_id, position, hash, range, item_hash, item_range, size, item) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (*key, size_of_item(item), encode(item)),
    )


def fill_index(connection: sqlite3.Connection, table: Table, index: Index) -> None:
    """Writes the entries of an index that was added to a table with items. Items without its keys have none."""
    rows = connection.execute("SELECT hash, range, item FROM items WHERE table_id = ?", (table.id,))
    for hash_key, range_key, raw in rows.fetchall():
        entry = _entry(index, decode(raw))
        if entry is not None:
            _save_entry(connection, (table.id, index.position, *entry.key, hash_key, range_key), entry.item)


def _entry(index: Index, item: Item) -> Entry | None:
    """What an index holds of an item: nothing where it lacks a key attribute."""
    found = [b"", b""]
    for place, attribute in enumerate(index.keys.attributes):
        value = item.get(attribute.name)
        if value is None:
            return None
        found[place] = sort_key(value)
    return Entry(Key(*found), index.projected(item))


def _check_entry(index: Index, item: Item) -> None:
    for name, kind in index.keys.attributes:
        value = item.get(name)
        if value is None:
            continue
        if kind not in value:
            raise Invalid(
                "One or more parameter values were invalid: Type mismatch for Index Key "
                f"{name} Expected: {kind} Actual: {kind_of(value)} IndexName: {index.name}"
            )
        if value[kind] in ("", b""):
            word = "string" if kind == "S" else "binary"
            raise Invalid(
                "One or more parameter values are not valid. A value specified for a secondary index key is not "
                f"supported. The AttributeValue for a key attribute cannot contain an empty {word} value. "
                f"IndexName: {index.name}, IndexKey: {name}"
            )


def expiry_of(table: Table, item: Item) -> int | None:
    """When an item expires, in seconds; None where never."""
    value = item.get(table.expires) if table.expires is not None else None
    if value is None or "N" not in value:
        return None
    seconds = float(value["N"])
    return int(seconds) if 0 < seconds < 2**53 else None


def reset_expiries(connection: sqlite3.Connection, table: Table) -> None:
    """After a table's TTL has changed: what its items then say."""
    rows = connection.execute("SELECT hash, range, item FROM items WHERE table_id = ?", (table.id,)).fetchall()
    for hash_key, range_key, raw in rows:
        connection.execute(
            "UPDATE items SET expires = ? WHERE table_id = ? AND hash = ? AND range = ?",
            (expiry_of(table, decode(raw)), table.id, hash_key, range_key),
        )


def delete_expired(connection: sqlite3.Connection, now: float, limit: int) -> int:
    """Deletes some of what has expired; returns how many. As in DynamoDB, a time over five years ago is
    taken for a mistake and left alone."""
    rows = connection.execute(
        "SELECT tables.name, items.hash, items.range FROM items JOIN tables ON tables.id = items.table_id "
        "WHERE items.expires > ? AND items.expires <= ? LIMIT ?",
        (int(now) - _FIVE_YEARS, int(now), limit),
    ).fetchall()
    for name, hash_key, range_key in rows:
        table, key = find_table(connection, name), Key(hash_key, range_key)
        Change(table, key, load(connection, table, key), None).write(connection, Consumed({}))
    return len(rows)
