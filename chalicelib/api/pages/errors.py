"""Errors as pages, for who opened a page and not the API."""

import logging
from typing import NamedTuple

from chalice.app import Response

from chalicelib.api.http.request import Call
from chalicelib.api.pages import render
from chalicelib.api.pages.language import language_of, translated

log = logging.getLogger("cronhub.pages")


class _Words(NamedTuple):
    title: str
    text: str


_NOT_FOUND = _Words(
    "Page not found", "There is nothing at this address. It may have moved, or the link may be incomplete."
)
_BUSY = _Words("Too many requests", "Please wait a minute, then try again.")
_UNAVAILABLE = _Words(
    "Not available at the moment", "CronHub cannot answer just now. Please try again in a few seconds."
)
_FAILED = _Words("Something went wrong", "The error is on our side, and it was logged. Please try again later.")
_WORDS = {400: _NOT_FOUND, 404: _NOT_FOUND, 410: _NOT_FOUND, 422: _NOT_FOUND, 429: _BUSY, 503: _UNAVAILABLE}


def error_page(call: Call, status: int) -> Response | None:
    """The page for an error of this status; None where not even that can be made."""
    words, language = _WORDS.get(status, _FAILED), language_of(call)
    values = {
        "status": status,
        "title": translated(language, words.title),
        "text": translated(language, words.text),
    }
    try:
        answer = render.page(call, "error.html", values, status)
    except Exception:
        log.exception("the page for an error could not be made")
        return None
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer
