"""Paths into an item: a name, then names of maps and places in lists."""

from typing import Any, TypeAlias

from infra.local.store.errors import Invalid
from infra.local.store.values import Item, Value

Path: TypeAlias = tuple[str | int, ...]

_NOT_THERE = "The document path provided in the update expression is invalid for update"


def find(item: Item, path: Path) -> Value | None:
    """What is at a path; None where nothing is."""
    found = item.get(path[0])  # type: ignore[arg-type]
    for part in path[1:]:
        if found is None:
            return None
        found = _step(found, part)
    return found


def _step(value: Value, part: str | int) -> Value | None:
    if isinstance(part, str):
        return value["M"].get(part) if "M" in value else None
    members = value.get("L", ())
    return members[part] if part < len(members) else None


def put(item: Item, path: Path, value: Value) -> None:
    """Sets what is at a path; its parent must be there. A place behind a list's end appends."""
    holder, last = _holder(item, path)
    if isinstance(last, int) and last >= len(holder):
        holder.append(value)
    else:
        holder[last] = value


def remove(item: Item, path: Path) -> None:
    """Removes what is at a path, if it is there; its parent must be."""
    holder, last = _holder(item, path)
    if isinstance(last, str):
        holder.pop(last, None)
    elif last < len(holder):
        del holder[last]


def _holder(item: Item, path: Path) -> tuple[Any, Any]:
    """The dict or list that holds the last part of a path."""
    if len(path) == 1:
        return item, path[0]
    parent = find(item, path[:-1])
    held = None if parent is None else parent.get("M" if isinstance(path[-1], str) else "L")
    if held is None:
        raise Invalid(_NOT_THERE)
    return held, path[-1]


def overlap(one: Path, other: Path) -> bool:
    """Whether one path is the other, or leads through it."""
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def conflict(one: Path, other: Path) -> bool:
    """Whether one path takes for a map what the other takes for a list."""
    for left, right in zip(one, other, strict=False):
        if left != right:
            return type(left) is not type(right)
    return False


def as_text(path: Path) -> str:
    return ", ".join(f"[{part}]" if isinstance(part, int) else part for part in path)
