"""What holds for every page: headers, language, addresses, and that every text is there in French too."""

import json
import re
from typing import Any

import pytest
from chalice.app import Request

from chalicelib.api.http.request import Call
from chalicelib.api.pages import language, render
from chalicelib.api.pages.language import language_of
from chalicelib.api.pages.markup import inline
from chalicelib.domain.language import Language
from chalicelib.domain.times import from_ms

_TEMPLATES = sorted(path.relative_to(render.TEMPLATES).as_posix() for path in render.TEMPLATES.rglob("*.html"))


def call(path: str = "/docs", headers: dict[str, str] | None = None, **query: str) -> Call:
    event: dict[str, Any] = {
        "requestContext": {"resourcePath": path, "httpMethod": "GET"},
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()} or None,
        "headers": headers or {},
        "pathParameters": None,
        "body": None,
        "isBase64Encoded": False,
        "stageVariables": None,
    }
    return Call(Request(event), from_ms(0))


@pytest.mark.parametrize(
    ("asked", "accepted", "expected"),
    [
        ("", "", "en"),
        ("fr", "en", "fr"),
        ("FR", "", "fr"),
        ("en", "fr", "en"),
        ("de", "fr", "fr"),
        ("", "fr-CH, fr;q=0.9, en;q=0.8, *;q=0.5", "fr"),
        ("", "en;q=0.5, fr;q=0.8", "fr"),
        ("", "de, fr;q=0.2, en;q=0.1", "fr"),
        ("", "fr;q=0, en;q=0.1", "en"),
        ("", "fr;q=0", "en"),
        ("", "de", "en"),
        ("", "fr;q=rubbish, en;q=0.1", "en"),
        ("", "french, , ;q=1", "en"),
    ],
)
def test_a_page_is_in_the_language_that_is_asked_for_else_liked_most(
    asked: str, accepted: str, expected: str
) -> None:
    assert language_of(call(headers={"accept-language": accepted}, lang=asked)) == expected


def test_a_page_runs_no_script_but_its_own_and_is_kept_per_language() -> None:
    answer = render.page(call(lang="fr"), "base.html")

    policy = str(answer.headers["Content-Security-Policy"])
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Vary"] == "Accept-Language"
    assert answer.headers["Content-Language"] == "fr"
    assert '<html lang="fr"' in answer.body
    assert not re.search(r"<script(?![^>]* src=)|<style| style=| on\w+=", answer.body)


def test_a_page_links_to_itself_in_the_other_language() -> None:
    body = render.page(call(lang="fr", search="a&b"), "base.html").body

    assert '<link rel="alternate" hreflang="en" href="?search=a%26b&amp;lang=en">' in body
    assert '<link rel="alternate" hreflang="fr"' in body


@pytest.mark.parametrize(
    ("path", "root"),
    [("/", "./"), ("/docs", "./"), ("/crons/{cron_id}", "../"), ("/docs/guides/{guide}", "../../")],
)
def test_addresses_are_relative(path: str, root: str) -> None:
    body = render.page(call(path), "base.html").body

    assert render.place_of(call(path)).root == root
    assert not re.findall(r'(?:href|src)="(?!\.\.?/|\?|#)[^"]*"', body)


def test_links_keep_a_language_that_was_asked_for() -> None:
    assert 'href="./docs?lang=fr"' in render.page(call(lang="fr"), "base.html").body
    assert 'href="./docs"' in render.page(call(headers={"accept-language": "fr"}), "base.html").body


def test_markup_in_a_text_is_escaped_but_for_its_marks() -> None:
    assert inline("a `b<c` **d** [e `f`](#g) <h>") == (
        'a <code>b&lt;c</code> <strong>d</strong> <a href="#g">e <code>f</code></a> &lt;h&gt;'
    )


@pytest.mark.parametrize("template", _TEMPLATES)
def test_every_text_of_a_template_is_there_in_french(template: str) -> None:
    environment = render.environment(Language.EN)
    source = (render.TEMPLATES / template).read_text()
    texts: set[str] = set()
    for _, _, found in environment.extract_translations(source):  # type: ignore[attr-defined]
        texts |= {found} if isinstance(found, str) else {text for text in found or () if text}

    assert sorted(texts - set(language.french())) == [], "add them to chalicelib/api/pages/texts/"


def test_texts_are_clean_and_have_the_same_slots_in_both_languages() -> None:
    seen: dict[str, str] = {}
    for file in sorted(language.TEXTS.glob("*.json")):
        for english, french in json.loads(file.read_text()).items():
            assert english.strip() == english, (file.name, english)
            assert french.strip() == french != "", (file.name, english)
            assert seen.setdefault(english, french) == french, (file.name, english)
            assert sorted(re.findall(r"%\(\w+\)s", english)) == sorted(re.findall(r"%\(\w+\)s", french)), english
            assert sorted(re.findall("`[^`]+`", english)) == sorted(re.findall("`[^`]+`", french)), english
