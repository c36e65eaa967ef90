"""Projections: which parts of an item an answer holds."""

from collections.abc import Callable, Mapping
from itertools import combinations
from typing import Any, TypeAlias

from infra.local.store import paths, syntax
from infra.local.store.grammar import parse_projection
from infra.local.store.paths import Path
from infra.local.store.scope import Scope
from infra.local.store.values import Item, Value

Projection: TypeAlias = Callable[[Item], Item]


def read_projection(scope: Scope, request: Mapping[str, Any]) -> Projection | None:
    text = scope.reading("ProjectionExpression", request)
    return None if text is None else projection_of(parse_projection(text), scope)


def projection_of(projection: syntax.Projection, scope: Scope) -> Projection:
    wanted = [scope.path(path) for path in projection.paths]
    for one, other in combinations(wanted, 2):
        if paths.overlap(one, other):
            raise scope.invalid(
                "Two document paths overlap with each other; must remove or rewrite one of these paths; "
                f"path one: [{paths.as_text(one)}], path two: [{paths.as_text(other)}]"
            )
    if all(len(path) == 1 for path in wanted):
        names = {path[0] for path in wanted}
        return lambda item: {name: value for name, value in item.items() if name in names}
    return lambda item: part_of(item, wanted)


def part_of(item: Item, wanted: list[Path]) -> Item:
    """What is at these paths, in the maps and lists that hold it; lists close up, in their order."""
    tree = _tree(path for path in wanted if paths.find(item, path) is not None)
    return {name: _pruned(item[name], branch) for name, branch in tree.items()}


def _tree(found: Any) -> dict[Any, Any]:
    tree: dict[Any, Any] = {}
    for path in found:
        branch = tree
        for part in path:
            branch = branch.setdefault(part, {})
    return tree


def _pruned(value: Value, branch: dict[Any, Any]) -> Value:
    if not branch:
        return value
    if "M" in value:
        return {"M": {name: _pruned(value["M"][name], rest) for name, rest in branch.items()}}
    return {"L": [_pruned(value["L"][place], branch[place]) for place in sorted(branch)]}
