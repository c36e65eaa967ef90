"""The API's reference, read from the OpenAPI document and put into a language.

Nothing here describes a single route: what the document does not say is not on the page.
"""

import json
import re
from collections.abc import Iterator
from functools import cache, partial
from typing import Any, NamedTuple

from chalicelib.api import openapi
from chalicelib.api.http.problem_types import BY_STATUS, ProblemType
from chalicelib.api.pages.language import translated
from chalicelib.domain.language import Language

Json = dict[str, Any]

#: The operations that a first job needs, in the order of the quick start.
FIRST_STEPS = (
    "create_org",
    "create_key",
    "register_crons",
    "start",
    "heartbeat",
    "list_crons",
    "read_cron",
    "add_dependency",
    "create_window",
    "invite",
    "ping",
    "open_start",
    "fail",
)
#: Under which a path's parameters are known to readers.
_PARAMETERS = {"cron_id": "id"}
#: What a group is called where it is not just its name.
_TITLES = {"openapi": "OpenAPI", "orgs": "Organizations", "health": "Health of CronHub"}
_METHODS = ("post", "get", "put", "patch", "delete", "head")
_WORDS = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}


class Kind(NamedTuple):
    """What a value is, such as a list of texts, or null."""

    words: str
    #: The object that it is, or holds; None for plain values.
    object_name: str | None
    values: tuple[str, ...]


class Field(NamedTuple):
    name: str
    kind: Kind
    required: bool
    description: str
    #: The limits of what it may be, such as `1–128`.
    limits: str
    default: str


class Answer(NamedTuple):
    status: int
    phrase: str
    object_name: str | None
    fields: tuple[Field, ...]
    example: str


class Operation(NamedTuple):
    id: str
    methods: tuple[str, ...]
    path: str
    summary: str
    description: str
    #: `none`, `needed`, or `optional`: it works without one, too.
    key: str
    scopes: tuple[str, ...]
    role: str
    parameters: tuple[Field, ...]
    query: tuple[Field, ...]
    body: tuple[Field, ...]
    #: What else than JSON the body may be.
    text_body: str
    curl: str
    answers: tuple[Answer, ...]
    problems: tuple[ProblemType, ...]


class Group(NamedTuple):
    name: str
    title: str
    description: str
    operations: tuple[Operation, ...]


class Object(NamedTuple):
    name: str
    description: str
    fields: tuple[Field, ...]


class Reference(NamedTuple):
    first_steps: Group
    groups: tuple[Group, ...]
    #: What stands in fields of requests and answers.
    objects: tuple[Object, ...]

    @property
    def all_groups(self) -> tuple[Group, ...]:
        return (self.first_steps, *self.groups)

    @property
    def operations(self) -> dict[str, Operation]:
        return {one.id: one for group in self.all_groups for one in group.operations}


@cache
def reference(language: Language) -> Reference:
    return _Reader(openapi.document(), language).read()


class _Reader:
    def __init__(self, document: Json, language: Language) -> None:
        self._document = document
        self._schemas: Json = document["components"]["schemas"]
        self._say = partial(translated, language)
        #: The objects that fields name, in the order in which they are met.
        self._named: dict[str, None] = {}

    def read(self) -> Reference:
        operations = {one.id: (tag, one) for tag, one in self._operations()}
        first = tuple(operations[name][1] for name in FIRST_STEPS)
        groups = tuple(self._groups(operations))
        title = self._say("First steps")
        lead = self._say("What a job needs to be watched, in the order in which you need it.")
        return Reference(Group("first-steps", title, lead, first), groups, tuple(self._objects()))

    def _operations(self) -> Iterator[tuple[str, Operation]]:
        paths = self._document["paths"]
        for path, operations in paths.items():
            if _is_old(path, paths):
                continue
            shown = {method: one for method, one in operations.items() if not _is_page(one)}
            handlers: dict[str, list[str]] = {}
            for method in _METHODS:
                if method in shown:
                    handlers.setdefault(_handler(method, shown), []).append(method)
            for name, methods in handlers.items():
                # A POST sends what a GET could; the others are named beside it.
                operation = shown[methods[0]]
                yield operation["tags"][0], self._operation(name, tuple(methods), path, operation)

    def _operation(self, name: str, methods: tuple[str, ...], path: str, found: Json) -> Operation:
        description = found["description"].rpartition("\n\n")[0]
        fields = self._parameters(found)
        return Operation(
            id=name,
            methods=tuple(method.upper() for method in methods if method != "head"),
            path=re.sub(r"\{(\w+)\}", lambda part: ":" + _PARAMETERS.get(part[1], part[1]), path),
            summary=self._say(found["summary"]),
            description=self._say(description) if description else "",
            key=_key(found["security"]),
            scopes=tuple(scope for one in found["security"] for scopes in one.values() for scope in scopes),
            role=found.get("x-lowest-role", ""),
            parameters=tuple(field for place, field in fields if place == "path"),
            query=tuple(field for place, field in fields if place == "query"),
            body=self._body(found),
            text_body=self._text_body(found),
            curl=found["x-codeSamples"][0]["source"],
            answers=tuple(self._answers(found)),
            problems=tuple(BY_STATUS[int(status)] for status in found["responses"] if int(status) in BY_STATUS),
        )

    def _parameters(self, found: Json) -> list[tuple[str, Field]]:
        return [(one["in"], self._parameter(one)) for one in found["parameters"]]

    def _parameter(self, one: Json) -> Field:
        name = str(_PARAMETERS.get(one["name"], one["name"]))
        return self._field(name, one["schema"], one["required"], one.get("description", ""))

    def _body(self, found: Json) -> tuple[Field, ...]:
        content = found.get("requestBody", {}).get("content", {}).get("application/json")
        return self._fields(_name(content["schema"])) if content else ()

    def _text_body(self, found: Json) -> str:
        body = found.get("requestBody", {})
        return self._say(body["description"]) if "description" in body else ""

    def _answers(self, found: Json) -> Iterator[Answer]:
        good = {
            _name(content["schema"])
            for status, answer in found["responses"].items()
            if int(status) < 400
            for content in answer.get("content", {}).values()
        } - {None}
        for status, answer in found["responses"].items():
            content: Json = next(iter(answer.get("content", {"": {}}).values()))
            # A problem, or what another protocol has for one.
            if int(status) >= 400 and _name(content.get("schema", {})) not in good:
                continue
            name = _name(content.get("schema", {}))
            fields = self._fields(name) if name else ()
            yield Answer(int(status), self._say(answer["description"]), name, fields, self._example(content))

    def _example(self, content: Json) -> str:
        example = content.get("examples", {}).get("example")
        if example is None:
            return str(content.get("example", ""))
        named = example.get("$ref", "").rpartition("/")[2]
        value = self._document["components"]["examples"][named]["value"] if named else example["value"]
        return json.dumps(value, ensure_ascii=False, indent=2)

    def _groups(self, operations: dict[str, tuple[str, Operation]]) -> Iterator[Group]:
        for tag in self._document["tags"]:
            members = tuple(
                one for name, (of, one) in operations.items() if of == tag["name"] and name not in FIRST_STEPS
            )
            if members:
                title = self._say(_title(tag["name"]))
                yield Group(tag["name"], title, self._say(tag["description"]), members)

    def _objects(self) -> Iterator[Object]:
        done: set[str] = set()
        while set(self._named) - done:
            for name in list(self._named):
                if name not in done:
                    done.add(name)
                    self._fields(name)  # names those within
        for name in sorted(done):
            description = self._schemas[name].get("description", "")
            yield Object(name, self._say(description) if description else "", self._fields(name))

    def _fields(self, name: str | None) -> tuple[Field, ...]:
        schema = self._schemas.get(name or "", {})
        required = schema.get("required", ())
        return tuple(
            self._field(field, shape, field in required, shape.get("description", ""))
            for field, shape in schema.get("properties", {}).items()
        )

    def _field(self, name: str, shape: Json, required: bool, description: str) -> Field:
        plain = _without_null(shape)
        default = "" if shape.get("default") is None else json.dumps(shape["default"], ensure_ascii=False)
        said = self._say(description) if description else ""
        return Field(name, self._kind(shape), required, said, _limits(plain), default)

    def _kind(self, shape: Json) -> Kind:
        plain, words = _without_null(shape), ""
        name, values = _name(plain), tuple(map(str, plain.get("enum", ())))
        if name and "enum" in self._schemas[name]:
            values, name = tuple(map(str, self._schemas[name]["enum"])), None
        if plain.get("type") == "array":
            within = self._kind(plain.get("items", {}))
            return Kind(self._say("list"), within.object_name, within.values)
        if name:
            self._named[name] = None
            words = name
        elif plain.get("format") == "date-time":
            words = self._say("date and time")
        elif not values:
            words = self._say(_WORDS.get(plain.get("type", ""), "any value"))
        is_nullable = plain is not shape and "anyOf" in shape
        return Kind(f"{words} {self._say('or null')}".strip() if is_nullable else words, name, values)


def _is_page(operation: Json) -> bool:
    """Whether people see it instead of programs: a page, or a part of one."""
    answers = operation["responses"].get("200", {}).get("content", {})
    return any(media in ("text/html", "text/*") for media in answers)


def _title(tag: str) -> str:
    return _TITLES.get(tag) or tag.replace("_", " ").capitalize()


def _is_old(path: str, paths: Json) -> bool:
    """Whether a newer version of another's protocol has the same."""
    version = re.match(r"/api/v(\d)/", path)
    return version is not None and path.replace(version[0], f"/api/v{int(version[1]) + 1}/") in paths


def _handler(method: str, operations: Json) -> str:
    """Its name. A handler of several methods is one operation each, `ping_get` and `ping_post`."""
    one = operations[method]
    name = str(one["operationId"])
    plain = name.removesuffix(f"_{method}")
    others = {other["operationId"] for other in operations.values() if other["summary"] == one["summary"]} - {name}
    return plain if others & {f"{plain}_{each}" for each in _METHODS} else name


def _key(security: list[Json]) -> str:
    if not security:
        return "none"
    return "optional" if {} in security else "needed"


def _name(schema: Json) -> str | None:
    return schema["$ref"].rpartition("/")[2] if "$ref" in schema else None


def _without_null(shape: Json) -> Json:
    kinds: list[Json] = [kind for kind in shape.get("anyOf", ()) if kind != {"type": "null"}]
    return kinds[0] if kinds else shape


def _limits(shape: Json) -> str:
    for least, most in (("minimum", "maximum"), ("minLength", "maxLength"), ("minItems", "maxItems")):
        low, high = shape.get(least), shape.get(most)
        if high is not None:
            return f"≤ {high}" if low is None else f"{low}–{high}"
        if low is not None:
            return f"≥ {low}"
    return ""
