"""On a French page nothing stays English: every text that can be read or heard is looked at."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest

from chalicelib.api.pages.docs.guides import NAMES
from chalicelib.api.pages.language import french
from tests.api.browser import Browser
from tests.api.client import Api, Clock
from tests.api.test_signed_in_pages import filled, read_pages

#: What is typed into machines is the same in every language.
_OF_MACHINES = {"code", "pre", "kbd", "script", "style"}
_HEARD = ("title", "aria-label", "placeholder", "alt", "data-label", "data-done", "data-one", "data-many")
_VOID = {"meta", "link", "input", "br", "hr", "img", "circle", "path", "rect", "line", "wbr"}
#: Small words that no French sentence holds, and every English one does.
_ENGLISH = re.compile(
    r"\b(the|of|and|is|are|was|were|been|not|no|with|from|this|that|your|you|it|its|has|have|will|when|who|all|any"
    r"|every|ago|new|next|last|runs?|time|days?|hours?|minutes? past|seconds|up|down|by|to)\b",
    re.IGNORECASE,
)
#: Names, and words that French has as well.
_ALLOWED = re.compile(r"New Relic|New Yorker|up and running|\bminutes?\b", re.IGNORECASE)


class _Texts(HTMLParser):
    """Every text of a page outside what machines read, and the language it says it is in."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        is_other = (
            tag in _OF_MACHINES or values.get("lang") == "en" or "mono" in (values.get("class") or "").split()
        )
        if not is_other and not self._is_other:
            self.found += [values[name] or "" for name in _HEARD if name in values]
        if tag not in _VOID:
            self._open.append((tag, is_other))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if data.strip() and not self._is_other:
            self.found.append(" ".join(data.split()))

    @property
    def _is_other(self) -> bool:
        return any(is_other for _, is_other in self._open)


def english_in(html: str, typed: tuple[str, ...] = ()) -> list[str]:
    parser = _Texts()
    parser.feed(html)
    return sorted({text for text in parser.found if text not in typed and is_english(text)})


def is_english(text: str) -> bool:
    translation = french().get(text)
    return (translation is not None and translation != text) or bool(
        _ENGLISH.search(_ALLOWED.sub("", _plain(text)))
    )


@pytest.mark.parametrize("text", ["just now", "in 5 min, the next run", "Every day", "Sign out", "down for 3 h"])
def test_english_is_found(text: str) -> None:
    assert english_in(f"<p>{text}</p>") == [text]
    assert english_in(f'<button aria-label="{text}">x</button>') == [text]
    assert english_in(f"<p><code>{text}</code><i lang=en>{text}</i></p>") == []


def test_french_is_not_taken_for_english() -> None:
    # Texts of one word may be the same in both.
    wrong = [text for text in french().values() if " " in text and _ENGLISH.search(_ALLOWED.sub("", _plain(text)))]

    assert wrong == []


def _plain(text: str) -> str:
    """Without what a text quotes: code, addresses, names of slots."""
    return re.sub(r"`[^`]*`|%\(\w+\)s|\{\w+\}|https?://\S+|@\w+|\*\*", "", text)


def test_no_page_of_somebody_signed_in_holds_english(api: Api, clock: Clock, browser: Browser) -> None:
    ids = filled(api, clock)
    found = {}
    for path in [*read_pages(ids), *_more(ids)]:
        page = browser.get(path + ("&" if "?" in path else "?") + "lang=fr")
        found[path] = english_in(page.text)

    assert {path: texts for path, texts in found.items() if texts} == {}


def _more(ids: dict[str, str]) -> Iterator[str]:
    yield from ("/incidents?status=all", "/channels?add=slack", "/channels?add=email", "/?search=zzz")
    yield f"/crons/{ids['cron_id']}?done=saved"


def test_no_page_for_everybody_holds_english(api: Api) -> None:
    paths = ["/", "/signin", "/signin/once", "/invites/accept", "/no/such/page"]
    paths += [f"/docs/guides/{name}" for name in NAMES]
    found = {path: english_in(_page(api, path)) for path in paths}

    assert {path: texts for path, texts in found.items() if texts} == {}


def _page(api: Api, path: str) -> str:
    return api.get(f"{path}?lang=fr", key=None, headers={"Accept": "text/html"}).text
