"""Requests to CronHub. What goes wrong is either unreachable (try again) or refused (do not)."""

from __future__ import annotations

import json
import os
import sys
from email.message import Message
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Dict, Iterator, NamedTuple, Union  # noqa: UP035
from urllib.parse import quote, urlencode, urlsplit

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


class Sent(NamedTuple):
    """A request as it goes over the wire."""

    method: str
    url: str
    headers: Dict[str, str]  # noqa: UP006
    body: bytes | None
    timeout: float


class Answered(NamedTuple):
    status: int
    headers: Message
    body: bytes


class Client:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def send(self, call: Call) -> Object:
        """Returns the answer's JSON. Raises Unreachable, Refused."""
        headers = {"User-Agent": f"cronhub/{__version__}", "Accept": "application/json"}
        if self.settings.key:
            headers["Authorization"] = f"Bearer {self.settings.key}"
        body = None
        if call.body is not None:
            body = json.dumps(call.body).encode()
            headers["Content-Type"] = "application/json"
        elif call.text is not None:
            body = call.text
            headers["Content-Type"] = "text/plain; charset=utf-8"
        sent = Sent(call.method, self._url(call), headers, body, call.timeout)
        try:
            answered = _through_proxy(sent) if _may_have_proxy() else _direct(sent)
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", None)
            why = reason if isinstance(reason, Exception) else error
            raise Unreachable(f"{self.settings.url}: {why}") from None
        if answered.status >= 300:
            _raise_for(answered, sent)
        return _json(answered.body)

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


def _may_have_proxy() -> bool:
    """macOS has proxies in its settings as well."""
    return sys.platform == "darwin" or any(name.lower().endswith("_proxy") for name in os.environ)


def _direct(sent: Sent) -> Answered:
    """Without urllib.request: loading it would take a tenth of what a run of `cronhub exec` costs."""
    parts = urlsplit(sent.url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=sent.timeout)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request(sent.method, target, sent.body, {**sent.headers, "Connection": "close"})
        response = connection.getresponse()
        return Answered(response.status, response.headers, response.read(_MOST_BYTES))
    finally:
        connection.close()


def _through_proxy(sent: Sent) -> Answered:
    import urllib.error
    import urllib.request

    class NoRedirect(urllib.request.HTTPRedirectHandler):
        """A redirected POST would arrive as a GET without its body."""

        def redirect_request(self, *_: Any) -> None:
            return None

    request = urllib.request.Request(sent.url, sent.body, sent.headers, method=sent.method)  # noqa: S310
    try:
        with urllib.request.build_opener(NoRedirect).open(request, timeout=sent.timeout) as response:
            return Answered(response.status, response.headers, response.read(_MOST_BYTES))
    except urllib.error.HTTPError as error:
        with error:
            return Answered(error.code, error.headers, error.read(_MOST_BYTES))


def _raise_for(answered: Answered, sent: Sent) -> None:
    status, headers, body = answered
    if 300 <= status < 400:
        host, where = urlsplit(sent.url).netloc, headers.get("Location", "elsewhere")
        raise Refused(status, {"detail": f"{host} has moved to {where}: set CRONHUB_URL to the new address"})
    problem = _json(body)
    if status in _PASSING:
        raise Unreachable(str(problem.get("detail") or f"status {status}"), _seconds(headers.get("Retry-After")))
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
