"""The documents lead to what there is."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/**/*.md")])
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
_PATH = re.compile(r"`((?:chalicelib|infra|tests|bench|docs|examples)/[\w./-]+\.(?:py|md|json|sh))`")


def named(document: Path) -> Iterator[Path]:
    text = document.read_text()
    yield from (document.parent / link for link in _LINK.findall(text) if "://" not in link)
    yield from (ROOT / path for path in _PATH.findall(text))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_and_every_named_file_is_there(document: Path) -> None:
    missing = [str(path) for path in named(document) if not path.exists()]

    assert missing == []
