"""Times and spans as people say them, in both languages."""

from datetime import UTC, datetime, timedelta
from typing import Self

from chalicelib.api.http.request import Call
from chalicelib.api.pages.language import in_number, language_of, translated
from chalicelib.domain.language import Language

_MONTHS = {
    Language.EN: ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    Language.FR: (
        "janv.",
        "févr.",
        "mars",
        "avr.",
        "mai",
        "juin",
        "juil.",
        "août",
        "sept.",
        "oct.",
        "nov.",
        "déc.",
    ),
}
_SECOND, _MINUTE, _HOUR, _DAY = 1000, 60_000, 3_600_000, 86_400_000


def text(english: str) -> str:
    """Marks a text that is translated elsewhere, so that the test for missing ones finds it."""
    return english


class Words:
    """What a page says, in its language, at its moment."""

    def __init__(self, language: Language, now: datetime) -> None:
        self.language = language
        self.now = now

    @classmethod
    def of(cls, call: Call) -> Self:
        return cls(language_of(call), call.now)

    def _(self, english: str, **slots: object) -> str:
        text = translated(self.language, english)
        return text % slots if slots else text

    def number_of(self, one: str, many: str, number: int) -> str:
        return in_number(self.language, one, many, number) % {"num": number}

    def duration(self, ms: float | None) -> str:
        """How long a run took: `340 ms`, `12.3 s`, `4 min 5 s`, `1 h 12 min`."""
        if ms is None:
            return "–"
        if ms < _SECOND:
            return f"{round(ms)} ms"
        if ms < _MINUTE:
            return f"{self._decimal(ms / _SECOND)} s"
        parts = ((_DAY, "d", _HOUR, "h"), (_HOUR, "h", _MINUTE, "min"), (_MINUTE, "min", _SECOND, "s"))
        return next(self._two(ms, *part) for part in parts if ms >= part[0])

    def _decimal(self, value: float) -> str:
        text = f"{value:.1f}".removesuffix(".0")
        return text.replace(".", ",") if self.language is Language.FR else text

    def _two(self, ms: float, large: int, large_name: str, small: int, small_name: str) -> str:
        whole, rest = divmod(int(ms), large)
        less = rest // small
        more = f" {less} {small_name}" if less else ""
        return f"{whole} {self._unit(large_name)}{more}"

    def _unit(self, name: str) -> str:
        return "j" if name == "d" and self.language is Language.FR else name

    def span(self, span: timedelta) -> str:
        """About how long: `40 s`, `12 min`, `3 h`, `2 d`."""
        seconds = abs(span) // timedelta(seconds=1)
        if seconds < 60:
            return f"{seconds} s"
        if seconds < 3600:
            return f"{seconds // 60} min"
        if seconds < 2 * 86400:
            hours, minutes = divmod(seconds // 60, 60)
            return f"{hours} h {minutes} min" if hours < 3 and minutes else f"{hours} h"
        return f"{seconds // 86400} {self._unit('d')}"

    def ago(self, at: datetime | None) -> str:
        if at is None:
            return "–"
        span = self.now - at
        if abs(span) < timedelta(seconds=5):
            return self._("just now")
        return self._("%(span)s ago", span=self.span(span)) if span > timedelta() else self.until(at)

    def until(self, at: datetime | None) -> str:
        if at is None:
            return "–"
        if at <= self.now:
            return self._("now")
        return self._("in %(span)s", span=self.span(at - self.now))

    def when(self, at: datetime | None) -> str:
        """A moment in UTC: `10 Mar, 14:05`; with the year where it is another one."""
        if at is None:
            return "–"
        moment = at.astimezone(UTC)
        year = "" if moment.year == self.now.year else f" {moment.year}"
        return f"{moment.day} {_MONTHS[self.language][moment.month - 1]}{year}, {moment:%H:%M}"

    def day(self, at: datetime) -> str:
        return f"{at.day} {_MONTHS[self.language][at.month - 1]} {at.year}"

    def percent(self, value: float | None, digits: int = 2) -> str:
        if value is None:
            return "–"
        text = f"{value:.{digits}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
        return f"{text.replace('.', ',')}\N{NO-BREAK SPACE}%" if self.language is Language.FR else f"{text}%"


def iso(at: datetime | None) -> str:
    """A moment for `<time datetime>`."""
    if at is None:
        return ""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
