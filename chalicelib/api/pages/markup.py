"""The little markup that our own texts hold: `code`, **strong** and [links](…)."""

import re

from markupsafe import Markup, escape

_INLINE = re.compile(r"`(?P<code>[^`]+)`|\*\*(?P<strong>[^*]+)\*\*|\[(?P<label>[^\]]+)\]\((?P<target>[^)\s]+)\)")


def inline(text: str) -> Markup:
    """A text as HTML. Everything but the marks is escaped."""
    parts: list[Markup] = []
    place = 0
    for found in _INLINE.finditer(text):
        parts += [escape(text[place : found.start()]), _element(found)]
        place = found.end()
    return Markup("").join([*parts, escape(text[place:])])


def _element(found: "re.Match[str]") -> Markup:
    if found["code"]:
        return Markup("<code>{}</code>").format(found["code"])
    if found["strong"]:
        return Markup("<strong>{}</strong>").format(found["strong"])
    return Markup('<a href="{}">{}</a>').format(found["target"], inline(found["label"]))
