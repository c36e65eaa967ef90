"""Lean models write and read what pynamodb's own code writes and reads."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pynamodb.attributes import (
    Attribute,
    BinaryAttribute,
    BooleanAttribute,
    JSONAttribute,
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from pynamodb.exceptions import AttributeNullError
from pynamodb.models import Model

from chalicelib.domain.times import from_ms
from chalicelib.store.lean_model import LeanModel, LeanNumberAttribute
from chalicelib.store.tables import MODELS, CronItem

_NUMBERS = st.integers(-(10**30), 10**30) | st.floats(-1e9, 1e9, allow_nan=False)
_PLAIN = st.text() | st.booleans() | _NUMBERS
_VALUES: list[tuple[type[Attribute[Any]], st.SearchStrategy[Any]]] = [
    (TTLAttribute, st.integers(0, 4 * 10**9).map(lambda seconds: from_ms(seconds * 1000))),
    (JSONAttribute, st.dictionaries(st.text(), _PLAIN, max_size=3)),
    (BinaryAttribute, st.binary()),
    (BooleanAttribute, st.booleans()),
    (UnicodeSetAttribute, st.sets(st.text(min_size=1), min_size=1, max_size=3)),
    (NumberAttribute, _NUMBERS),
    (UnicodeAttribute, st.text()),
    (MapAttribute, st.dictionaries(st.text(min_size=1), _PLAIN, max_size=3)),
]


def _values_of(attribute: Attribute[Any]) -> st.SearchStrategy[Any]:
    if isinstance(attribute, ListAttribute):
        kind = attribute.element_type
        return st.lists(_PLAIN if kind is None else _of_kind(kind), max_size=3)
    return _of_kind(type(attribute))


def _of_kind(kind: type[Attribute[Any]]) -> st.SearchStrategy[Any]:
    return next(values for base, values in _VALUES if issubclass(kind, base))


@st.composite
def items(draw: st.DrawFn) -> LeanModel:
    model = draw(st.sampled_from(MODELS))
    values = {}
    for name, attribute in model.get_attributes().items():
        if not attribute.null or draw(st.booleans()):
            values[name] = draw(_values_of(attribute))
    item = model(**values)
    assert isinstance(item, LeanModel)
    return item


@given(items())
def test_an_item_is_written_and_read_as_by_pynamodb(item: LeanModel) -> None:
    written = Model.serialize(item)
    assert item.serialize() == written
    read, expected = type(item).from_raw_data(written), Model.from_raw_data.__func__(type(item), written)  # type: ignore[attr-defined]
    assert _plain(read) == _plain(expected)


def _plain(item: LeanModel) -> dict[str, Any]:
    return {
        name: value.as_dict() if isinstance(value, MapAttribute) else value
        for name, value in item.attribute_values.items()
    }


def test_all_tables_are_lean() -> None:
    assert all(issubclass(model, LeanModel) for model in MODELS)


def test_what_is_held_is_read_as_from_the_item() -> None:
    item = CronItem("org", "cron", version=3, last_run={"i": "run"})
    held = item.held()
    assert [held.org_id, held.version, held.schedule] == ["org", 3, None]
    assert held.last_run.as_dict() == {"i": "run"}


def test_a_required_attribute_that_is_missing_is_named() -> None:
    with pytest.raises(AttributeNullError, match="created_at"):
        CronItem("org", "cron", version=1, product="", service="", name="", status="UP", today=b"").serialize()


def test_an_unknown_attribute_is_named() -> None:
    with pytest.raises(ValueError, match="colour"):
        CronItem("org", "cron", colour="red")


def test_defaults_are_kept() -> None:
    assert [one.used for one in (_Counted("a"), _Counted("a", used=3), _Counted.from_raw_data({}))] == [0, 3, 0]


class _Counted(LeanModel):
    class Meta:
        table_name = "counted"

    key = UnicodeAttribute(hash_key=True)
    used = LeanNumberAttribute(default=0)


@given(_NUMBERS)
def test_numbers_are_written_and_read_as_by_pynamodb(number: float) -> None:
    lean, full = LeanNumberAttribute(), NumberAttribute()
    assert lean.serialize(number) == full.serialize(number)
    read = lean.deserialize(full.serialize(number))
    assert (read, type(read)) == (number, type(number))
