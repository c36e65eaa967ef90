"""DynamoDB's numbers: decimal, up to 38 digits, between 1E-130 and 9.99E+125."""

import re
from decimal import Context, Decimal

from infra.local.store.errors import Invalid

MOST_DIGITS = 38
_HIGHEST_EXPONENT = 126
_LOWEST_EXPONENT = -129
_EXACT = Context(prec=400)

_is_canonical_integer = re.compile(r"-?[1-9][0-9]{0,37}|0").fullmatch
_is_number = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?").fullmatch


def canonical(text: str) -> str:
    """The one way in which a number is written. Raises Invalid for what DynamoDB does not accept."""
    if _is_canonical_integer(text):
        return text
    if not text.isascii() or not _is_number(text):
        raise Invalid(_not_numeric(text))
    return written(Decimal(text))


def written(number: Decimal) -> str:
    """A result as text. Raises Invalid where it has too many digits or is too large or small."""
    if not number:
        return "0"
    number = number.normalize(_EXACT)
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    magnitude = len(digits) + exponent
    if magnitude > _HIGHEST_EXPONENT:
        raise Invalid("Number overflow. Attempting to store a number with magnitude larger than supported range")
    if magnitude < _LOWEST_EXPONENT:
        raise Invalid("Number underflow. Attempting to store a number with magnitude smaller than supported range")
    if len(digits) > MOST_DIGITS:
        raise Invalid("Attempting to store more than 38 significant digits in a Number")
    return f"{number:f}"


def plus(left: str, right: str) -> str:
    return written(_EXACT.add(Decimal(left), Decimal(right)))


def minus(left: str, right: str) -> str:
    return written(_EXACT.subtract(Decimal(left), Decimal(right)))


def size_of(text: str) -> int:
    """How many bytes a canonical number takes: one for every two digits, and one or two more."""
    digits = len(text.replace(".", "").strip("-0")) or 1
    return (digits + 1) // 2 + 1 + text.startswith("-")


def sort_key(text: str) -> bytes:
    """Bytes that sort as the canonical numbers do.

    A sign byte, the exponent, then two digits per byte. Of a negative number all bytes are inverted,
    and a last 0xFF has -1.23 sort before -1.2, as its longer digits mean a lower number.
    """
    number = Decimal(text)
    if not number:
        return b"\x01"
    sign, digits, exponent = number.normalize(_EXACT).as_tuple()
    assert isinstance(exponent, int)
    pairs = [*digits, 0] if len(digits) % 2 else list(digits)
    magnitude = bytes(
        [
            len(digits) + exponent - _LOWEST_EXPONENT,
            *(10 * pairs[place] + pairs[place + 1] for place in range(0, len(pairs), 2)),
        ]
    )
    if sign:
        return b"\x00" + bytes(255 - byte for byte in magnitude) + b"\xff"
    return b"\x02" + magnitude


def _not_numeric(text: str) -> str:
    message = "The parameter cannot be converted to a numeric value"
    return f"{message}: {text}" if text else message
