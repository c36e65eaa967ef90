"""The OpenAPI 3.1 document, made from the declared routes and their types.

Nothing here describes a single route. Summaries are docstrings of handlers, descriptions of fields are the `#:`
comments above them, and examples are those of `examples.py`. Loaded only when somebody asks for the document.
"""

import ast
import inspect
import json
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from http import HTTPStatus
from types import UnionType
from typing import Any, Union, get_args, get_origin

import msgspec
from chalice.app import Response
from msgspec import Struct

from chalicelib.api import examples
from chalicelib.api.curl import curl_line
from chalicelib.api.http.answers import NoContent, WithStatus
from chalicelib.api.http.request import Lenient
from chalicelib.api.http.route import Route
from chalicelib.api.routes import ROUTES as ALL_ROUTES
from chalicelib.api.schemas.problems import Problem
from chalicelib.api.schemas.values import Request, SignalRequest
from chalicelib.domain.accounts.permissions import Action, Role, Scope, may

Json = dict[str, Any]

VERSION = "0.2.0"
#: Pages for people are no part of it.
ROUTES = [one for one in ALL_ROUTES if not one.is_page]
_KEY = "key"
_REF = "#/components/schemas/{name}"
_PROBLEM = "application/problem+json"
_INTRODUCTION = """\
CronHub watches scheduled jobs. Jobs signal that they start, succeed and fail; CronHub alerts people when one does
not.

Requests and answers are JSON. Errors are problem details (RFC 9457) that name every wrong field at once. Times are
ISO 8601 in UTC. Lists take `limit` and `cursor`, and answer `next_cursor`, which is null at the end.

A request names its key as `Authorization: Bearer ch_…`. What belongs to another organization is 404, never 403.
Signals are never refused for their form: optional parts that make no sense are ignored and named in `ignored`."""


def as_text() -> str:
    return json.dumps(document(), ensure_ascii=False, indent=2) + "\n"


def document() -> Json:
    paths: Json = {}
    for one in ROUTES:
        for method in one.methods:
            paths.setdefault(one.path, {})[method.lower()] = _operation(one, method)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "CronHub",
            "version": VERSION,
            "description": _INTRODUCTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "security": [],
        "tags": _tags(),
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "examples": {name: {"value": value} for name, value in sorted(examples.EXAMPLES.items())},
            "responses": {str(status): _problem(status) for status in examples.PROBLEMS},
            "securitySchemes": {_KEY: _SECURITY_SCHEME},
        },
    }


_SECURITY_SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "ch_ and 40 letters and digits",
    "description": "An API key. The names required of it are its scopes: full, ingest or read.",
}


def _tags() -> list[Json]:
    modules = dict.fromkeys(one.handler.__module__ for one in ROUTES)
    return [
        {"name": _tag(module), "description": (sys.modules[module].__doc__ or "").partition("\n")[0]}
        for module in modules
    ]


def _tag(module: str) -> str:
    return module.rpartition(".")[2]


def _operation(one: Route, method: str) -> Json:
    summary, _, description = (inspect.getdoc(one.handler) or "").partition("\n\n")
    found = {
        "operationId": one.name + ("" if len(one.methods) == 1 else f"_{method.lower()}"),
        "tags": [_tag(one.handler.__module__)],
        "summary": summary,
        "description": "\n\n".join(part for part in (" ".join(description.split()), _needs(one)) if part),
        "security": _security(one),
        **({"x-lowest-role": _lowest_role(one.action)} if one.action is not None else {}),
        "parameters": [*_path_parameters(one), *_query_parameters(one)],
        "responses": _responses(one),
        # How Redoc, Scalar and others name what a reader copies.
        "x-codeSamples": [{"lang": "Shell", "label": "curl", "source": _curl_line(one, method)}],
    }
    body = _request_body(one) if method not in ("GET", "HEAD") else None
    return {**found, **({"requestBody": body} if body else {})}


def _curl_line(one: Route, method: str) -> str:
    return curl_line(one, method, _model(one.parameter("body")), _model(one.parameter("query")))


def _needs(one: Route) -> str:
    if one.action is None:
        return "Needs no key." if one.dialect is None else "Needs no key where the path names a cron's id."
    scopes, role = _scopes(one.action), _lowest_role(one.action)
    place = "" if one.dialect is None else f" It stands in {one.dialect.key_place}."
    return f"Needs a key of scope {' or '.join(scopes)}, of role {role} or higher.{place}"


def _scopes(action: Action) -> list[str]:
    return [scope.value for scope in Scope if may(Role.OWNER, scope, action)]


def _lowest_role(action: Action) -> str:
    return [role.value for role in Role if may(role, Scope.FULL, action)][-1]


def _security(one: Route) -> list[Json]:
    keyed: list[Json] = [] if one.action is None else [{_KEY: [scope]} for scope in _scopes(one.action)]
    return [{}, *keyed] if one.public and keyed else keyed


def _path_parameters(one: Route) -> Iterator[Json]:
    for name in one.handler.__annotations__:
        if f"{{{name}}}" in one.path:
            schema = {"type": "string"}
            example = examples.PATHS[name]
            yield {"name": name, "in": "path", "required": True, "schema": schema, "example": example}


def _query_parameters(one: Route) -> Iterator[Json]:
    model = _model(one.parameter("query"))
    if model is None:
        return
    schema, given = _schemas()[model.__name__], examples.EXAMPLES[model.__name__]
    for name, described in schema["properties"].items():
        plain = _without_null(described)
        more = {"description": plain.pop("description")} if "description" in plain else {}
        example = {"example": given[name]} if name in given else {}
        required = name in schema.get("required", ())
        yield {"name": name, "in": "query", "required": required, **more, "schema": plain, **example}


def _without_null(schema: Json) -> Json:
    """In a query nothing is null."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    plain = {name: value for name, value in schema.items() if name != "anyOf" and value is not None}
    return {**plain, **(kinds[0] if len(kinds) == 1 else {})}


def _request_body(one: Route) -> Json | None:
    if one.takes_text:
        content: Json = {"*/*": {"schema": {"type": "string"}, "example": examples.OUTPUT}}
        return {"description": "Any text, such as the job's output.", "required": False, "content": content}
    if one.accepts is not None:
        return {"required": False, "content": {one.accepts: {"schema": {}}}}
    kind = one.parameter("body")
    model = _model(kind)
    if model is None:
        return None
    content = {"application/json": _content(model)}
    if get_origin(kind) is Lenient and "message" in model.__struct_fields__:
        content["text/plain"] = {"schema": {"type": "string"}, "example": examples.OUTPUT}
    required = bool(_schemas()[model.__name__].get("required"))
    return {"required": required, "content": content}


def _model(kind: Any) -> type[Struct] | None:
    found: type[Struct] | None = get_args(kind)[0] if get_origin(kind) is Lenient else kind
    return found


def _content(model: type[Struct], answer: Json | None = None) -> Json:
    example = {"$ref": f"#/components/examples/{model.__name__}"} if answer is None else {"value": answer}
    return {"schema": _ref(model), "examples": {"example": example}}


def _ref(model: type[Struct]) -> Json:
    return {"$ref": _REF.format(name=model.__name__)}


def _responses(one: Route) -> Json:
    found = dict(_answers(one))
    for status in sorted(_problem_statuses(one)):
        found.setdefault(str(status), _failure(one, status))
    return dict(sorted(found.items()))


def _answers(one: Route) -> Iterator[tuple[str, Json]]:
    for kind in _alternatives(one.handler.__annotations__["return"]):
        if kind is NoContent:
            yield "204", {"description": "Done."}
        elif kind is Response:
            media = one.produces or "text/html"
            for status in one.successes:
                yield str(status), {"description": HTTPStatus(status).phrase, "content": {media: {"schema": {}}}}
        else:
            generic = get_origin(kind)
            is_other = generic is not None and issubclass(generic, WithStatus)
            status = generic.status if is_other else HTTPStatus.OK.value
            model = get_args(kind)[0] if is_other else kind
            described = {
                "description": HTTPStatus(status).phrase,
                "content": {"application/json": _content(model, examples.ANSWERS.get(one.handler.__name__))},
            }
            yield str(status), described


def _alternatives(kind: Any) -> list[Any]:
    """The alternatives of an answer; a page for browsers beside JSON goes without saying."""
    kinds = list(get_args(kind)) if get_origin(kind) in (Union, UnionType) else [kind]
    return [one for one in kinds if one is not Response] or kinds


def _problem_statuses(one: Route) -> set[int]:
    """What follows from a route's key, parameters, body and limit; and what it names itself."""
    body, query = one.parameter("body"), one.parameter("query")
    found = {500, 503, *one.problems}
    if one.dialect is not None:
        found |= {400, 401, 403, 429}
        found |= {413, 415} if one.accepts else set()
    if one.action is not None:
        found |= {401, 403}
    if "{" in one.path:
        found.add(404)
    if one.limit is not None:
        found.add(429)
    if body is not None and get_origin(body) is not Lenient:
        found |= {400, 413, 415, 422}
    if query is not None and get_origin(query) is not Lenient:
        found.add(422)
    return found


def _failure(one: Route, status: int) -> Json:
    if one.dialect is None:
        return {"$ref": f"#/components/responses/{status}"}
    # Another monitor's clients read errors in their own form.
    model = one.dialect.model
    content = {"schema": {}} if model is None else _content(model)
    return {"description": HTTPStatus(status).phrase, "content": {one.dialect.media: content}}


def _problem(status: int) -> Json:
    found: Json = {
        "description": examples.PROBLEMS[status]["title"],
        "content": {_PROBLEM: {"schema": _ref(Problem), "example": examples.PROBLEMS[status]}},
    }
    if status in (429, 503):
        seconds = {"description": "After how many seconds to try again.", "schema": {"type": "integer"}}
        found["headers"] = {"Retry-After": seconds}
    return found


@cache
def _schemas() -> Json:
    """The schemas of all models by name, with descriptions."""
    models = list(dict.fromkeys(_all_models()))
    _, found = msgspec.json.schema_components(models, ref_template=_REF)
    for schema in found.values():
        if "enum" in schema:
            # Its docstring speaks to who reads the code.
            schema.pop("description", None)
    for model in _with_parts(models):
        _describe(model, found[model.__name__])
    return dict(sorted(found.items()))


def _all_models() -> Iterator[type[Struct]]:
    yield Problem
    yield from {one.dialect.model for one in ROUTES if one.dialect is not None and one.dialect.model is not None}
    for one in ROUTES:
        for name in ("body", "query"):
            model = _model(one.parameter(name))
            if model is not None:
                yield model
        for kind in _alternatives(one.handler.__annotations__["return"]):
            for model in (kind, *get_args(kind)):
                if isinstance(model, type) and issubclass(model, Struct):
                    yield model


def _with_parts(models: list[type[Struct]]) -> set[type[Struct]]:
    """The models, and those that stand in their fields."""
    found: set[type[Struct]] = set()
    waiting = list(models)
    while waiting:
        model = waiting.pop()
        if model in found:
            continue
        found.add(model)
        for field in msgspec.structs.fields(model):
            waiting += _structs_in(field.type)
    return found


def _structs_in(kind: Any) -> list[type[Struct]]:
    if isinstance(kind, type) and issubclass(kind, Struct):
        return [kind]
    return [model for part in get_args(kind) for model in _structs_in(part)]


def _describe(model: type[Struct], schema: Json) -> None:
    if issubclass(model, Request | SignalRequest):
        schema["additionalProperties"] = issubclass(model, SignalRequest)
    if not schema["required"]:
        del schema["required"]
    if "__doc__" not in vars(model) or not model.__doc__:
        schema.pop("description", None)
    described = _descriptions(model)
    for field in msgspec.structs.fields(model):
        shape = schema["properties"][field.encode_name]
        if field.name in described:
            shape = schema["properties"][field.encode_name] = {"description": described[field.name], **shape}
        if shape.get("default") is None:
            shape.pop("default", None)
        elif isinstance(shape["default"], tuple):
            shape["default"] = list(shape["default"])


def _descriptions(model: type[Struct]) -> Mapping[str, str]:
    """The `#:` comments above the fields of a model and of those that it extends."""
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if base.__module__.startswith("chalicelib."):
            found |= _comments(base.__module__).get(base.__name__, {})
    return found


@cache
def _comments(module: str) -> dict[str, dict[str, str]]:
    source = inspect.getsource(sys.modules[module])
    lines = source.splitlines()
    return {
        node.name: {
            field.target.id: comment
            for field in node.body
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
            if (comment := _comment_above(lines, field.lineno - 1))
        }
        for node in ast.parse(source).body
        if isinstance(node, ast.ClassDef)
    }


def _comment_above(lines: list[str], place: int) -> str:
    found: list[str] = []
    while place and lines[place - 1].strip().startswith("#:"):
        place -= 1
        found.insert(0, lines[place].strip().removeprefix("#:").strip())
    return " ".join(found)


if __name__ == "__main__":
    sys.stdout.write(as_text())
