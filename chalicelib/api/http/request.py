"""A request, read: its body, its query, who sent it."""

import json
from collections import Counter
from datetime import datetime
from typing import Any, NamedTuple, NoReturn

from chalice.app import Request

from chalicelib.domain.accounts.api_key import ApiKey
from chalicelib.domain.errors import Malformed, TooLarge, UnsupportedMedia

MAX_BODY_BYTES = 100 * 1024
_MOST_DIGITS = 1000


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
    def query(self) -> dict[str, str]:
        """The query parameters; of one that is repeated, the last."""
        params = self.request.query_params
        return {} if params is None else {name: params.getlist(name)[-1] for name in params}


def body_text(request: Request) -> str:
    """Raises TooLarge. What is not UTF-8 is replaced: a job's output may hold anything."""
    return _body(request).decode("utf-8", "replace")


def _body(request: Request) -> bytes:
    raw = request.raw_body
    data = raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw or b""
    if len(data) > MAX_BODY_BYTES:
        raise TooLarge(f"the body is over {MAX_BODY_BYTES} bytes")
    return data


def body_object(request: Request) -> dict[str, Any]:
    """The JSON object of the body, {} for none. Raises TooLarge, UnsupportedMedia, Malformed."""
    data = _body(request)
    if not data.strip():
        return {}
    media = str(request.headers.get("content-type", "")).split(";")[0].strip().lower()
    if media != "application/json" and not media.endswith("+json"):
        raise UnsupportedMedia("send the body as Content-Type: application/json")
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise UnsupportedMedia("send the body as it is, without Content-Encoding")
    try:
        body = json.loads(data.decode(), parse_int=_whole, parse_constant=_no_constant, object_pairs_hook=_object)
    except ValueError as error:
        raise Malformed(f"the body is not JSON: {error}") from None
    except RecursionError:
        raise Malformed("the body is not JSON that can be read: it is nested too deep") from None
    if not isinstance(body, dict):
        raise Malformed("the body must be a JSON object")
    return body


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of a field that is there twice, no one knows which was meant."""
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
