"""Signals with bodies of any size, over a real socket: the ping is taken, and memory and disk stay as they are."""

import http.client
import json
import resource
from collections.abc import Iterator
from typing import Any

import pytest
from chalice.app import Chalice

from infra.local.api_gateway import MAX_BODY
from infra.local.long_bodies import KEPT, HeadAndTail
from tests.local.serving import serving

MEGABYTE = 1024 * 1024


def make_app() -> Chalice:
    """An app that answers with what it got."""
    app = Chalice(app_name="echo")

    def view(**_params: str) -> dict[str, Any]:
        request = app.current_request
        assert request is not None
        body = request.raw_body or b""
        assert isinstance(body, bytes)
        return {"size": len(body), "tail": body[-9:].decode(), "cut": request.context["cutBytes"]}

    for path in ("/api/ping/{cron_id}", "/api/crons/{cron_id}/start", "/api/orgs"):
        app.route(path, methods=["POST"], content_types=["*/*"], name=path)(view)
    return app


@pytest.fixture
def port() -> Iterator[int]:
    with serving(make_app()) as port:
        yield port


def blocks(megabytes: int) -> Iterator[bytes]:
    yield b"head of it"
    for _ in range(megabytes):
        yield b"x" * MEGABYTE
    yield b"the error"


def send(
    port: int, path: str, megabytes: int, *, chunked: bool = False, headers: dict[str, str] | None = None
) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    length = {} if chunked else {"Content-Length": str(megabytes * MEGABYTE + 19)}
    sent = {"Content-Type": "text/plain", **length, **(headers or {})}
    connection.request("POST", path, blocks(megabytes), sent, encode_chunked=chunked)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("path", ["/api/ping/x", "/api/ping/x/", "/api/crons/x/start"])
def test_a_signal_of_a_hundred_megabytes_is_taken_and_costs_little_memory(
    port: int, path: str, chunked: bool
) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    status, answer = send(port, path, 100, chunked=chunked)

    assert status == 200
    assert answer == {"size": 2 * KEPT, "tail": "the error", "cut": 100 * MEGABYTE + 19 - 2 * KEPT}
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60 * 1024


@pytest.mark.parametrize("chunked", [False, True])
def test_a_signal_of_ordinary_size_arrives_whole(port: int, chunked: bool) -> None:
    status, answer = send(port, "/api/ping/x", 1, chunked=chunked)

    assert (status, answer) == (200, {"size": MEGABYTE + 19, "tail": "the error", "cut": 0})


def test_nobody_else_can_say_what_was_cut(port: int) -> None:
    _, answer = send(port, "/api/ping/x", 1, headers={"X-CronHub-Cut-Bytes": "999"})

    assert answer["cut"] == 0


def test_other_routes_refuse_a_long_body(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.putrequest("POST", "/api/orgs")
    connection.putheader("Content-Length", str(MAX_BODY + 1))
    connection.endheaders()

    assert connection.getresponse().status == 413


@pytest.mark.parametrize("text", ["a\nb", 'say "x"', "C:\\dir\\", "é\u2028", "plain"])
def test_a_long_json_string_stays_json_wherever_it_is_cut(text: str) -> None:
    # As JSON, longer than what is kept.
    long = text * (5 * KEPT // (2 * len(json.dumps(text)) - 4))
    for shift in range(14):
        data = json.dumps({"message": "." * shift + long, "status": "fail"}).encode()
        kept = HeadAndTail()
        kept.append(data)

        assert json.loads(kept.getfile().read())["status"] == "fail"
        assert kept.cut > 0
        assert kept.cut + len(kept) == len(data)


def test_head_and_tail_of_every_length() -> None:
    for size in (0, 1, KEPT - 1, KEPT, KEPT + 1, 2 * KEPT, 2 * KEPT + 1, 5 * KEPT + 3):
        data = bytes(range(256)) * (size // 256 + 1)
        kept = HeadAndTail()
        for start in range(0, size, 700_001):
            kept.append(data[start : min(start + 700_001, size)])
        found = kept.getfile().read()

        assert len(kept) == len(found) == min(size, 2 * KEPT)
        assert found == (data[:size] if size <= 2 * KEPT else data[:KEPT] + data[size - KEPT : size])
        assert kept.cut == size - len(found)
