"""One curl line per operation. It works as it stands, once the words in capitals stand for something real."""

import json
import re
from shlex import quote
from typing import Any

from msgspec import Struct

from chalicelib.api import examples
from chalicelib.api.http.route import Route

BASE = "http://localhost:4000"
KEY = "ch_xxx"
SLUG = "mon-org"
_IDS = {
    examples.CRON: "ID",
    examples.OTHER_CRON: "OTHER_ID",
    examples.TOKEN: "TOKEN",
    examples.PROJECT: "PROJECT_ID",
    examples.PATHS["slug"]: SLUG,
}
#: What a path's parameter is called in a line, where it is not just its name in capitals.
_NAMES = {"slug": SLUG, "depends_on_id": "OTHER_ID"}


def curl_line(one: Route, method: str, body: type[Struct] | None, query: type[Struct] | None) -> str:
    """The line for a route and a method. The models are those of its JSON body and its query."""
    if one.handler.__name__ in examples.CURL_LINES:
        return examples.CURL_LINES[one.handler.__name__]
    parts = ["curl"]
    parameters = _required(one, query)
    if parameters:
        parts.append("-G")
    elif method == "HEAD":
        parts.append("-I")
    elif method != "GET":
        parts += ["-X", method]
    parts.append(BASE + _path(one))
    if one.action is not None and not one.public:
        parts += ["-H", f"'Authorization: Bearer {KEY}'"]
    parts += _body(one, body) if method not in ("GET", "HEAD") else []
    for name, value in parameters.items():
        parts += ["--data-urlencode", quote(f"{name}={value}")]
    return " ".join(parts)


def _path(one: Route) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: _placeholder(one, found[1]), one.path)


def _placeholder(one: Route, name: str) -> str:
    if examples.PATHS[name] == examples.CRON:
        # The id in a ping URL is all that a script needs to know, so it says whose id it is.
        return "ID" if one.action is not None else "CRON_ID"
    if name.endswith(("_id", "_file")):
        return _NAMES.get(name, name.upper())
    return SLUG if examples.PATHS[name] == examples.PATHS["slug"] else examples.PATHS[name]


def _required(one: Route, query: type[Struct] | None) -> dict[str, Any]:
    given = examples.CURL_QUERIES.get(one.handler.__name__, {})
    return _with_names(given) if query is not None else {}


def _body(one: Route, body: type[Struct] | None) -> list[str]:
    given = examples.CURL_BODIES.get(one.handler.__name__)
    if isinstance(given, str):
        return ["--data-binary", quote(given)]
    if given is None and body is not None:
        given = examples.EXAMPLES[body.__name__]
    if not given or one.takes_text:
        return []
    text = json.dumps(_with_names(given), ensure_ascii=False, separators=(",", ":"))
    return ["-H", "'Content-Type: application/json'", "-d", quote(text)]


def _with_names(given: Any) -> Any:
    """Names that a reader replaces, instead of the ids of the examples."""
    text = json.dumps(given)
    for example, name in _IDS.items():
        text = text.replace(json.dumps(example), json.dumps(name))
    return json.loads(text)
