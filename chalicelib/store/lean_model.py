"""pynamodb's models, at a price that follows what an item holds and not what it could hold.

A cron's item may have 60 attributes and has about 20. pynamodb looks at all 60 whenever it makes, reads or
writes one, which took a third of a ping.
"""

import json
from collections.abc import Mapping
from functools import cache
from types import SimpleNamespace
from typing import Any, Self, cast

from pynamodb.attributes import Attribute, NumberAttribute
from pynamodb.constants import NULL
from pynamodb.models import Model

Stored = Mapping[str, dict[str, Any]]


class LeanModel(Model):
    def _set_defaults(self, _user_instantiated: bool = True) -> None:
        if _has_defaults(type(self)):
            super()._set_defaults(_user_instantiated)

    def _set_attributes(self, **attributes: Any) -> None:
        if not attributes.keys() <= self.get_attributes().keys():
            # It says which one is unknown.
            super()._set_attributes(**attributes)
        for name, value in attributes.items():
            if value is not None:
                self._put(name, value)

    def _put(self, name: str, value: Any) -> None:
        if isinstance(value, dict):
            # Maps become objects.
            setattr(self, name, value)
        else:
            self.attribute_values[name] = value

    def serialize(self, null_check: bool = True) -> dict[str, dict[str, Any]]:
        held = {name: value for name, value in self.attribute_values.items() if value is not None}
        if not null_check or not _required(type(self)) <= held.keys():
            # It says which one is missing.
            return super().serialize(null_check)
        attributes = self.get_attributes()
        found = ((attributes[name], attributes[name].serialize(value)) for name, value in held.items())
        return {one.attr_name: {one.attr_type: value} for one, value in found if value is not None}

    def held(self) -> Self:
        """Its values, to be read only: much faster than through the attributes."""
        return cast(Self, SimpleNamespace(**(_no_values(type(self)) | self.attribute_values)))

    @classmethod
    def from_raw_data(cls, data: Stored) -> Self:
        item, known = cls(_user_instantiated=False), _by_stored_name(cls)
        for stored_name, value in data.items():
            found = known.get(stored_name)
            if found is not None and value and NULL not in value:
                name, attribute = found
                item._put(name, attribute.deserialize(attribute.get_value(value)))
        return item


class LeanNumberAttribute(NumberAttribute):
    """Whole numbers, which nearly all are, without JSON."""

    def serialize(self, value: float) -> str:
        return str(value) if type(value) is int else json.dumps(value)

    def deserialize(self, value: str) -> float:
        try:
            return int(value)
        except ValueError:
            return float(json.loads(value))


@cache
def _has_defaults(model: type[Model]) -> bool:
    return any(
        one.default is not None or one.default_for_new is not None for one in model.get_attributes().values()
    )


@cache
def _no_values(model: type[Model]) -> dict[str, None]:
    return dict.fromkeys(model.get_attributes())


@cache
def _required(model: type[Model]) -> frozenset[str]:
    return frozenset(name for name, one in model.get_attributes().items() if not one.null)


@cache
def _by_stored_name(model: type[Model]) -> dict[str, tuple[str, Attribute[Any]]]:
    return {one.attr_name: (name, one) for name, one in model.get_attributes().items()}
