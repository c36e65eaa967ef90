"""Attribute values, in the form in which DynamoDB's API writes them: {"S": "text"}, {"N": "1"}, …

What is stored is canonical: numbers are written in one way and sets are sorted, so that two values
are equal exactly when Python finds them equal.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeAlias

from infra.local.store import numbers
from infra.local.store.errors import Invalid, StoreError

Value: TypeAlias = dict[str, Any]
Item: TypeAlias = dict[str, Value]
Sized: TypeAlias = tuple[Value, int]

MOST_ITEM_BYTES = 400 * 1024
DEEPEST = 32
_ORDERED = ("S", "N", "B")


def checked_item(item: Item) -> tuple[Item, int]:
    """A canonical copy and its size in bytes. Raises Invalid for what DynamoDB does not store."""
    checked, size = {}, 0
    for name, value in item.items():
        checked[name], value_size = checked_value(value)
        size += bytes_of(name) + value_size
    return checked, size


def size_of_item(item: Item) -> int:
    """The size of a canonical item, as DynamoDB counts it for limits and capacity."""
    return sum(bytes_of(name) + _size_of(value) for name, value in item.items())


def checked_value(value: Value, depth: int = 0) -> Sized:
    try:
        ((kind, held),) = value.items()
    except ValueError:
        problem = "has more than one datatypes set" if value else "is empty"
        raise Invalid(
            f"Supplied AttributeValue {problem}, must contain exactly one of the supported datatypes"
        ) from None
    except AttributeError:
        raise StoreError("SerializationException", "Unexpected value type in payload") from None
    # The two kinds that nearly every attribute is of, without a call.
    if kind == "S" and type(held) is str:
        return value, bytes_of(held)
    if kind == "N" and type(held) is str:
        number = numbers.canonical(held)
        return (value if number == held else {"N": number}), numbers.size_of(number)
    if kind in ("S", "N"):
        raise _wrong_type(kind)
    check = _CHECKS.get(kind)
    if check is None:
        raise Invalid("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
    return check(held, depth)


def bytes_of(text: str) -> int:
    if text.isascii():
        return len(text)
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        raise StoreError("SerializationException", "a text must be valid Unicode") from None


def kind_of(value: Value) -> str:
    return next(iter(value))


def order_of(value: Value) -> Any:
    """What values of one kind are compared by; only for strings, numbers and binaries."""
    ((kind, held),) = value.items()
    return Decimal(held) if kind == "N" else held


def is_ordered(value: Value) -> bool:
    return kind_of(value) in _ORDERED


def size_function(value: Value) -> int | None:
    """What `size(path)` returns; None where it has none."""
    ((kind, held),) = value.items()
    if kind == "S":
        return bytes_of(held)
    return len(held) if kind in ("B", "SS", "NS", "BS", "L", "M") else None


def _wrong_type(kind: str) -> StoreError:
    return StoreError("SerializationException", f"Unexpected value type in payload for {kind}")


def _binary(held: Any, _: int) -> Sized:
    raw = _raw(held)
    return {"B": raw}, len(raw)


def _raw(held: Any) -> bytes:
    if isinstance(held, str):
        return held.encode()
    if not isinstance(held, bytes | bytearray | memoryview):
        raise _wrong_type("B")
    return bytes(held)


def _bool(held: Any, _: int) -> Sized:
    if not isinstance(held, bool):
        raise _wrong_type("BOOL")
    return {"BOOL": held}, 1


def _null(held: Any, _: int) -> Sized:
    if held is not True:
        raise Invalid(
            "One or more parameter values were invalid: Null attribute value types must have the value of true"
        )
    return {"NULL": True}, 1


def _list(held: Any, depth: int) -> Sized:
    _check_depth(depth)
    if not isinstance(held, list | tuple):
        raise _wrong_type("L")
    found = [checked_value(one, depth + 1) for one in held]
    return {"L": [value for value, _ in found]}, 3 + sum(1 + size for _, size in found)


def _map(held: Any, depth: int) -> Sized:
    _check_depth(depth)
    if not isinstance(held, dict):
        raise _wrong_type("M")
    checked, total = {}, 3
    for name, value in held.items():
        checked[name], size = checked_value(value, depth + 1)
        total += 1 + bytes_of(name) + size
    return {"M": checked}, total


def _check_depth(depth: int) -> None:
    if depth >= DEEPEST:
        raise Invalid(
            "Nesting Levels have exceeded supported limits: Attributes can be nested up to 32 levels deep"
        )


def _string_set(held: Any, _: int) -> Sized:
    found = _members(held, "SS", "string", _string_member)
    return {"SS": sorted(found)}, sum(bytes_of(one) for one in found)


def _string_member(one: Any) -> str:
    if not isinstance(one, str):
        raise _wrong_type("SS")
    if not one:
        raise Invalid(
            "One or more parameter values were invalid: An string set may not have a empty string as a member"
        )
    return one


def _number_set(held: Any, _: int) -> Sized:
    found = _members(held, "NS", "number", numbers.canonical)
    return {"NS": sorted(found, key=Decimal)}, sum(numbers.size_of(one) for one in found)


def _binary_set(held: Any, _: int) -> Sized:
    found = _members(held, "BS", "binary", _raw)
    return {"BS": sorted(found)}, sum(len(one) for one in found)


def _members(held: Any, kind: str, word: str, member: Callable[[Any], Any]) -> list[Any]:
    if not isinstance(held, list | tuple | set | frozenset):
        raise _wrong_type(kind)
    if not held:
        raise Invalid(f"One or more parameter values were invalid: An {word} set  may not be empty")
    found = [member(one) for one in held]
    if len(set(found)) < len(found):
        listed = ", ".join(str(one) for one in held)
        problem = f"Input collection [{listed}] contains duplicates."
        if kind == "BS":
            problem = f"Input collection [{listed}]of type {kind} contains duplicates."
        raise Invalid(f"One or more parameter values were invalid: {problem}")
    return found


_CHECKS: dict[str, Callable[[Any, int], Sized]] = {
    "B": _binary,
    "BOOL": _bool,
    "NULL": _null,
    "L": _list,
    "M": _map,
    "SS": _string_set,
    "NS": _number_set,
    "BS": _binary_set,
}


def _size_of(value: Value) -> int:
    ((kind, held),) = value.items()
    return _SIZES[kind](held)


_SIZES: dict[str, Callable[[Any], int]] = {
    "S": bytes_of,
    "N": numbers.size_of,
    "B": len,
    "BOOL": lambda _: 1,
    "NULL": lambda _: 1,
    "L": lambda held: 3 + sum(1 + _size_of(one) for one in held),
    "M": lambda held: 3 + sum(1 + bytes_of(name) + _size_of(one) for name, one in held.items()),
    "SS": lambda held: sum(map(bytes_of, held)),
    "NS": lambda held: sum(map(numbers.size_of, held)),
    "BS": lambda held: sum(map(len, held)),
}
