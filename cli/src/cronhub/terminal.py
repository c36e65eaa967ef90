"""Tables and colours for people, JSON for programs."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from typing import NamedTuple

from cronhub import durations

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069]+")
_COLOURS = {"red": "31", "green": "32", "yellow": "33", "blue": "34", "grey": "90", "bold": "1"}
STATUS_COLOURS = {
    "down": "red", "failed": "red", "missed": "red", "timeout": "red", "open": "red",
    "late": "yellow", "blocked": "yellow", "unknown": "yellow",
    "up": "green", "success": "green", "resolved": "green",
    "running": "blue", "paused": "grey", "new": "grey", "in_maintenance": "grey", "archived": "grey",
}  # fmt: skip


class Cell(NamedTuple):
    text: str
    colour: str | None = None


def say_json(value: object) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False))


def has_colour() -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR") or os.environ.get("CLICOLOR_FORCE")) or sys.stdout.isatty()


def painted(text: str, colour: str | None) -> str:
    return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if colour and has_colour() else text


def status(text: str) -> Cell:
    return Cell(text, STATUS_COLOURS.get(text))


def plain(text: object) -> str:
    """On one line, and without what would move a terminal's cursor."""
    return _CONTROL.sub(" ", str(text)).strip()


def width_of(text: str) -> int:
    return sum(
        0 if unicodedata.combining(one) else 1 + (unicodedata.east_asian_width(one) in "WF") for one in text
    )


def table(heads: Sequence[str], rows: Iterable[Sequence[Cell | str]]) -> list[str]:
    """The lines of a table that fits the terminal: its last column is cut."""
    cells = [[cell if isinstance(cell, Cell) else Cell(plain(cell)) for cell in row] for row in rows]
    widths = [
        max([width_of(head), *(width_of(row[place].text) for row in cells)]) for place, head in enumerate(heads)
    ]
    lines = [_line([Cell(head, "grey") for head in heads], widths)]
    return lines + [_line(row, widths) for row in cells]


def _line(row: Sequence[Cell], widths: Sequence[int]) -> str:
    room = shutil.get_terminal_size((0, 0)).columns if sys.stdout.isatty() else 0
    shown, used = [], 0
    for place, (cell, width) in enumerate(zip(row, widths)):
        is_last = place == len(widths) - 1
        text = _cut(cell.text, room - used) if is_last and room else cell.text
        pad = "" if is_last else " " * (width - width_of(text))
        shown.append(painted(text, cell.colour) + pad)
        used += width + 2
    return "  ".join(shown).rstrip()


def _cut(text: str, room: int) -> str:
    if width_of(text) <= max(room, 10):
        return text
    while text and width_of(text) > max(room, 10) - 1:
        text = text[:-1]
    return text + "…"


def moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text.replace("Z", "+00:00"))


def relative(text: str | None, now: datetime | None = None) -> str:
    """`5 min ago`, `in 2 h`."""
    at = moment(text)
    if at is None:
        return "–"
    away = (at - (now or datetime.now(timezone.utc))).total_seconds()
    span = durations.shown(max(1000, round(abs(away)) * 1000)).replace(".0 s", " s")
    return f"in {span}" if away > 0 else f"{span} ago"
