"""The documentation is sent packed to browsers that take it, and plain to all others."""

import gzip

import pytest
from chalice.test import HTTPResponse

from app import app
from chalicelib.api.http.packing import PACKED_TYPE
from infra.deploy.api import api as api_resources
from infra.deploy.stages import STAGES
from tests.api.client import Api

CHROMIUM = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Encoding": "gzip, deflate, br, zstd"}


def ask(api: Api, path: str, **headers: str) -> HTTPResponse:
    response: HTTPResponse = api.client.http.request("GET", path, headers={**CHROMIUM, **headers})
    return response


@pytest.mark.parametrize("path", ["/docs", "/docs?lang=fr", "/docs/guides/crontab", "/problems/invalid"])
def test_the_documentation_is_packed_for_a_browser(api: Api, path: str) -> None:
    packed, plain = ask(api, path), ask(api, path, **{"Accept-Encoding": "identity"})

    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) * 2 < len(plain.body)
    for answer in (packed, plain):
        assert "Accept-Encoding" in answer.headers["Vary"]
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "Content-Encoding" not in plain.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"Accept": "*/*"},
        {"Accept": "application/json, text/html"},
        {"Accept": ""},
        {"Accept-Encoding": "br"},
        {"Accept-Encoding": "gzip;q=0, br"},
        {"Accept-Encoding": ""},
    ],
)
def test_others_get_it_plain(api: Api, headers: dict[str, str]) -> None:
    answer = ask(api, "/docs", **headers)

    assert "Content-Encoding" not in answer.headers
    assert answer.body.startswith(b"<!doctype html>")


@pytest.mark.parametrize("path", ["/", "/signin", "/api/health", "/openapi.json"])
def test_nothing_else_is_packed(api: Api, path: str) -> None:
    assert "Content-Encoding" not in ask(api, path).headers


def test_api_gateway_takes_pages_for_binary_and_all_that_the_app_does() -> None:
    for stage in STAGES.values():
        definition = api_resources(stage)["RestAPI"]["Properties"]["DefinitionBody"]
        assert definition["x-amazon-apigateway-binary-media-types"] == [*app.api.binary_types, PACKED_TYPE]
