"""Reads what was sent into a request type, and names every wrong field at once, such as `crons[3].schedule`.

msgspec describes the types, but its own decoder stops at the first wrong field. So this compiles, once per type, a
reader from msgspec's description of it. docs/decisions.md says why not pydantic.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple, TypeVar

import msgspec
from msgspec import Struct

from chalicelib.api.schemas import values
from chalicelib.api.schemas.values import Wrong, wrong
from chalicelib.domain.errors import FieldError, Invalid

R = TypeVar("R", bound=Struct)
#: Takes a value as it was sent, returns it as its type has it. Raises Wrong.
Reader = Callable[[Any], Any]

_MOST_ERRORS = 100
_LONGEST_NAME = 128


class Field(NamedTuple):
    #: Its name in Python: `from_` for `from`.
    attribute: str
    read: Reader
    required: bool
    nullable: bool


class Fields:
    """The reader of one type."""

    def __init__(self, by_name: dict[str, Field], make: Callable[..., Any]) -> None:
        self.by_name = by_name
        self.make = make

    def __call__(self, given: Any) -> Any:
        found, errors = self.read(given)
        if errors:
            raise Wrong(*errors)
        return self.make(**found)

    def read(self, given: Any) -> tuple[dict[str, Any], list[FieldError]]:
        """The good values by name, and what is wrong with the others."""
        if not isinstance(given, dict):
            raise wrong("must be an object")
        values: dict[str, Any] = {}
        errors: list[FieldError] = []
        for name, field in self.by_name.items():
            if name in given:
                with errors_below(name, errors):
                    values[field.attribute] = _value(field, given[name])
            elif field.required:
                errors.append(FieldError(name, "is required"))
        unknown = (name for name in given if name not in self.by_name)
        errors.extend(FieldError(_printable(name), "is not a field of this request") for name in unknown)
        return values, errors


def read(model: type[R], given: dict[str, Any], *, from_text: bool = False) -> R:
    """from_text: every value is text, as in a query. Raises Invalid with every wrong field."""
    try:
        found: R = _fields_of(model, from_text)(given)
    except Wrong as bad:
        raise Invalid(*bad.errors[:_MOST_ERRORS]) from None
    return found


def read_leniently(
    model: type[R], given: dict[str, Any], *, from_text: bool = False
) -> tuple[R, tuple[FieldError, ...]]:
    """What makes sense of it, and what was ignored. All fields of the model must be optional."""
    fields = _fields_of(model, from_text)
    found, errors = fields.read(given)
    return fields.make(**found), tuple(errors[:_MOST_ERRORS])


def _value(field: Field, value: Any) -> Any:
    if value is not None:
        return field.read(value)
    if not field.nullable:
        raise wrong("must not be null")
    return None


@contextmanager
def errors_below(path: str, errors: list[FieldError]) -> Iterator[None]:
    """Collects what is wrong, under its path."""
    try:
        yield
    except Wrong as bad:
        errors.extend(FieldError(_below(path, error.field), error.message) for error in bad.errors)


def _below(path: str, inner: str) -> str:
    return f"{path}.{inner}" if inner and not inner.startswith("[") else path + inner


def _printable(name: str) -> str:
    # The caller made up this name, and it is sent back: keep it short and clean.
    return re.sub(values.CONTROL, "\ufffd", name)[:_LONGEST_NAME]


@cache
def _fields_of(model: type[Struct], from_text: bool) -> Fields:
    described = msgspec.inspect.type_info(model)
    assert isinstance(described, msgspec.inspect.StructType)
    return _struct(described, from_text)


def _struct(described: msgspec.inspect.StructType, from_text: bool) -> Fields:
    fields = {field.encode_name: _field(field, from_text) for field in described.fields}
    return Fields(fields, described.cls)


def _field(field: msgspec.inspect.Field, from_text: bool) -> Field:
    kind, nullable = field.type, False
    if isinstance(kind, msgspec.inspect.UnionType):
        nullable = kind.includes_none
        (kind,) = (one for one in kind.types if not isinstance(one, msgspec.inspect.NoneType))
    return Field(field.name, _reader(kind, from_text), field.required, nullable)


def _reader(kind: msgspec.inspect.Type, from_text: bool) -> Reader:
    match kind:
        case msgspec.inspect.Metadata():
            return _marked(kind, from_text)
        case msgspec.inspect.StructType():
            return _struct(kind, from_text)
        case msgspec.inspect.VarTupleType():
            return _tuple(kind, from_text)
        case _:
            return _plain(kind, from_text)


def _plain(kind: msgspec.inspect.Type, from_text: bool) -> Reader:
    match kind:
        case msgspec.inspect.EnumType():
            return values.one_of(kind.cls)
        case msgspec.inspect.IntType():
            return values.whole(kind.ge, kind.le, from_text)
        case msgspec.inspect.FloatType():
            return values.decimal(kind.ge, kind.le)
        case msgspec.inspect.BoolType():
            return values.flag_text if from_text else values.flag
        case msgspec.inspect.StrType():
            return values.text(kind.max_length)
    raise TypeError(f"no request holds a {kind}")


def _marked(kind: msgspec.inspect.Metadata, from_text: bool) -> Reader:
    """A type with a check of its own (`values.checked`), or with one of the whole list besides its items'."""
    extra = kind.extra or {}
    if "check" in extra:
        check: Reader = extra["check"]
        return check
    inner = _reader(kind.type, from_text)
    also: Callable[[Any], list[FieldError]] | None = extra.get("also")
    if also is None:
        return inner

    def read_both(value: Any) -> Any:
        errors: list[FieldError] = []
        found = None
        with errors_below("", errors):
            found = inner(value)
        errors.extend(also(value))
        if errors:
            raise Wrong(*errors)
        return found

    return read_both


def _tuple(kind: msgspec.inspect.VarTupleType, from_text: bool) -> Reader:
    item, least, most = _reader(kind.item_type, from_text), kind.min_length or 0, kind.max_length

    def read_tuple(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise wrong("must be a list")
        if len(value) < least:
            raise wrong("must not be empty: leave it out, or send null")
        if most is not None and len(value) > most:
            raise wrong(f"must have at most {most} items")
        found: list[Any] = []
        errors: list[FieldError] = []
        for place, one in enumerate(value):
            with errors_below(f"[{place}]", errors):
                found.append(item(one))
        if errors:
            raise Wrong(*errors)
        return tuple(found)

    return read_tuple
