"""Conditions and filters: each becomes a function that says whether an item meets it."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from infra.local.store import paths, syntax
from infra.local.store.grammar import parse_condition
from infra.local.store.scope import Scope
from infra.local.store.values import Item, Value, is_ordered, kind_of, order_of, size_function

Test: TypeAlias = Callable[[Item], bool]
Getter: TypeAlias = Callable[[Item], Value | None]

_KINDS = ("S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS")
_SETS = {"SS": "S", "NS": "N", "BS": "B"}
#: The functions that are conditions by themselves, with the number of their operands.
_PREDICATES = {
    "attribute_exists": 1,
    "attribute_not_exists": 1,
    "attribute_type": 2,
    "begins_with": 2,
    "contains": 2,
}
_ELSEWHERE = {"if_not_exists": 2, "list_append": 2}
_COMPARISONS: dict[str, Callable[[Value, Value], bool]] = {
    "=": lambda left, right: left == right,
    "<>": lambda left, right: left != right,
    "<": lambda left, right: order_of(left) < order_of(right),
    "<=": lambda left, right: order_of(left) <= order_of(right),
    ">": lambda left, right: order_of(left) > order_of(right),
    ">=": lambda left, right: order_of(left) >= order_of(right),
}


def read_test(scope: Scope, parameter: str, request: Mapping[str, Any]) -> Test | None:
    """The condition that a request has under this parameter."""
    text = scope.reading(parameter, request)
    return None if text is None else test_of(parse_condition(text, parameter), scope)


def test_of(condition: syntax.Condition, scope: Scope) -> Test:
    """Raises Invalid for what can never be evaluated, whatever the item is."""
    match condition:
        case syntax.Conjunction(left, right):
            first, second = test_of(left, scope), test_of(right, scope)
            return lambda item: first(item) and second(item)
        case syntax.Disjunction(left, right):
            first, second = test_of(left, scope), test_of(right, scope)
            return lambda item: first(item) or second(item)
        case syntax.Negation(inner):
            refused = test_of(inner, scope)
            return lambda item: not refused(item)
        case syntax.Comparison():
            return _comparison(condition, scope)
        case syntax.Between():
            return _between(condition, scope)
        case syntax.Membership():
            return _membership(condition, scope)
        case syntax.Predicate(call):
            return _predicate(call, scope)


def _comparison(condition: syntax.Comparison, scope: Scope) -> Test:
    left, comparator, right = condition
    _require_distinct(comparator, (left, right), scope)
    compare = _COMPARISONS[comparator]
    get_left, get_right = _operand(left, scope), _operand(right, scope)
    if comparator in ("=", "<>"):
        # What is not there is equal to nothing, and so different from everything.
        missing = comparator == "<>"

        def equal(item: Item) -> bool:
            one, other = get_left(item), get_right(item)
            return missing if one is None or other is None else compare(one, other)

        return equal
    _require_ordered(comparator, (left, right), scope)

    def ordered(item: Item) -> bool:
        one, other = get_left(item), get_right(item)
        return _comparable(one, other) and compare(one, other)  # type: ignore[arg-type]

    return ordered


def _comparable(one: Value | None, other: Value | None) -> bool:
    if one is None or other is None:
        return False
    return kind_of(one) == kind_of(other) and is_ordered(one)


def _between(condition: syntax.Between, scope: Scope) -> Test:
    _require_ordered("BETWEEN", condition, scope)
    check_bounds(condition.low, condition.high, scope)
    get, get_low, get_high = (_operand(operand, scope) for operand in condition)

    def between(item: Item) -> bool:
        value, low, high = get(item), get_low(item), get_high(item)
        if value is None or low is None or high is None:
            return False
        if not (_comparable(value, low) and _comparable(value, high)):
            return False
        return bool(order_of(low) <= order_of(value) <= order_of(high))

    return between


def check_bounds(low: syntax.Operand, high: syntax.Operand, scope: Scope) -> None:
    """Of two constants, the lower must come first and both be of one kind."""
    if not (isinstance(low, syntax.Placeholder) and isinstance(high, syntax.Placeholder)):
        return
    lower, upper = scope.value(low), scope.value(high)
    bounds = f"lower bound operand: {_shown(lower)}, upper bound operand: {_shown(upper)}"
    if kind_of(lower) != kind_of(upper):
        raise scope.invalid(f"The BETWEEN operator requires same data type for lower and upper bounds; {bounds}")
    if order_of(lower) > order_of(upper):
        raise scope.invalid(
            f"The BETWEEN operator requires upper bound to be greater than or equal to lower bound; {bounds}"
        )


def _shown(value: Value) -> str:
    ((kind, held),) = value.items()
    return f"AttributeValue: {{{kind}:{held}}}"


def _membership(condition: syntax.Membership, scope: Scope) -> Test:
    if len(condition.candidates) > 100:
        raise scope.invalid("Invalid IN operator: The number of operands must be between 1 and 100")
    get = _operand(condition.operand, scope)
    candidates = [_operand(candidate, scope) for candidate in condition.candidates]

    def is_one_of(item: Item) -> bool:
        value = get(item)
        return value is not None and any(candidate(item) == value for candidate in candidates)

    return is_one_of


def _operand(operand: syntax.Operand, scope: Scope) -> Getter:
    match operand:
        case syntax.Placeholder():
            value = scope.value(operand)
            return lambda _: value
        case syntax.Path():
            path = scope.path(operand)
            if len(path) == 1:
                name = path[0]
                return lambda item: item.get(name)  # type: ignore[arg-type]
            return lambda item: paths.find(item, path)
        case syntax.Call("size", arguments):
            return _size(arguments, scope)
        case syntax.Call(function):
            raise _misused(function, scope)


def _size(arguments: tuple[syntax.Operand, ...], scope: Scope) -> Getter:
    _require_count("size", arguments, 1, scope)
    (argument,) = arguments
    if isinstance(argument, syntax.Placeholder) and size_function(scope.value(argument)) is None:
        raise _wrong_type("size", scope.value(argument), scope)
    get = _operand(argument, scope)

    def size(item: Item) -> Value | None:
        value = get(item)
        found = None if value is None else size_function(value)
        return None if found is None else {"N": str(found)}

    return size


def _predicate(call: syntax.Call, scope: Scope) -> Test:
    function, arguments = call
    if function not in _PREDICATES:
        raise _misused(function, scope)
    _require_count(function, arguments, _PREDICATES[function], scope)
    _require_distinct(function, arguments, scope)
    match function:
        case "attribute_exists":
            get = _path_operand(function, arguments[0], scope)
            return lambda item: get(item) is not None
        case "attribute_not_exists":
            get = _path_operand(function, arguments[0], scope)
            return lambda item: get(item) is None
        case "attribute_type":
            return _attribute_type(arguments, scope)
        case "begins_with":
            return _begins_with(arguments, scope)
    return _contains(arguments, scope)


def _path_operand(function: str, argument: syntax.Operand, scope: Scope) -> Getter:
    if not isinstance(argument, syntax.Path):
        raise scope.invalid(f"Operator or function requires a document path; operator or function: {function}")
    return _operand(argument, scope)


def _attribute_type(arguments: tuple[syntax.Operand, ...], scope: Scope) -> Test:
    get, wanted = _operand(arguments[0], scope), arguments[1]
    value = scope.value(wanted) if isinstance(wanted, syntax.Placeholder) else None
    if value is None or "S" not in value:
        raise _wrong_type("attribute_type", value or {"M": {}}, scope)
    kind = value["S"]
    if kind not in _KINDS:
        valid = "B,NULL,SS,BOOL,L,BS,N,NS,S,M"
        raise scope.invalid(f"Invalid attribute type name found; type: {kind}, valid types: {{{valid}}}")
    return lambda item: kind in (get(item) or ())


def _begins_with(arguments: tuple[syntax.Operand, ...], scope: Scope) -> Test:
    for argument in arguments:
        if isinstance(argument, syntax.Placeholder) and kind_of(scope.value(argument)) not in ("S", "B"):
            raise _wrong_type("begins_with", scope.value(argument), scope)
    get, get_prefix = (_operand(argument, scope) for argument in arguments)

    def begins(item: Item) -> bool:
        value, prefix = get(item), get_prefix(item)
        if value is None or prefix is None or kind_of(value) != kind_of(prefix):
            return False
        kind = kind_of(value)
        return kind in ("S", "B") and value[kind].startswith(prefix[kind])

    return begins


def _contains(arguments: tuple[syntax.Operand, ...], scope: Scope) -> Test:
    get, get_part = (_operand(argument, scope) for argument in arguments)

    def contains(item: Item) -> bool:
        value, part = get(item), get_part(item)
        return value is not None and part is not None and _has(value, part)

    return contains


def _has(value: Value, part: Value) -> bool:
    kind, of_part = kind_of(value), kind_of(part)
    if kind == "L":
        return part in value["L"]
    if kind in _SETS:
        return _SETS[kind] == of_part and part[of_part] in value[kind]
    return kind == of_part and kind in ("S", "B") and part[kind] in value[kind]


def _require_distinct(name: str, operands: tuple[syntax.Operand, ...], scope: Scope) -> None:
    first, *others = operands
    if isinstance(first, syntax.Path):
        path = scope.path(first)
        if any(isinstance(other, syntax.Path) and scope.path(other) == path for other in others):
            raise scope.invalid(
                "The first operand must be distinct from the remaining operands for this operator or function; "
                f"operator: {name}, first operand: [{paths.as_text(path)}]"
            )


def _require_ordered(name: str, operands: tuple[syntax.Operand, ...], scope: Scope) -> None:
    for operand in operands:
        if isinstance(operand, syntax.Placeholder) and not is_ordered(scope.value(operand)):
            raise _wrong_type(name, scope.value(operand), scope)


def _require_count(function: str, arguments: tuple[syntax.Operand, ...], wanted: int, scope: Scope) -> None:
    if len(arguments) != wanted:
        raise scope.invalid(
            "Incorrect number of operands for operator or function; "
            f"operator or function: {function}, number of operands: {len(arguments)}"
        )


def _misused(function: str, scope: Scope) -> Exception:
    if function in _PREDICATES or function in _ELSEWHERE or function == "size":
        return scope.invalid(
            f"The function is not allowed to be used this way in an expression; function: {function}"
        )
    return scope.invalid(f"Invalid function name; function: {function}")


def _wrong_type(name: str, value: Value, scope: Scope) -> Exception:
    return scope.invalid(
        "Incorrect operand type for operator or function; "
        f"operator or function: {name}, operand type: {kind_of(value)}"
    )
