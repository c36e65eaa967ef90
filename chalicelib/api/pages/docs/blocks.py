"""Reads the guides' text: a small part of Markdown, and nothing that it could mean in two ways.

`# Title`, `## Heading {#anchor}`, paragraphs, `- ` and `1. ` lists, tables, `> ` notes, and ``` fences whose first
line says the language and, after it, what the reader sees as the name of the file.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple


class Heading(NamedTuple):
    level: int
    text: str
    anchor: str


class Paragraph(NamedTuple):
    text: str


class Note(NamedTuple):
    text: str


class Listing(NamedTuple):
    numbered: bool
    items: tuple[str, ...]


class Table(NamedTuple):
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Code(NamedTuple):
    language: str
    title: str
    text: str


Block = Heading | Paragraph | Note | Listing | Table | Code

_HEADING = re.compile(r"(?P<marks>#{1,3}) (?P<text>.+?)(?: \{#(?P<anchor>[a-z0-9-]+)\})?")
_ITEM = re.compile(r"(?:- |\d+\. )(?P<text>.+)")


def blocks_of(text: str) -> tuple[Block, ...]:
    return tuple(_block(lines) for lines in _groups(text.splitlines()))


def _groups(lines: list[str]) -> Iterator[list[str]]:
    """Lines that belong together: those between empty ones, or between fences."""
    group: list[str] = []
    is_code = False
    for line in lines:
        if line.startswith("```"):
            is_code = not is_code
        if line.strip() or is_code:
            group.append(line)
        elif group:
            yield group
            group = []
    if group:
        yield group


def _block(lines: list[str]) -> Block:
    first, joined = lines[0], " ".join(line.strip() for line in lines)
    if first.startswith("```"):
        language, _, title = first.removeprefix("```").partition(" ")
        return Code(language, title, "\n".join(lines[1:-1]))
    heading = _HEADING.fullmatch(joined)
    if heading:
        return Heading(len(heading["marks"]), heading["text"], heading["anchor"] or "")
    if first.startswith("> "):
        return Note(" ".join(line.removeprefix(">").strip() for line in lines))
    if first.startswith("|"):
        head, _, *rows = (tuple(cell.strip() for cell in line.strip()[1:-1].split("|")) for line in lines)
        return Table(head, tuple(rows))
    if _ITEM.fullmatch(first):
        return Listing(first[0] != "-", tuple(_items(lines)))
    return Paragraph(joined)


def _items(lines: list[str]) -> Iterator[str]:
    item = ""
    for line in lines:
        found = _ITEM.fullmatch(line)
        if found:
            if item:
                yield item
            item = found["text"]
        else:
            item += " " + line.strip()
    yield item
