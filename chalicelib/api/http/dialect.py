"""How clients of another monitor send their key, and how they read an error."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from chalice.app import Response
from msgspec import Struct

from chalicelib.api.http.request import Call


class Dialect(NamedTuple):
    #: Answers an error in the protocol's own form.
    failed: Callable[[Exception], Response]
    #: Returns the text of the key. Raises Unauthenticated where there is none.
    key_of: Callable[[Call, Mapping[str, str]], str]
    #: In words, where the key stands (OpenAPI).
    key_place: str
    #: The media type of errors (OpenAPI).
    media: str = "text/plain"
    #: What an error holds; None: text (OpenAPI).
    model: type[Struct] | None = None


def bearer(call: Call) -> str | None:
    """The key that stands where CronHub's own clients put it: every dialect takes it there, too."""
    scheme, _, text = (call.authorization or "").strip().partition(" ")
    return text.strip() or None if scheme.lower() == "bearer" else None
