"""Changes that name only some fields: what is UNSET stays as it is."""

from typing import NamedTuple, TypeVar

from msgspec import UNSET

V = TypeVar("V", bound=NamedTuple)


def changed(before: V, changes: NamedTuple) -> V:
    """`before` with the fields that `changes` sets."""
    return before._replace(**{name: value for name, value in changes._asdict().items() if value is not UNSET})
