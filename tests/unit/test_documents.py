"""The documents lead to what there is."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/**/*.md")])
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
_PATH = re.compile(r"`((?:chalicelib|infra|tests|bench|docs|examples)/[\w./-]+\.(?:py|md|json|sh))`")


def named(document: Path) -> Iterator[Path]:
    text = document.read_text()
    yield from (document.parent / link for link in _LINK.findall(text) if "://" not in link)
    yield from (ROOT / path for path in _PATH.findall(text))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_and_every_named_file_is_there(document: Path) -> None:
    missing = [str(path) for path in named(document) if not path.exists()]

    assert missing == []


def functions_of(path: Path) -> set[str]:
    """The names of the tests of a file; none where there is no such file."""
    if not path.exists():
        return set()
    return {node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_named_test_is_there(document: Path) -> None:
    missing = [
        f"{path}::{name}"
        for path, name in _TEST.findall(document.read_text())
        if name not in functions_of(ROOT / path)
    ]

    assert missing == []


@pytest.mark.parametrize(
    ("document", "heading"), [("security.md", "What is promised"), ("operations.md", "How this is tested")]
)
def test_every_promise_names_its_tests(document: str, heading: str) -> None:
    table = (ROOT / "docs" / document).read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]

    assert len(rows) > 20
    assert [row for row in rows if not _TEST.search(row)] == []
