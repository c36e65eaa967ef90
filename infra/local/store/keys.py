"""Key attributes, and the bytes by which SQLite sorts them as DynamoDB does."""

from typing import NamedTuple

from infra.local.store import numbers
from infra.local.store.errors import Invalid
from infra.local.store.values import Item, Value, bytes_of, kind_of

MOST_HASH_BYTES = 2048
MOST_RANGE_BYTES = 1024


class KeyAttribute(NamedTuple):
    name: str
    #: S, N or B.
    kind: str


class Key(NamedTuple):
    """Where an item is in its table."""

    hash: bytes
    range: bytes


class KeySchema(NamedTuple):
    hash: KeyAttribute
    range: KeyAttribute | None = None

    @property
    def attributes(self) -> tuple[KeyAttribute, ...]:
        return (self.hash,) if self.range is None else (self.hash, self.range)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(attribute.name for attribute in self.attributes)

    def key_of_item(self, item: Item) -> Key:
        """The key of a whole item. Raises Invalid where it has none."""
        for name, kind in self.attributes:
            value = item.get(name)
            if value is None:
                raise Invalid(f"One or more parameter values were invalid: Missing the key {name} in the item")
            if kind not in value:
                raise Invalid(
                    "One or more parameter values were invalid: "
                    f"Type mismatch for key {name} expected: {kind} actual: {kind_of(value)}"
                )
        return self._checked(item)

    def key_of(self, given: Item) -> Key:
        """The key that a request names an item by. Raises Invalid where it is not just that."""
        if len(given) != len(self.attributes):
            raise Invalid("The provided key element does not match the schema")
        for name, kind in self.attributes:
            if name not in given or kind not in given[name]:
                raise Invalid("The provided key element does not match the schema")
        return self._checked(given)

    def attributes_of(self, item: Item) -> Item:
        return {name: item[name] for name in self.names}

    def _checked(self, item: Item) -> Key:
        found = [b"", b""]
        limits = (("hashkey", MOST_HASH_BYTES), ("range keys", MOST_RANGE_BYTES))
        for place, (name, _) in enumerate(self.attributes):
            refuse_empty(name, item[name])
            found[place] = sort_key(item[name])
            if len(found[place]) > limits[place][1]:
                raise Invalid(_too_long(*limits[place]))
        return Key(*found)


def refuse_empty(name: str, value: Value) -> None:
    ((kind, held),) = value.items()
    if held in ("", b""):
        word = "string" if kind == "S" else "binary"
        raise Invalid(
            "One or more parameter values are not valid. "
            f"The AttributeValue for a key attribute cannot contain an empty {word} value. Key: {name}"
        )


def sort_key(value: Value) -> bytes:
    """Bytes that sort as values of one kind do: strings by their UTF-8, numbers by their value."""
    ((kind, held),) = value.items()
    if kind == "S":
        bytes_of(held)
        return bytes(held, "utf-8")
    return numbers.sort_key(held) if kind == "N" else bytes(held)


def _too_long(what: str, limit: int) -> str:
    if what == "hashkey":
        return (
            "One or more parameter values were invalid: "
            f"Size of hashkey has exceeded the maximum size limit of{limit} bytes"
        )
    return (
        "One or more parameter values were invalid: "
        f"Aggregated size of all range keys has exceeded the size limit of {limit} bytes"
    )
