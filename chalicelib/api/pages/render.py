"""Makes a page from a template of templates/.

A template has, besides the values that it is given: `_` and `ngettext` (texts), `language`, `root` (the relative
way to the site's root), `link(path)` to another page in the same language, `asset(name)` to a file of static/,
`alternates` (this page in each language) and `inline` (a filter for `code`, **strong** and [links](…) in a text).
"""

from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from chalice.app import Response

from chalicelib.api.http.request import Call
from chalicelib.api.pages import static
from chalicelib.api.pages.language import chosen_language, in_number, language_of, translated
from chalicelib.domain.language import Language

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
HTML = "text/html"
#: A page may hold a key: only our own scripts run in it, and it sends to nowhere else.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS = {
    "Content-Type": f"{HTML}; charset=utf-8",
    "Cache-Control": "no-cache",
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept-Language",
    "X-Content-Type-Options": "nosniff",
}


class Place(NamedTuple):
    """Where a page is, for its links."""

    #: The relative way to the site's root: the API may be anywhere, under a path as well.
    root: str
    #: The language that the address asks for.
    chosen: Language | None
    #: What else the address asks for.
    query: tuple[tuple[str, str], ...]

    def link(self, path: str) -> str:
        """To a path of the site. A language that was asked for is asked for again."""
        address, mark, fragment = path.partition("#")
        if self.chosen is not None:
            address += ("&" if "?" in address else "?") + urlencode({"lang": self.chosen.value})
        return self.root + address + mark + fragment

    def asset(self, name: str) -> str:
        return f"{self.root}static/{static.hashed_name(name)}"

    def in_language(self, language: Language) -> str:
        """The same page, relative to itself."""
        return "?" + urlencode({**dict(self.query), "lang": language.value})


def place_of(call: Call) -> Place:
    template = str(call.request.path)
    sent = str(call.request.context.get("path") or template)
    depth = template.count("/") - 1 + (sent.endswith("/") and template != "/")
    others = tuple((name, value) for name, value in call.query.items() if name != "lang")
    return Place("../" * depth or "./", chosen_language(call), others)


def page(call: Call, template: str, values: Mapping[str, Any] | None = None, status: int = 200) -> Response:
    """The template as an answer, in the language that the caller wants."""
    language = language_of(call)
    return html_response(html(template, values or {}, language, place_of(call)), language, status)


def html(template: str, values: Mapping[str, Any], language: Language, place: Place) -> str:
    common = {
        "language": language.value,
        "root": place.root,
        "link": place.link,
        "asset": place.asset,
        "alternates": {each.value: place.in_language(each) for each in Language},
    }
    return environment(language).get_template(template).render({**common, **values})


def html_response(text: str, language: Language, status: int = 200) -> Response:
    return Response(text, {**_HEADERS, "Content-Language": language.value}, status)


@cache
def environment(language: Language) -> "Environment":
    # Only who asks for a page pays for it.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from chalicelib.api.pages.markup import inline

    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_callables(  # type: ignore[attr-defined]
        partial(translated, language), partial(in_number, language), newstyle=True
    )
    made.filters["inline"] = inline
    # For a text that is no constant: `_` takes what it is given for safe.
    made.filters["said"] = partial(translated, language)
    made.filters["capitalize_first"] = _capitalize_first
    return made


def _capitalize_first(text: str) -> str:
    return text[:1].upper() + text[1:]
