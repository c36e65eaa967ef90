"""Style, scripts and icons of the pages: served under names that change with their content, and small."""

import re
from pathlib import Path

import pytest

from chalicelib.api.pages import static
from tests.api.client import Api
from tests.api.conftest import Calls

MOST_BYTES = 100 * 1024


def test_a_file_with_the_hash_of_its_content_is_kept_by_browsers(api: Api, calls: Calls) -> None:
    answer = api.get(f"/static/{static.hashed_name('site.css')}", key=None)

    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/css; charset=utf-8"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.text == (static.FOLDER / "site.css").read_text()
    assert calls == []


@pytest.mark.parametrize("name", ["site.css", "site.0123456789ab.css"])
def test_a_file_without_its_current_hash_is_asked_for_again(api: Api, name: str) -> None:
    answer = api.get(f"/static/{name}", key=None)

    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-cache"
    again = api.get(f"/static/{name}", key=None, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status, again.text) == (304, "")


@pytest.mark.parametrize(
    ("name", "media"),
    [("site.css", "text/css"), ("site.js", "text/javascript"), ("favicon.svg", "image/svg+xml")],
)
def test_files_have_their_types(api: Api, name: str, media: str) -> None:
    assert api.get(f"/static/{name}", key=None).headers["Content-Type"] == f"{media}; charset=utf-8"


@pytest.mark.parametrize("name", ["base.html", "app.py", "..%2Frender.py", ".", "site.css%00", "site..css", ""])
def test_nothing_else_is_served(api: Api, name: str) -> None:
    assert api.get(f"/static/{name}", key=None).status in (403, 404)


def test_all_style_and_script_together_is_small() -> None:
    sizes = [path.stat().st_size for path in static.FOLDER.iterdir() if path.suffix in (".css", ".js")]

    assert sum(sizes) <= MOST_BYTES


@pytest.mark.parametrize("path", sorted(static.FOLDER.iterdir()), ids=lambda path: path.name)
def test_nothing_asks_elsewhere_or_makes_html_of_text(path: Path) -> None:
    text = path.read_text()
    addresses = set(re.findall(r"https?://[^\s\"')]+", text))

    assert addresses <= {"http://www.w3.org/2000/svg"}
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text)
