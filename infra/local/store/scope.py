"""The names and values that come with a request's expressions, and which of them are used."""

from collections.abc import Mapping
from typing import Any

from infra.local.store import syntax
from infra.local.store.errors import Invalid
from infra.local.store.paths import Path
from infra.local.store.values import Value, checked_value

_LEGACY = (
    "Expected",
    "AttributeUpdates",
    "KeyConditions",
    "QueryFilter",
    "ScanFilter",
    "AttributesToGet",
    "ConditionalOperator",
)
_EXPRESSIONS = (
    "ConditionExpression",
    "UpdateExpression",
    "KeyConditionExpression",
    "FilterExpression",
    "ProjectionExpression",
)


class Scope:
    """`parameter` is the expression being read: errors name it."""

    def __init__(self, request: Mapping[str, Any]) -> None:
        _refuse_legacy(request)
        self._names: Mapping[str, str] = request.get("ExpressionAttributeNames") or {}
        given = request.get("ExpressionAttributeValues") or {}
        self._values: dict[str, Value] = {}
        _refuse_without_expressions(request)
        for name, value in given.items():
            if not name.startswith(":") or len(name) < 2:
                raise Invalid(f'ExpressionAttributeValues contains invalid key: Syntax error; key: "{name}"')
            try:
                self._values[name], _ = checked_value(value)
            except Invalid as error:
                raise Invalid(
                    f"ExpressionAttributeValues contains invalid value: {error.message} for key {name}"
                ) from None
        for name in self._names:
            if not name.startswith("#") or len(name) < 2:
                raise Invalid(f'ExpressionAttributeNames contains invalid key: Syntax error; key: "{name}"')
        self._unused_names = set(self._names)
        self._unused_values = set(self._values)
        self.parameter = ""

    def reading(self, parameter: str, request: Mapping[str, Any]) -> str | None:
        """The text of an expression, which is read next."""
        self.parameter = parameter
        return request.get(parameter)

    def path(self, path: syntax.Path) -> Path:
        return tuple(self._name(part) if isinstance(part, str) else part for part in path.parts)

    def value(self, placeholder: syntax.Placeholder) -> Value:
        name = placeholder.name
        self._unused_values.discard(name)
        try:
            return self._values[name]
        except KeyError:
            raise self.invalid(
                f"An expression attribute value used in expression is not defined; attribute value: {name}"
            ) from None

    def invalid(self, problem: str) -> Invalid:
        return Invalid(f"Invalid {self.parameter}: {problem}")

    def check_all_used(self) -> None:
        """Raises Invalid where a name or a value is in no expression: it is most likely a mistake."""
        for kind, unused in (("Names", self._unused_names), ("Values", self._unused_values)):
            if unused:
                keys = ", ".join(sorted(unused))
                raise Invalid(
                    f"Value provided in ExpressionAttribute{kind} unused in expressions: keys: {{{keys}}}"
                )

    def _name(self, part: str) -> str:
        if not part.startswith("#"):
            return part
        self._unused_names.discard(part)
        try:
            return self._names[part]
        except KeyError:
            raise self.invalid(
                f"An expression attribute name used in the document path is not defined; attribute name: {part}"
            ) from None


def _refuse_legacy(request: Mapping[str, Any]) -> None:
    for parameter in _LEGACY:
        if request.get(parameter):
            raise Invalid(f"{parameter} is a legacy parameter that this store does not know: use expressions")


def _refuse_without_expressions(request: Mapping[str, Any]) -> None:
    used = any(request.get(parameter) is not None for parameter in _EXPRESSIONS)
    for kind in ("Names", "Values"):
        given = request.get(f"ExpressionAttribute{kind}")
        if given is None:
            continue
        if not used:
            raise Invalid(f"ExpressionAttribute{kind} can only be specified when using expressions")
        if not given:
            raise Invalid(f"ExpressionAttribute{kind} must not be empty")
