"""The API's own description."""

from functools import cache

from chalice.app import Response

from chalicelib.api.http.request import Call
from chalicelib.api.http.route import route


@route("GET", "/openapi.json", public=True, produces="application/json")
def read_openapi(_call: Call) -> Response:
    """This document: the API as OpenAPI 3.1"""
    return Response(_text(), {"Content-Type": "application/json", "Access-Control-Allow-Origin": "*"}, 200)


@cache
def _text() -> str:
    # Only who asks for it pays for it.
    from chalicelib.api.openapi import as_text

    return as_text()
