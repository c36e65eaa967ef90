"""The documentation's pages. Loaded only when somebody reads them."""

import json
from functools import lru_cache
from typing import Any, NamedTuple

from chalice.app import Response

from chalicelib import settings
from chalicelib.api import examples
from chalicelib.api.http.problem_types import BY_SLUG, ProblemType
from chalicelib.api.http.request import Call
from chalicelib.api.pages.docs import code, guides
from chalicelib.api.pages.docs.problems import MEANINGS
from chalicelib.api.pages.docs.reference import reference
from chalicelib.api.pages.language import language_of
from chalicelib.api.pages.render import Place, html, html_response, page, place_of
from chalicelib.domain.errors import NotFound
from chalicelib.domain.language import Language

_CODE = {"shell": code.shell, "json": code.json, "with_slots": code.with_slots}
#: The fields that most lines need; the others are folded away.
_MAIN_SLOTS = ("base", "key", "slug", "cron", "other_id")


class Slot(NamedTuple):
    """A field at the top of a page that fills the lines below it."""

    name: str
    placeholder: str


def index(call: Call) -> Response:
    language, place = language_of(call), place_of(call)
    return html_response(_index(language, place._replace(query=())), language)


@lru_cache(maxsize=16)
def _index(language: Language, place: Place) -> str:
    """It is long, and the same for all who read it in one language at one place."""
    found = reference(language)
    values = {
        **_shared(),
        "reference": found,
        "slots": _slots("\n".join(one.curl for one in found.operations.values())),
        "steps": [found.operations[name] for name in ("create_org", "create_key", "register_crons", "heartbeat")],
        "guides": guides.every(language),
        "problems": list(ProblemType),
    }
    return html("docs/index.html", values, language, place)


def guide(call: Call, name: str) -> Response:
    language = language_of(call)
    found = guides.named(name, language)
    values = {
        **_shared(),
        "guide": found,
        "guides": guides.every(language),
        "slots": _slots(found.source),
    }
    return page(call, "docs/guide.html", values)


def problem(call: Call, name: str) -> Response:
    if name not in BY_SLUG:
        raise NotFound("no such path")
    values = {
        **_shared(),
        "problem": BY_SLUG[name],
        "problems": list(ProblemType),
        "example": _example(BY_SLUG[name]),
    }
    return page(call, "docs/problem.html", values)


def _shared() -> dict[str, Any]:
    return {**_CODE, "section": "docs", "main_slots": _MAIN_SLOTS, "meanings": MEANINGS}


def _example(kind: ProblemType) -> str:
    given = examples.OTHER_PROBLEMS.get(kind.slug) or examples.PROBLEMS[kind.status]
    return json.dumps({**given, "type": kind.url}, ensure_ascii=False, indent=2)


def _slots(text: str) -> list[Slot]:
    """The fields that fill something in the text, those that most need first."""
    found = {"base": settings.base_url()}
    for name, placeholder in code.slots_in(text):
        # `ID` and `CRON_ID` are the same: the shorter one is shown.
        found[name] = min(placeholder, found.get(name, placeholder), key=len)
    order = [*(name for name in _MAIN_SLOTS if name in found), *sorted(set(found) - set(_MAIN_SLOTS))]
    return [Slot(name, found[name]) for name in order]
