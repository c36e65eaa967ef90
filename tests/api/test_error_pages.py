"""Errors as people see them in a browser, and what browsers and search engines ask for."""

import pytest

from chalicelib.api.pages import errors, render
from chalicelib.api.pages.language import french
from chalicelib.services import public_page
from tests.api.client import Answer, Api

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def browse(api: Api, path: str, **headers: str) -> Answer:
    return api.get(path, key=None, headers={**BROWSER, **headers})


def test_a_page_that_is_not_there_is_a_page(api: Api) -> None:
    answer = browse(api, "/status/nothing")

    assert answer.status == 404
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "<h1>Page not found</h1>" in answer.text
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert 'href="../"' in answer.text


@pytest.mark.parametrize("path", ["/nothing", "/no/such", "/no/such/page"])
def test_a_mistyped_address_is_a_page_though_a_route_of_pings_takes_it(api: Api, path: str) -> None:
    answer = browse(api, path)

    assert (answer.status, answer.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert "<h1>Page not found</h1>" in answer.text
    assert f'href="{"../" * (path.count("/") - 1) or "./"}"' in answer.text
    assert api.get(path, key=None).headers["Content-Type"] == "application/problem+json"
    assert api.post(path, {}, key=None, headers=BROWSER).headers["Content-Type"] == "application/problem+json"


def test_it_is_in_the_readers_language(api: Api) -> None:
    assert "<h1>Page introuvable</h1>" in browse(api, "/status/nothing", **{"Accept-Language": "fr"}).text
    words = [part for words in (*errors._WORDS.values(), errors._FAILED) for part in words]
    assert [part for part in words if part not in french()] == []


def test_others_get_a_problem(api: Api) -> None:
    answer = api.get("/status/nothing", key=None)
    of_api = browse(api, "/api/crons/nothing")

    assert answer.headers["Content-Type"] == "application/problem+json"
    assert of_api.headers["Content-Type"] == "application/problem+json"


def test_what_fails_says_so_and_gives_nothing_away(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the password is hunter2")

    monkeypatch.setattr(public_page, "look", fail)

    answer = browse(api, "/status/mon-org")

    assert answer.status == 500
    assert "<h1>Something went wrong</h1>" in answer.text
    assert "hunter2" not in answer.text


def test_where_no_page_can_be_made_there_is_still_an_answer(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no templates")

    monkeypatch.setattr(render, "page", fail)

    answer = browse(api, "/status/nothing")

    assert answer.status == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_crawlers_leave_signals_alone(api: Api) -> None:
    answer = api.get("/robots.txt", key=None)

    assert answer.headers["Content-Type"].startswith("text/plain")
    lines = answer.text.splitlines()
    assert lines[0] == "User-agent: *"
    assert {"Disallow: /api/", "Disallow: /ping/", "Disallow: /badge/"} <= set(lines)
    assert "Disallow: /" not in lines
    assert not any(line.startswith("Disallow: /status") for line in lines)


def test_there_is_an_icon(api: Api) -> None:
    answer = api.get("/favicon.ico", key=None)

    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("image/svg+xml")
    assert "<svg" in answer.text
