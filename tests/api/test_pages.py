"""The pages that links in mails and alerts lead to."""

import re
from pathlib import Path

import pytest

from app import app
from chalicelib.api.routes import pages
from tests.api.client import Api
from tests.api.conftest import Calls

UNKNOWN = "00000000-0000-8000-8000-000000000000"
PAGES = ["/", "/crons", f"/crons/{UNKNOWN}", "/invites/accept"]
FOLDER = Path(pages.__file__).parents[2] / "web"
TEXTS = {path.name: path.read_text() for path in FOLDER.iterdir() if path.is_file()}


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_html_that_runs_no_script_but_its_own(api: Api, calls: Calls, path: str) -> None:
    answer = api.get(path, key=None)

    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert "unsafe" not in policy
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert not re.search(r"<script(?![^>]* src=)|<style| style=| on\w+=", answer.text)
    assert calls == []


@pytest.mark.parametrize("path", PAGES)
def test_what_a_page_is_made_of_is_there_beside_it(api: Api, path: str) -> None:
    """Wherever the API is, under a path as well: so by relative addresses."""
    parts = re.findall(r'(?:src|href)="(\.[^"]+)"', api.get(path, key=None).text)
    depth = path.count("/") - 1

    assert len(parts) == 3
    for part in parts:
        assert part.startswith("../" if depth else "./")
        assert part.count("../") == depth
        assert api.get("/" + part.lstrip("./"), key=None).status == 200


@pytest.mark.parametrize(("name", "media"), [("cronhub.css", "text/css"), ("list.js", "text/javascript")])
def test_parts_have_their_types(api: Api, name: str, media: str) -> None:
    answer = api.get(f"/pages/{name}", key=None)

    assert answer.headers["Content-Type"] == f"{media}; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.text == TEXTS[name]


@pytest.mark.parametrize("name", ["list.html", "app.py", "..%2F..%2Fapp.py", ".", "cronhub.js%00"])
def test_nothing_else_is_served(api: Api, name: str) -> None:
    assert api.get(f"/pages/{name}", key=None).status == 404


@pytest.mark.parametrize("name", sorted(name for name in TEXTS if name.endswith(".js")))
def test_scripts_import_what_is_served_and_put_text_in_as_text(name: str) -> None:
    imported = re.findall(r'from "\./([^"]+)"', TEXTS[name])

    assert set(imported) <= set(pages._SERVED)
    assert "innerHTML" not in TEXTS[name]
    assert "eval(" not in TEXTS[name]


def test_scripts_ask_for_routes_that_there_are() -> None:
    asked = set(re.findall(r'[`"](api/[^`"?]*)', "".join(TEXTS.values())))
    templates = [re.compile(re.sub(r"\{\w+\}", "[^/]+", path[1:])) for path in app.routes]

    assert len(asked) >= 5
    for path in asked:
        named = re.sub(r"\$\{[^}]+\}", "x", path)
        assert any(template.fullmatch(named) for template in templates), path
