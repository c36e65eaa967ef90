"""The guides. Each has a file per language in guides/, of the same blocks: a test compares them."""

from functools import cache
from pathlib import Path
from typing import NamedTuple

from chalicelib.api.pages.docs.blocks import Block, Heading, Paragraph, blocks_of
from chalicelib.domain.errors import NotFound
from chalicelib.domain.language import Language

FOLDER = Path(__file__).parent / "guides"
#: In the order in which they are listed.
NAMES = (
    "crontab",
    "shell",
    "python",
    "node",
    "systemd",
    "kubernetes",
    "github-actions",
    "docker",
    "schedules",
    "statuses",
    "moving",
)


class Guide(NamedTuple):
    name: str
    title: str
    lead: str
    body: tuple[Block, ...]
    source: str

    @property
    def headings(self) -> list[Heading]:
        return [block for block in self.body if isinstance(block, Heading) and block.level == 2]


def named(name: str, language: Language) -> Guide:
    """Raises NotFound."""
    if name not in NAMES:
        raise NotFound("no such path")
    return _read(name, language)


def every(language: Language) -> list[Guide]:
    return [_read(name, language) for name in NAMES]


@cache
def _read(name: str, language: Language) -> Guide:
    source = (FOLDER / f"{name}.{language}.md").read_text(encoding="utf-8")
    title, lead, *body = blocks_of(source)
    assert isinstance(title, Heading)
    assert isinstance(lead, Paragraph)
    return Guide(name, title.text, lead.text, tuple(body), source)
