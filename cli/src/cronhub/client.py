"""Requests to CronHub. What goes wrong is either unreachable (try again) or refused (do not)."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import Any, Dict, Iterator, NamedTuple, Union  # noqa: UP035
from urllib.parse import quote, urlencode

from cronhub import __version__
from cronhub.settings import Settings, UsageError

#: A JSON object, as it came.
Object = Dict[str, Any]  # noqa: UP006
Query = Dict[str, Union[str, int, None]]  # noqa: UP006

TIMEOUT = 60.0
_MOST_BYTES = 64 * 1024 * 1024
#: These say "not now"; every other error of the API says "not like this".
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})


class Unreachable(Exception):
    """There was no answer, or one that says to try again later."""

    def __init__(self, why: str, retry_after: float | None = None) -> None:
        super().__init__(why)
        self.retry_after = retry_after


class Refused(Exception):
    """CronHub answered no."""

    def __init__(self, status: int, problem: Object) -> None:
        self.status = status
        self.problem = problem
        super().__init__(self._text())

    def _text(self) -> str:
        wrong = self.problem.get("errors")
        if isinstance(wrong, list) and wrong:
            return "; ".join(f"{one.get('field')}: {one.get('message')}" for one in wrong[:20])
        return str(self.problem.get("detail") or self.problem.get("title") or f"status {self.status}")


class Call(NamedTuple):
    method: str
    path: str
    query: Query | None = None
    #: Sent as JSON.
    body: Object | None = None
    #: Sent as plain text.
    text: bytes | None = None
    timeout: float = TIMEOUT


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected POST would arrive as a GET without its body."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Client:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._opener = urllib.request.build_opener(_NoRedirect)

    def send(self, call: Call) -> Object:
        """Returns the answer's JSON. Raises Unreachable, Refused."""
        request = urllib.request.Request(self._url(call), method=call.method)  # noqa: S310
        request.add_header("User-Agent", f"cronhub/{__version__}")
        request.add_header("Accept", "application/json")
        if self.settings.key:
            # Not sent on to another host, should there be a redirect.
            request.add_unredirected_header("Authorization", f"Bearer {self.settings.key}")
        if call.body is not None:
            request.data = json.dumps(call.body).encode()
            request.add_header("Content-Type", "application/json")
        elif call.text is not None:
            request.data = call.text
            request.add_header("Content-Type", "text/plain; charset=utf-8")
        return self._answer(request, call.timeout)

    def get(self, path: str, query: Query | None = None) -> Object:
        return self.send(Call("GET", path, query))

    def post(self, path: str, body: Object | None = None) -> Object:
        return self.send(Call("POST", path, body=body or {}))

    def patch(self, path: str, body: Object) -> Object:
        return self.send(Call("PATCH", path, body=body))

    def delete(self, path: str) -> None:
        self.send(Call("DELETE", path))

    def pages(self, path: str, items: str, query: Query | None = None) -> Iterator[Object]:
        """All items of a list, page by page."""
        cursor: str | None = None
        while True:
            answer = self.get(path, {"limit": 1000, **(query or {}), "cursor": cursor})
            yield from answer[items]
            cursor = answer.get("next_cursor")
            if cursor is None:
                return

    def _url(self, call: Call) -> str:
        given = {name: value for name, value in (call.query or {}).items() if value is not None}
        return self.settings.url + quote(call.path) + (f"?{urlencode(given)}" if given else "")

    def _answer(self, request: urllib.request.Request, timeout: float) -> Object:
        try:
            with self._opener.open(request, timeout=timeout) as response:
                return _json(response.read(_MOST_BYTES))
        except urllib.error.HTTPError as error:
            with error:
                _raise_for(error, request)
        except (OSError, HTTPException, ssl.SSLError) as error:
            reason = getattr(error, "reason", None) or error
            raise Unreachable(f"{self.settings.url}: {reason}") from None
        raise AssertionError


def _raise_for(error: urllib.error.HTTPError, request: urllib.request.Request) -> None:
    status = error.code
    if 300 <= status < 400:
        where = error.headers.get("Location", "elsewhere")
        raise Refused(
            status, {"detail": f"{request.host} has moved to {where}: set CRONHUB_URL to the new address"}
        )
    try:
        problem = _json(error.read(1024 * 1024))
    except (OSError, HTTPException):
        problem = {}
    if status in _PASSING:
        raise Unreachable(
            str(problem.get("detail") or f"status {status}"), _seconds(error.headers.get("Retry-After"))
        )
    raise Refused(status, problem)


def _json(data: bytes) -> Object:
    try:
        found = json.loads(data) if data else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {"items": found}


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.isdigit() else None


def with_key(settings: Settings) -> Client:
    if not settings.key:
        raise UsageError(
            "this needs an API key: set CRONHUB_API_KEY, or write `api_key = ch_…` into ~/.config/cronhub/config"
        )
    return Client(settings)
