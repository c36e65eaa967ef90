"""Spans of time as people write them: 90, 90s, 5m, 1h30m."""

from __future__ import annotations

import re

_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_SPAN = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?")


def seconds(text: str) -> float:
    """Raises ValueError."""
    given = text.strip().lower().replace(" ", "")
    if re.fullmatch(r"\d+(\.\d+)?", given):
        return float(given)
    found = _SPAN.fullmatch(given)
    if not given or found is None:
        raise ValueError(f"{text!r} is no span of time such as 90s, 5m or 1h30m")
    return sum(float(value) * _UNITS[unit] for unit, value in zip("dhms", found.groups()) if value)


def shown(milliseconds: float | None) -> str:
    """A duration in at most two units: 850 ms, 12.3 s, 4 min 5 s, 2 h 3 min, 5 d 2 h."""
    if milliseconds is None:
        return "–"
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    if milliseconds < 60_000:
        return f"{milliseconds / 1000:.1f} s"
    total = round(milliseconds / 1000)
    for large, small, size, part in (("min", "s", 60, 1), ("h", "min", 3600, 60), ("d", "h", 86400, 3600)):
        if total < size * (60 if large == "min" else 24) or large == "d":
            rest = total % size // part
            return f"{total // size} {large}" + (f" {rest} {small}" if rest else "")
    raise AssertionError
