"""The documentation: whole, in both languages, and every line of it works."""

import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from chalicelib.api import examples, openapi
from chalicelib.api.http.problem_types import ProblemType
from chalicelib.api.pages import language, render
from chalicelib.api.pages.docs import guides, reference
from chalicelib.api.pages.docs.blocks import Code, Heading, Listing, Table
from chalicelib.api.pages.docs.problems import MEANINGS
from chalicelib.domain.language import Language
from tests.api.client import Api
from tests.api.conftest import Calls
from tests.api.contract import contract, faults

LANGUAGES = ("en", "fr")
PAGES = ["/docs", "/docs/guides/crontab", "/problems/invalid"]
#: The text of the API's page that this project began with: its lines of curl, and what each is for.
SEED = json.loads((Path(__file__).parents[1] / "data" / "first-page.json").read_text())


class Page(HTMLParser):
    """What a browser makes of it, as far as the tests ask."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.code: list[str] = []
        self.words: list[str] = []
        self._in_pre = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.ids += [str(given["id"])] if "id" in given else []
        self.links += [str(given["href"])] if tag == "a" else []
        if tag == "pre":
            self._in_pre = True
            self.code.append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_pre = self._in_pre and tag != "pre"

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if self._in_pre:
            self.code[-1] += data

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())


def page(api: Api, path: str, lang: str) -> Page:
    answer = api.get(path, key=None, lang=lang)
    assert answer.status == 200, answer.text
    return Page(answer.text)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_page_is_in_its_language_and_runs_no_script_but_its_own(
    api: Api, calls: Calls, path: str, lang: str
) -> None:
    answer = api.get(path, key=None, lang=lang)

    assert answer.headers["Content-Language"] == lang
    assert f'<html lang="{lang}"' in answer.text
    assert answer.headers["Content-Security-Policy"] == render.CONTENT_SECURITY_POLICY
    assert not re.search(r"<script(?![^>]* src=)|<style| style=| on\w+=", answer.text)
    assert calls == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_curl_line_of_the_first_page_is_there_word_for_word(api: Api, lang: str) -> None:
    code = page(api, "/docs", lang).code

    for one in SEED["endpoints"]:
        assert one["curl"] in code


def test_what_the_first_page_says_is_there_in_its_own_words(api: Api) -> None:
    english, french = page(api, "/docs", "en").text, page(api, "/docs", "fr").text

    for one in SEED["endpoints"]:
        assert one["path"] in english
        assert one["text"] in english
    for line in (SEED["lock"], *SEED["steps"]):
        assert line in french.replace("\u00a0", " ")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_operation_is_there_with_a_lock_where_it_needs_a_key(api: Api, lang: str) -> None:
    text = api.get("/docs", key=None, lang=lang).text

    for one in reference.reference(Language(lang)).operations.values():
        section = text.partition(f'id="{one.id}"')[2].partition("</section>")[0]
        assert html.escape(one.path) in section
        assert ('class="key-badge"' in section) is (one.key == "needed"), one.id


def test_the_reference_has_every_operation_of_the_document_but_pages() -> None:
    shown = {one.path for one in reference.reference(Language.EN).operations.values()}
    paths = openapi.document()["paths"]
    there = {
        re.sub(r"\{(\w+)\}", lambda name: ":id" if name[1] == "cron_id" else f":{name[1]}", path)
        for path, operations in paths.items()
        if not all(reference._is_page(one) for one in operations.values()) and not reference._is_old(path, paths)
    }

    assert shown == there


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_links_lead_somewhere_and_anchors_are_there_once(api: Api, path: str, lang: str) -> None:
    found = page(api, path, lang)

    assert len(found.ids) == len(set(found.ids))
    for link in {*found.links}:
        if link.startswith("#"):
            assert link[1:] in found.ids, link
        elif link.startswith("."):
            target = "/" + re.sub(r"^(\.\.?/)+", "", link).partition("#")[0]
            assert api.get(target, key=None).status == 200, link


def test_every_text_of_the_api_and_of_problems_is_there_in_french(monkeypatch: pytest.MonkeyPatch) -> None:
    texts: set[str] = {text for meaning in MEANINGS.values() for text in meaning}

    def note(_language: Language, text: str) -> str:
        texts.add(text)
        return text

    monkeypatch.setattr(reference, "translated", note)
    reference._Reader(openapi.document(), Language.FR).read()

    missing = sorted(texts - set(language.french()))
    assert missing == [], "add these and their French to chalicelib/api/pages/texts/api.json"


def test_every_kind_of_problem_has_a_page_that_says_what_to_do(api: Api) -> None:
    assert {kind.slug for kind in ProblemType} == set(MEANINGS)
    for kind in ProblemType:
        for lang in LANGUAGES:
            found = page(api, f"/problems/{kind.slug}", lang)
            example = json.loads(found.code[0])
            assert str(kind.status) in found.text
            assert example["type"] == kind.url
            assert example["status"] == kind.status


def test_the_type_of_a_problem_leads_to_its_page(api: Api) -> None:
    kind = api.get("/api/crons", key=None).json["type"]

    assert kind == "http://localhost:4000/problems/unauthenticated"
    assert api.get(kind.removeprefix("http://localhost:4000"), key=None).status == 200


@pytest.mark.parametrize("path", ["/problems/none", "/docs/guides/none", "/docs/guides/crontab.en"])
def test_there_is_no_other_page(api: Api, path: str) -> None:
    assert api.get(path, key=None).status == 404


@pytest.mark.parametrize("name", examples.ANSWERS)
def test_an_answer_that_says_more_than_the_example_of_its_type_fits_its_type(name: str) -> None:
    (one,) = (
        one for methods in contract()["paths"].values() for one in methods.values() if one["operationId"] == name
    )
    good = next(answer for status, answer in one["responses"].items() if status.startswith("2"))

    assert faults(examples.ANSWERS[name], good["content"]["application/json"]["schema"]) == []


@pytest.mark.parametrize("name", guides.NAMES)
def test_a_guide_is_the_same_in_both_languages(name: str) -> None:
    english, french = guides.named(name, Language.EN), guides.named(name, Language.FR)

    assert [type(block) for block in english.body] == [type(block) for block in french.body]
    for one, other in zip(english.body, french.body, strict=True):
        if isinstance(one, Heading) and isinstance(other, Heading):
            assert (one.level, one.anchor) == (other.level, other.anchor)
            assert one.level == 3 or one.anchor
        if isinstance(one, Listing) and isinstance(other, Listing):
            assert (one.numbered, len(one.items)) == (other.numbered, len(other.items))
        if isinstance(one, Table) and isinstance(other, Table):
            assert (len(one.head), len(one.rows)) == (len(other.head), len(other.rows))
            assert {len(row) for row in (*one.rows, *other.rows)} == {len(one.head)}
        if isinstance(one, Code) and isinstance(other, Code):
            assert (one.language, _without_comments(one.text)) == (other.language, _without_comments(other.text))


def _without_comments(text: str) -> list[str]:
    return [re.sub(r"\s*(#|//) .*", "", line) for line in text.splitlines()]
