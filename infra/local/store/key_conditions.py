"""Key conditions: which part of a table or an index a query reads."""

from collections.abc import Iterator
from typing import NamedTuple

from infra.local.store import syntax
from infra.local.store.conditions import check_bounds
from infra.local.store.errors import Invalid
from infra.local.store.keys import KeyAttribute, KeySchema, refuse_empty, sort_key
from infra.local.store.scope import Scope
from infra.local.store.values import Value

Bound = tuple[str, bytes]


class KeyRange(NamedTuple):
    #: The one partition.
    hash: bytes
    #: Comparisons of the range key with bytes, all of which hold.
    bounds: tuple[Bound, ...] = ()

    def holds(self, hash_key: bytes, range_key: bytes) -> bool:
        return hash_key == self.hash and all(_holds(range_key, *bound) for bound in self.bounds)


def _holds(value: bytes, comparator: str, bound: bytes) -> bool:
    match comparator:
        case "=":
            return value == bound
        case "<":
            return value < bound
        case "<=":
            return value <= bound
        case ">":
            return value > bound
    return value >= bound


class _Part(NamedTuple):
    """One condition on one key attribute."""

    name: str
    operator: str
    operands: tuple[syntax.Operand, ...]


def key_range(condition: syntax.Condition, keys: KeySchema, scope: Scope) -> KeyRange:
    """Raises Invalid unless it is one value of the hash key and at most one condition on the range key."""
    parts = _by_name(condition, scope)
    of_hash = parts.pop(keys.hash.name, None)
    if of_hash is None:
        raise Invalid(f"Query condition missed key schema element: {keys.hash.name}")
    if of_hash.operator != "=":
        raise Invalid("Query key condition not supported")
    hash_key = sort_key(_value(of_hash.operands[0], keys.hash, scope))
    if not parts:
        return KeyRange(hash_key)
    of_range = parts.pop(keys.range.name, None) if keys.range is not None else None
    if of_range is None or keys.range is None:
        missed = keys.range.name if keys.range is not None else next(iter(parts))
        raise Invalid(f"Query condition missed key schema element: {missed}")
    if parts:
        raise Invalid("The number of conditions on the keys is invalid")
    return KeyRange(hash_key, tuple(_bounds(of_range, keys.range, scope)))


def _by_name(condition: syntax.Condition, scope: Scope) -> dict[str, _Part]:
    found: dict[str, _Part] = {}
    for part in _parts(condition, scope):
        if part.name in found:
            raise scope.invalid("KeyConditionExpressions must only contain one condition per key")
        found[part.name] = part
    return found


def _parts(condition: syntax.Condition, scope: Scope) -> Iterator[_Part]:
    match condition:
        case syntax.Conjunction(left, right):
            yield from _parts(left, scope)
            yield from _parts(right, scope)
        case syntax.Comparison(left, comparator, right):
            yield _comparison(left, comparator, right, scope)
        case syntax.Between(operand, low, high):
            check_bounds(low, high, scope)
            yield _Part(_name(operand, scope), "BETWEEN", (low, high))
        case syntax.Predicate(syntax.Call("begins_with", (operand, prefix))):
            yield _Part(_name(operand, scope), "begins_with", (prefix,))
        case _:
            raise scope.invalid(f"Invalid operator used in KeyConditionExpression: {_shown(condition)}")


_TURNED = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def _comparison(left: syntax.Operand, comparator: str, right: syntax.Operand, scope: Scope) -> _Part:
    if comparator == "<>":
        raise scope.invalid("Invalid operator used in KeyConditionExpression: <>")
    if isinstance(left, syntax.Placeholder):
        left, comparator, right = right, _TURNED[comparator], left
    return _Part(_name(left, scope), comparator, (right,))


def _shown(condition: syntax.Condition) -> str:
    match condition:
        case syntax.Disjunction():
            return "OR"
        case syntax.Negation():
            return "NOT"
        case syntax.Membership():
            return "IN"
        case syntax.Predicate(call):
            return call.function
    return type(condition).__name__


def _name(operand: syntax.Operand, scope: Scope) -> str:
    path = scope.path(operand) if isinstance(operand, syntax.Path) else ()
    if len(path) != 1:
        raise scope.invalid("KeyConditionExpressions must have a key attribute on one side")
    return str(path[0])


def _value(operand: syntax.Operand, attribute: KeyAttribute, scope: Scope) -> Value:
    if not isinstance(operand, syntax.Placeholder):
        raise scope.invalid("KeyConditionExpressions must compare a key attribute with a value")
    value = scope.value(operand)
    if attribute.kind not in value:
        raise Invalid(
            "One or more parameter values were invalid: Condition parameter type does not match schema type"
        )
    return value


def _bounds(part: _Part, attribute: KeyAttribute, scope: Scope) -> Iterator[Bound]:
    values = [_value(operand, attribute, scope) for operand in part.operands]
    match part.operator:
        case "BETWEEN":
            yield ">=", sort_key(values[0])
            yield "<=", sort_key(values[1])
        case "begins_with":
            if attribute.kind == "N":
                raise scope.invalid(
                    "Incorrect operand type for operator or function; "
                    "operator or function: begins_with, operand type: N"
                )
            prefix = sort_key(values[0])
            yield ">=", prefix
            end = _after(prefix)
            if end is not None:
                yield "<", end
        case comparator:
            refuse_empty(attribute.name, values[0])
            yield comparator, sort_key(values[0])


def _after(prefix: bytes) -> bytes | None:
    """The first bytes behind all that begin with a prefix; None where there are none."""
    stem = prefix.rstrip(b"\xff")
    return stem[:-1] + bytes([stem[-1] + 1]) if stem else None
