"""Sentry's envelopes (develop.sentry.dev, "Envelopes"): a header, then items of a header and a payload each."""

import json
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

from chalicelib.domain.errors import Malformed, TooLarge, UnsupportedMedia

#: How much of a packed envelope is unpacked.
MOST_BYTES = 8 * 1024 * 1024
_MOST_ITEMS = 1000
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32


class Item(NamedTuple):
    kind: str
    payload: bytes


class Envelope(NamedTuple):
    header: dict[str, Any]
    items: tuple[Item, ...]


def unpacked(data: bytes, encoding: str) -> bytes:
    """Raises Malformed, TooLarge, UnsupportedMedia."""
    match encoding.strip().lower():
        case "" | "identity":
            return data
        case "gzip" | "x-gzip" | "deflate":
            found = _inflated(data)
        case "br":
            found = _of_brotli(data)
        case _:
            raise UnsupportedMedia("Content-Encoding must be gzip, deflate, br or identity")
    if len(found) > MOST_BYTES:
        raise TooLarge(f"the envelope is over {MOST_BYTES} bytes")
    return found


def _inflated(data: bytes) -> bytes:
    try:
        return zlib.decompressobj(_GZIP_OR_ZLIB).decompress(data, MOST_BYTES + 1)
    except zlib.error:
        raise Malformed("the body is not packed as Content-Encoding says") from None


def _of_brotli(data: bytes) -> bytes:
    # Only SDKs beside which brotli is installed send it.
    import brotli

    unpacker, found = brotli.Decompressor(), bytearray()
    try:
        found += unpacker.process(data, output_buffer_limit=MOST_BYTES + 1)
        while not unpacker.is_finished() and len(found) <= MOST_BYTES:
            more = unpacker.process(b"", output_buffer_limit=MOST_BYTES + 1)
            if not more:
                break
            found += more
    except brotli.error:
        raise Malformed("the body is not packed as Content-Encoding says") from None
    return bytes(found)


def parse(data: bytes) -> Envelope:
    """Raises Malformed."""
    line, _, rest = data.partition(b"\n")
    return Envelope(_object(line, "the envelope's header"), tuple(_items(rest)))


def _items(rest: bytes) -> Iterator[Item]:
    place = number = 0
    while place < len(rest) and number < _MOST_ITEMS:
        end = _line_end(rest, place)
        line = rest[place:end].strip()
        place = end + 1
        if not line:
            continue
        header = _object(line, "an item's header")
        end = _payload_end(rest, place, header.get("length"))
        yield Item(str(header.get("type")), rest[place:end])
        place = end + (1 if rest[end : end + 1] == b"\n" else 0)
        number += 1


def _payload_end(data: bytes, start: int, length: Any) -> int:
    if isinstance(length, int) and not isinstance(length, bool) and length >= 0:
        return min(start + length, len(data))
    # Without a length, the payload is one line.
    return _line_end(data, start)


def _line_end(data: bytes, start: int) -> int:
    found = data.find(b"\n", start)
    return len(data) if found < 0 else found


def _object(line: bytes, what: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        raise Malformed(f"{what} is not JSON") from None
    if not isinstance(found, dict):
        raise Malformed(f"{what} is not a JSON object")
    return found


def object_of(payload: bytes) -> dict[str, Any]:
    """The payload of an item. Raises Malformed."""
    return _object(payload, "an item's payload")
