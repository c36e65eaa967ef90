"""A request, read: its body, its query, who sent it."""

import json
import zlib
from collections import Counter
from datetime import datetime
from typing import Any, Generic, NamedTuple, NoReturn, TypeVar
from urllib.parse import parse_qsl

from chalice.app import Request
from msgspec import Struct

from chalicelib.api.http.reading import read_leniently
from chalicelib.domain.accounts.api_key import ApiKey
from chalicelib.domain.errors import FieldError, Malformed, TooLarge, UnsupportedMedia

T = TypeVar("T")
S = TypeVar("S", bound=Struct)

#: How much of a packed body is unpacked; the rest counts as cut off.
_MOST_UNPACKED = 8 * 1024 * 1024
_MOST_DIGITS = 1000
_FORM = "application/x-www-form-urlencoded"
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32


class Call(NamedTuple):
    """A request at a moment; `key` is there on every route that needs one."""

    request: Request
    now: datetime
    given_key: ApiKey | None = None

    @property
    def key(self) -> ApiKey:
        if self.given_key is None:
            raise RuntimeError("this route has no key")
        return self.given_key

    @property
    def org_id(self) -> str:
        return self.key.org_id

    @property
    def authorization(self) -> str | None:
        value: str | None = self.request.headers.get("authorization")
        return value

    @property
    def address(self) -> str:
        return str(self.request.context.get("identity", {}).get("sourceIp", ""))

    @property
    def cut_bytes(self) -> int:
        """How much of the middle of a long body was dropped on its way here."""
        return int(self.request.context.get("cutBytes", 0))

    @property
    def from_browser(self) -> bool:
        return "text/html" in str(self.request.headers.get("accept", ""))

    @property
    def query(self) -> dict[str, str]:
        """The query parameters; of one that is repeated, the last."""
        params = self.request.query_params
        return {} if params is None else {name: params.getlist(name)[-1] for name in params}


class Lenient(NamedTuple, Generic[T]):
    """What makes sense of a signal's parameters, and what of them was ignored."""

    value: T
    ignored: tuple[FieldError, ...]


def body_object(request: Request, most_bytes: int) -> dict[str, Any]:
    """The JSON object of the body, {} for none. Raises TooLarge, UnsupportedMedia, Malformed."""
    data = raw_bytes(request)
    if len(data) > most_bytes:
        raise TooLarge(f"the body is over {most_bytes} bytes")
    if not data.strip():
        return {}
    media = _media(request)
    if media != "application/json" and not media.endswith("+json"):
        raise UnsupportedMedia("send the body as Content-Type: application/json")
    if _encoding(request) != "identity":
        raise UnsupportedMedia("send the body as it is, without Content-Encoding")
    try:
        body = json.loads(data.decode(), parse_int=_whole, parse_constant=_no_constant, object_pairs_hook=_object)
    except ValueError as error:
        raise Malformed(f"the body is not JSON: {error}") from None
    except RecursionError:
        raise Malformed("the body is not JSON that can be read: it is nested too deeply") from None
    if not isinstance(body, dict):
        raise Malformed("the body must be a JSON object")
    return body


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuses a field that is there twice: nobody can tell which one was meant."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = Counter(name for name, _ in pairs)
        twice = next(name for name, times in names.items() if times > 1)
        raise ValueError(f"the field {json.dumps(twice[:128])} is there twice")
    return found


def _whole(text: str) -> int:
    # Python reads 4300 digits at most, and says so in words of its own.
    if len(text) > _MOST_DIGITS:
        raise ValueError(f"a number has over {_MOST_DIGITS} digits")
    return int(text)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def lenient_body(request: Request, model: type[S]) -> Lenient[S]:
    """A signal's body of any form: a JSON object, a form, or else text, which is taken as its message."""
    text, ignored = output(request)
    given = _given(text, _media(request))
    if given is not None:
        found, wrong = read_leniently(model, given)
        return Lenient(found, ignored + wrong)
    found, _ = read_leniently(model, {"message": text} if "message" in model.__struct_fields__ else {})
    return Lenient(found, (*ignored, FieldError("body", "is not a JSON object: it was kept as the message")))


def _given(text: str, media: str) -> dict[str, Any] | None:
    if not text.strip():
        return {}
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        pairs = (
            parse_qsl(text, keep_blank_values=True, max_num_fields=100) if media == _FORM and "=" in text else []
        )
        return dict(pairs) or None
    return body if isinstance(body, dict) else None


def output(request: Request) -> tuple[str, tuple[FieldError, ...]]:
    """The body as text, and what of its packing was ignored. What is not UTF-8 is replaced."""
    data = raw_bytes(request)
    encoding = _encoding(request)
    ignored: tuple[FieldError, ...] = ()
    if data and encoding in ("gzip", "x-gzip", "deflate"):
        try:
            data = zlib.decompressobj(_GZIP_OR_ZLIB).decompress(data, _MOST_UNPACKED)
        except zlib.error:
            ignored = (FieldError("Content-Encoding", "the body is not packed that way: it was kept as it is"),)
    elif data and encoding != "identity":
        ignored = (FieldError("Content-Encoding", "must be gzip, deflate or identity"),)
    return data.decode("utf-8", "replace"), ignored


def raw_bytes(request: Request) -> bytes:
    raw = request.raw_body
    return raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw or b""


def _media(request: Request) -> str:
    return str(request.headers.get("content-type", "")).split(";")[0].strip().lower()


def _encoding(request: Request) -> str:
    return str(request.headers.get("content-encoding", "identity")).strip().lower()
