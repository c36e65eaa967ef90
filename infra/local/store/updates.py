"""Update expressions: each becomes a function from the item before to the item after."""

import copy
from collections.abc import Callable
from itertools import combinations
from typing import NamedTuple, TypeAlias

from infra.local.store import numbers, paths, syntax
from infra.local.store.errors import Invalid
from infra.local.store.paths import Path
from infra.local.store.scope import Scope
from infra.local.store.values import Item, Value, kind_of

Getter: TypeAlias = Callable[[Item], Value]

_SETS = ("SS", "NS", "BS")
_WRONG_TYPE = "An operand in the update expression has an incorrect data type"
_MISSING = "The provided expression refers to an attribute that does not exist in the item"
_TYPE_NAMES = {
    "S": "STRING",
    "N": "NUMBER",
    "B": "BINARY",
    "BOOL": "BOOLEAN",
    "NULL": "NULL",
    "L": "LIST",
    "M": "MAP",
    "SS": "STRING_SET",
    "NS": "NUMBER_SET",
    "BS": "BINARY_SET",
}


class Change(NamedTuple):
    """`apply(item, before)` changes the item; all values are of the item as it was before."""

    path: Path
    apply: Callable[[Item, Item], None]


class Update(NamedTuple):
    changes: tuple[Change, ...]

    @property
    def paths(self) -> tuple[Path, ...]:
        return tuple(change.path for change in self.changes)

    def apply(self, before: Item) -> Item:
        is_flat = all(len(change.path) == 1 for change in self.changes)
        after = dict(before) if is_flat else copy.deepcopy(before)
        for change in self.changes:
            change.apply(after, before)
        return after


def update_of(update: syntax.Update, scope: Scope) -> Update:
    """Raises Invalid for what can never be applied, whatever the item is."""
    sets: list[Change] = []
    removals: list[Change] = []
    others: list[Change] = []
    for section in update.sections:
        for action in section.actions:
            change = _change(action, scope)
            kind = removals if section.keyword == "REMOVE" else sets if section.keyword == "SET" else others
            kind.append(change)
    _refuse_overlaps([change.path for change in (*sets, *removals, *others)], scope)
    # Of a list, the last places are removed first: each place means one in the item as it was.
    removals.sort(key=lambda change: [part for part in change.path if isinstance(part, int)], reverse=True)
    return Update((*sets, *others, *removals))


def _refuse_overlaps(found: list[Path], scope: Scope) -> None:
    for one, other in combinations(found, 2):
        fault = "overlap" if paths.overlap(one, other) else "conflict" if paths.conflict(one, other) else None
        if fault is not None:
            raise scope.invalid(
                f"Two document paths {fault} with each other; must remove or rewrite one of these paths; "
                f"path one: [{paths.as_text(one)}], path two: [{paths.as_text(other)}]"
            )


def _change(action: syntax.Action, scope: Scope) -> Change:
    path = scope.path(action.path)
    match action:
        case syntax.Assignment(_, value):
            get = _value(value, scope)
            return Change(path, lambda item, before: paths.put(item, path, get(before)))
        case syntax.Removal():
            return Change(path, lambda item, _: paths.remove(item, path))
        case syntax.Addition(_, value):
            return _addition(path, scope.value(value), scope)
        case syntax.Deletion(_, value):
            return _deletion(path, scope.value(value), scope)


def _value(value: syntax.Operand | syntax.Sum, scope: Scope) -> Getter:
    match value:
        case syntax.Placeholder():
            constant = scope.value(value)
            return lambda _: constant
        case syntax.Path():
            return _of_path(scope.path(value))
        case syntax.Sum():
            return _sum(value, scope)
        case syntax.Call("if_not_exists", arguments):
            return _if_not_exists(arguments, scope)
        case syntax.Call("list_append", arguments):
            return _list_append(arguments, scope)
        case syntax.Call(function):
            raise _misused(function, scope)


def _of_path(path: Path) -> Getter:
    def get(before: Item) -> Value:
        found = paths.find(before, path)
        if found is None:
            raise Invalid(_MISSING)
        return found

    return get


def _sum(value: syntax.Sum, scope: Scope) -> Getter:
    for operand in (value.left, value.right):
        _require_kind(value.sign, operand, "N", scope)
    compute = numbers.plus if value.sign == "+" else numbers.minus
    get_left, get_right = _value(value.left, scope), _value(value.right, scope)

    def get(before: Item) -> Value:
        left, right = get_left(before), get_right(before)
        if "N" not in left or "N" not in right:
            raise Invalid(_WRONG_TYPE)
        return {"N": compute(left["N"], right["N"])}

    return get


def _if_not_exists(arguments: tuple[syntax.Operand, ...], scope: Scope) -> Getter:
    _require_two("if_not_exists", arguments, scope)
    first, second = arguments
    if not isinstance(first, syntax.Path):
        raise scope.invalid("Operator or function requires a document path; operator or function: if_not_exists")
    path, otherwise = scope.path(first), _value(second, scope)

    def get(before: Item) -> Value:
        found = paths.find(before, path)
        return otherwise(before) if found is None else found

    return get


def _list_append(arguments: tuple[syntax.Operand, ...], scope: Scope) -> Getter:
    _require_two("list_append", arguments, scope)
    for argument in arguments:
        _require_kind("list_append", argument, "L", scope)
    get_first, get_second = (_value(argument, scope) for argument in arguments)

    def get(before: Item) -> Value:
        first, second = get_first(before), get_second(before)
        if "L" not in first or "L" not in second:
            raise Invalid(_WRONG_TYPE)
        return {"L": [*first["L"], *second["L"]]}

    return get


def _addition(path: Path, value: Value, scope: Scope) -> Change:
    kind = kind_of(value)
    if kind != "N" and kind not in _SETS:
        raise _wrong_operand("ADD", value, scope)

    def add(item: Item, before: Item) -> None:
        found = paths.find(before, path)
        if found is None:
            paths.put(item, path, value)
        elif kind_of(found) != kind:
            raise Invalid(_WRONG_TYPE)
        elif kind == "N":
            paths.put(item, path, {"N": numbers.plus(found["N"], value["N"])})
        else:
            members = {*found[kind], *value[kind]}
            paths.put(item, path, {kind: sorted_members(kind, members)})

    return Change(path, add)


def _deletion(path: Path, value: Value, scope: Scope) -> Change:
    kind = kind_of(value)
    if kind not in _SETS:
        raise _wrong_operand("DELETE", value, scope)

    def delete(item: Item, before: Item) -> None:
        found = paths.find(before, path)
        if found is None:
            # Nothing goes, but the way to it must be there.
            return paths.remove(item, path)
        if kind_of(found) != kind:
            raise Invalid(_WRONG_TYPE)
        left = set(found[kind]) - set(value[kind])
        if not left:
            return paths.remove(item, path)
        return paths.put(item, path, {kind: sorted_members(kind, left)})

    return Change(path, delete)


def sorted_members(kind: str, members: set[str]) -> list[str]:
    return sorted(members, key=numbers.sort_key) if kind == "NS" else sorted(members)


def _require_two(function: str, arguments: tuple[syntax.Operand, ...], scope: Scope) -> None:
    if len(arguments) != 2:
        raise scope.invalid(
            "Incorrect number of operands for operator or function; "
            f"operator or function: {function}, number of operands: {len(arguments)}"
        )


def _require_kind(name: str, operand: syntax.Operand, kind: str, scope: Scope) -> None:
    if isinstance(operand, syntax.Placeholder) and kind_of(scope.value(operand)) != kind:
        found = kind_of(scope.value(operand))
        raise scope.invalid(
            f"Incorrect operand type for operator or function; operator or function: {name}, operand type: {found}"
        )


def _wrong_operand(name: str, value: Value, scope: Scope) -> Exception:
    return scope.invalid(
        "Incorrect operand type for operator or function; "
        f"operator: {name}, operand type: {_TYPE_NAMES[kind_of(value)]}, "
        f"typeSet: ALLOWED_FOR_{name}_OPERAND"
    )


def _misused(function: str, scope: Scope) -> Exception:
    known = ("attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains", "size")
    if function in known:
        return scope.invalid(
            f"The function is not allowed to be used this way in an expression; function: {function}"
        )
    return scope.invalid(f"Invalid function name; function: {function}")
