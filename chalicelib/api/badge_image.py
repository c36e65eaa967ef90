"""A badge as an SVG: a label on the left, the status on the right in its color."""

import unicodedata
from html import escape

from chalicelib.domain.public.badge import BadgeStatus
from chalicelib.services.badges import ShownBadge

# White text on each of these has a contrast of 4.5 or more.
_GREY = "#5f6368"
_COLORS = {
    BadgeStatus.UP: "#2e7d32",
    BadgeStatus.LATE: "#a65a00",
    BadgeStatus.BLOCKED: "#a65a00",
    BadgeStatus.DOWN: "#c62828",
    BadgeStatus.MAINTENANCE: "#1565c0",
}
_LONGEST_LABEL = 60
_PADDING = 6
# About the widths of Verdana at 11 px. `textLength` makes any other font fit.
_NARROW, _USUAL, _BROAD, _WIDE = 4.2, 6.8, 9.4, 11.5
_NARROW_LETTERS = frozenset("fijlrt.,:;'|!()[] I")
_BROAD_LETTERS = frozenset("mwMW%@GOQ")

_SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" aria-label="{alt}">
<title>{alt}</title>
<rect width="{width}" height="20" rx="3" fill="#444a50"/>
<path d="M{left} 0h{right_straight}a3 3 0 0 1 3 3v14a3 3 0 0 1 -3 3h-{right_straight}z" fill="{color}"/>
<g fill="#fff" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11">
<text x="{padding}" y="14" textLength="{label_width}" lengthAdjust="spacingAndGlyphs">{label}</text>
<text x="{status_at}" y="14" textLength="{status_width}" lengthAdjust="spacingAndGlyphs">{status}</text>
</g>
</svg>
"""


def badge_image(badge: ShownBadge) -> str:
    label = _shortened(badge.label)
    label_width, status_width = _width(label), _width(badge.status.value)
    left, right = label_width + 2 * _PADDING, status_width + 2 * _PADDING
    return _SVG.format(
        width=left + right,
        alt=escape(f"{label}: {badge.status.value}"),
        left=left,
        right_straight=right - 3,
        color=_COLORS.get(badge.status, _GREY),
        padding=_PADDING,
        label_width=label_width,
        label=escape(label),
        status_at=left + _PADDING,
        status_width=status_width,
        status=badge.status.value,
    )


def _shortened(label: str) -> str:
    return label if len(label) <= _LONGEST_LABEL else label[: _LONGEST_LABEL - 1] + "…"


def _width(text: str) -> int:
    return max(1, round(sum(map(_width_of, text))))


def _width_of(letter: str) -> float:
    if letter in _NARROW_LETTERS:
        return _NARROW
    if unicodedata.combining(letter):
        return 0
    if unicodedata.east_asian_width(letter) in "WF":
        return _WIDE
    return _BROAD if letter in _BROAD_LETTERS else _USUAL
