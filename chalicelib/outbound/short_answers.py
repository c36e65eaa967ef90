"""Has `requests`, which Apprise sends by, read the beginning of each answer and no more.

Importing this imports requests: it is imported where it is used.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

import requests.sessions
from requests.adapters import HTTPAdapter
from requests.exceptions import RequestException

from chalicelib.outbound.limits import MOST_ANSWER_BYTES

_BODY_SECONDS = 5.0
_BAD_REQUEST = 400

# The headers of answers that tell of a failure; None outside of `short_answers`.
_failures: ContextVar[list[dict[str, str]] | None] = ContextVar("failures", default=None)


@contextmanager
def short_answers() -> Iterator[list[dict[str, str]]]:
    """In this context, answers are cut short. Returns a list of the headers of those that tell of a failure."""
    # A session makes its adapter by this name.
    requests.sessions.HTTPAdapter = _ShortAnswers  # type: ignore[attr-defined]
    found: list[dict[str, str]] = []
    token = _failures.set(found)
    try:
        yield found
    finally:
        _failures.reset(token)


class _ShortAnswers(HTTPAdapter):
    def build_response(self, req: Any, resp: Any) -> requests.Response:
        response = super().build_response(req, resp)
        failures = _failures.get()
        if failures is None:
            return response
        if response.status_code >= _BAD_REQUEST:
            failures.append({name.lower(): value for name, value in response.headers.items()})
        whole: Callable[[int, bool], Iterator[Any]] = response.iter_content  # type: ignore[assignment]

        def beginning(chunk_size: int | None = 1, decode_unicode: bool = False) -> Iterator[Any]:
            return _beginning_of(whole(min(chunk_size or MOST_ANSWER_BYTES, MOST_ANSWER_BYTES), decode_unicode))

        response.iter_content = beginning  # type: ignore[method-assign]
        return response


def _beginning_of(chunks: Iterator[Any]) -> Iterator[Any]:
    """Whatever can be read in time: with its head here, the message has arrived."""
    left, until = MOST_ANSWER_BYTES, time.monotonic() + _BODY_SECONDS
    with suppress(RequestException, OSError):
        for chunk in chunks:
            yield chunk[:left]
            left -= len(chunk)
            if left <= 0 or time.monotonic() >= until:
                return
