"""Code as HTML: options and strings in colour, and slots that a reader's own values fill."""

import re
from collections.abc import Callable

from markupsafe import Markup, escape

from chalicelib import settings
from chalicelib.api import curl

#: What stands for a value of the reader's, and the name of the field that fills it.
_SLOT_NAMES = {curl.BASE: "base", curl.KEY: "key", curl.SLUG: "slug", "ID": "cron", "CRON_ID": "cron"}
_SLOT = re.compile(
    rf"{re.escape(curl.BASE)}|\b{re.escape(curl.KEY)}\b|\b{re.escape(curl.SLUG)}\b|\b(?:[A-Z]+_)?ID\b|\b[A-Z]+_FILE\b|\bTOKEN\b"
)
_SHELL = re.compile(r"(?P<string>'[^']*'|\"[^\"]*\")|(?P<option>(?<=\s)--?[a-zA-Z][\w-]*)")
_JSON = re.compile(r'(?P<key>"(?:[^"\\]|\\.)*")(?=:)|(?P<string>"(?:[^"\\]|\\.)*")')
_CLASSES = {"string": "s", "option": "o", "key": "o"}


def slot_of(placeholder: str) -> str:
    """The name of the field that fills it: `OTHER_ID` is filled by `other_id`."""
    return _SLOT_NAMES.get(placeholder) or placeholder.lower()


def slots_in(text: str) -> list[tuple[str, str]]:
    """The fields that fill something in the text, each with what stands there until then."""
    return [(slot_of(found[0]), found[0]) for found in _SLOT.finditer(text)]


def shell(text: str) -> Markup:
    """A command line."""
    return _coloured(text, _SHELL, with_slots)


def json(text: str) -> Markup:
    """An answer."""
    return _coloured(text, _JSON, escape)


def with_slots(text: str) -> Markup:
    """The text with a slot around each placeholder; the address is that of this deployment."""
    parts: list[Markup] = []
    place = 0
    for found in _SLOT.finditer(text):
        shown = settings.base_url() if found[0] == curl.BASE else found[0]
        slot = Markup('<span class="slot" data-slot="{}">{}</span>').format(slot_of(found[0]), shown)
        parts += [escape(text[place : found.start()]), slot]
        place = found.end()
    return Markup("").join([*parts, escape(text[place:])])


def _coloured(text: str, pattern: "re.Pattern[str]", plain: Callable[[str], Markup]) -> Markup:
    parts: list[Markup] = []
    place = 0
    for found in pattern.finditer(text):
        coloured = Markup('<span class="{}">{}</span>').format(_CLASSES[str(found.lastgroup)], plain(found[0]))
        parts += [plain(text[place : found.start()]), coloured]
        place = found.end()
    return Markup("").join([*parts, plain(text[place:])])
