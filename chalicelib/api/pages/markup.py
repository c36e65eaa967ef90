"""The little markup that our own texts hold: `code`, **strong** and [links](…)."""

import re
from collections.abc import Callable

from markupsafe import Markup, escape

#: Turns a path of the site into an address on the page.
Link = Callable[[str], str]

_INLINE = re.compile(r"`(?P<code>[^`]+)`|\*\*(?P<strong>[^*]+)\*\*|\[(?P<label>[^\]]+)\]\((?P<target>[^)\s]+)\)")


def inline(text: str, link: Link = str) -> Markup:
    """A text as HTML. Everything but the marks is escaped."""
    parts: list[Markup] = []
    place = 0
    for found in _INLINE.finditer(text):
        parts += [escape(text[place : found.start()]), _element(found, link)]
        place = found.end()
    return Markup("").join([*parts, escape(text[place:])])


def _element(found: "re.Match[str]", link: Link) -> Markup:
    if found["code"]:
        return Markup("<code>{}</code>").format(found["code"])
    if found["strong"]:
        return Markup("<strong>{}</strong>").format(inline(found["strong"], link))
    target = found["target"]
    address = target if target.startswith(("http://", "https://", "#")) else link(target)
    return Markup('<a href="{}">{}</a>').format(address, inline(found["label"], link))
