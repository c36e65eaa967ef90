"""The OpenAPI document as a contract: what an answer must look like."""

import json
import re
from functools import cache
from typing import Any

from openapi_schema_validator import OAS31Validator

from chalicelib.api.openapi import document
from chalicelib.api.routes import ROUTES

_LONGEST = 50_000
#: What browsers ask before a page of another site reads: no part of the documented API.
PREFLIGHTS = {f"OPTIONS {one.path}" for one in ROUTES if one.is_readable_elsewhere}


@cache
def contract() -> dict[str, Any]:
    return document()


#: Pages for people are not documented; some paths with places in them would fit theirs.
_PAGES = {one.path for one in ROUTES if one.is_page}


@cache
def _paths() -> list[tuple[re.Pattern[str], str]]:
    # The literal ones first, as the gateway has it.
    templates = sorted({*contract()["paths"], *_PAGES}, key=lambda path: path.count("{"))
    return [(re.compile(re.sub(r"\\{[a-z_]+\\}", "[^/]+", re.escape(path))), path) for path in templates]


def operation(method: str, path: str) -> dict[str, Any] | None:
    """What the document says of this request; None of a path or method that is not there."""
    target = path.partition("?")[0]
    template = next((path for pattern, path in _paths() if pattern.fullmatch(target)), None)
    found: dict[str, Any] | None = contract()["paths"].get(template or "", {}).get(method.lower())
    return found


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in part:
        found: Any = contract()
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        part = found
    return part


@cache
def _validator(schema: str) -> OAS31Validator:
    return OAS31Validator({**json.loads(schema), "components": contract()["components"]})


def faults(value: Any, schema: dict[str, Any]) -> list[str]:
    """What in `value` does not fit the schema."""
    errors = _validator(json.dumps(schema)).iter_errors(value)
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}"[:300] for error in errors]


def faults_of_answer(method: str, path: str, status: int, text: str) -> list[str]:
    """What of an answer is not as documented."""
    found = operation(method, path)
    if found is None or not text or len(text) > _LONGEST:
        return []
    if str(status) not in found["responses"]:
        return [f"{method} {path} answers {status}, which is not documented"]
    content = resolved(found["responses"][str(status)]).get("content", {})
    schema = next((content[media]["schema"] for media in content if media.endswith("json")), None)
    return faults(json.loads(text), schema) if schema and text.startswith("{") else []
