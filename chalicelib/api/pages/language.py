"""Which language a page is in, and its French texts."""

import json
from functools import cache
from pathlib import Path

from chalicelib.api.http.request import Call
from chalicelib.domain.language import Language

#: Each file maps English texts to their French ones, side by side.
TEXTS = Path(__file__).parent / "texts"


_BY_NAME = {language.value: language for language in Language}


def chosen_language(call: Call) -> Language | None:
    """What the address asks for by `?lang=`; None where it does not, or asks for one that there is not."""
    asked = call.query.get("lang", "").strip().lower()
    return _BY_NAME.get(asked)


def language_of(call: Call) -> Language:
    """`?lang=`, else the one of ours that the browser likes most, else English."""
    accepted = str(call.request.headers.get("accept-language", ""))
    return chosen_language(call) or _liked_most(accepted) or Language.EN


def _liked_most(accepted: str) -> Language | None:
    """`fr-CH, fr;q=0.9, en;q=0.8` is French. At equal weight, the first."""
    liked: list[tuple[float, Language]] = []
    for part in accepted[:1000].split(","):
        name, _, weight = part.partition(";q=")
        primary = name.strip().lower().partition("-")[0]
        if primary in _BY_NAME:
            liked.append((_weight(weight), _BY_NAME[primary]))
    best = max(liked, key=lambda one: one[0], default=(0.0, Language.EN))
    return best[1] if best[0] > 0 else None


def _weight(text: str) -> float:
    try:
        return min(float(text), 1.0) if text.strip() else 1.0
    except ValueError:
        return 0.0


def translated(language: Language, english: str) -> str:
    """The text in the language; English where there is no French (a test finds these)."""
    return english if language is Language.EN else french().get(english, english)


def in_number(language: Language, one: str, many: str, number: int) -> str:
    """The text for a number of things. In French 0 is singular, too."""
    is_one = number == 1 or (language is Language.FR and number == 0)
    return translated(language, one if is_one else many)


@cache
def french() -> dict[str, str]:
    """All French texts by their English ones."""
    found: dict[str, str] = {}
    for file in sorted(TEXTS.glob("*.json")):
        found |= json.loads(file.read_text(encoding="utf-8"))
    return found
