"""The gateway: a request becomes the event that Lambda would get, its answer an HTTP answer."""

import base64
import io
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import Any
from wsgiref.validate import validator

import pytest
from chalice import Chalice, Response

from infra.local.api import Server
from infra.local.api_gateway import MAX_BODY, Gateway
from infra.local.log import loggable
from tests.local.serving import serving


def make_app() -> Chalice:  # noqa: C901 - a list of small routes
    app = Chalice(app_name="tiny", configure_logs=False)

    def seen() -> dict[str, Any]:
        request: Any = app.current_request
        query = request.query_params
        return {
            "query": {name: query.getlist(name) for name in query or ()},
            "headers": dict(request.headers),
            "body": base64.b64encode(request.raw_body).decode(),
            "ip": request.context["identity"]["sourceIp"],
        }

    @app.route("/", methods=["GET", "HEAD"])
    def root() -> dict[str, Any]:
        return seen()

    @app.route("/things/{name}", methods=["GET", "POST"], content_types=["*/*"])
    def thing(name: str) -> dict[str, Any]:
        return seen() | {"name": name}

    @app.route("/things/special")
    def special() -> str:
        return "special"

    @app.route("/slow/{name}")
    def slow(name: str) -> dict[str, Any]:
        time.sleep(0.002)
        request: Any = app.current_request
        return {
            "argument": name,
            "uri": request.uri_params,
            "query": request.query_params["q"],
            "context": app.lambda_context.aws_request_id == request.lambda_context.aws_request_id,
        }

    @app.route("/cookies")
    def cookies() -> Response:
        return Response("é", headers={"Set-Cookie": ["a=1", "b=2"], "Content-Type": "text/plain"})

    @app.route("/image", methods=["GET"])
    def image() -> Response:
        return Response(b"\x89PNG\0", headers={"Content-Type": "image/png"})

    @app.route("/nothing")
    def nothing() -> Response:
        return Response("", status_code=204)

    @app.route("/boom")
    def boom() -> None:
        raise RuntimeError("secret")

    @app.route("/bad-header")
    def bad_header() -> Response:
        return Response("", headers={"X-Bad": "a\rb"})

    return app


class Answer:
    def __init__(self, status: str, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status = int(status[:3])
        self.headers = headers
        self.body = body

    def header(self, name: str) -> str | None:
        return dict(self.headers).get(name)

    def json(self) -> Any:
        return json.loads(self.body)


def call(gateway: Gateway, target: str, method: str = "GET", body: bytes = b"", **environ: Any) -> Answer:
    path, _, query = target.partition("?")
    full = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "REQUEST_URI": target,
        "PATH_INFO": path if path.startswith("/") else "/",
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "203.0.113.7",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **({"CONTENT_LENGTH": str(len(body))} if body else {}),
        **environ,
    }
    environ_sent = {name: value for name, value in full.items() if value is not None}
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> Any:
        started.append((status, headers))
        return lambda _data: None

    chunks: Any = validator(gateway)(environ_sent, start_response)
    content = b"".join(chunks)
    chunks.close()
    status, headers = started[0]
    return Answer(status, headers, content)


@pytest.fixture(scope="module")
def gateway() -> Gateway:
    return Gateway(make_app())


def assert_problem(answer: Answer, status: int) -> None:
    assert answer.status == status
    assert answer.header("Content-Type") == "application/problem+json"
    assert answer.json()["status"] == status
    assert {"type", "title", "detail"} <= answer.json().keys()


def test_repeated_query_parameters_are_all_kept_and_decoded_once(gateway: Gateway) -> None:
    query = call(gateway, "/?tag=a&tag=%C3%A9&e=&x=%2541&p=a+b").json()["query"]
    assert query == {"tag": ["a", "é"], "e": [""], "x": ["%41"], "p": ["a b"]}


def test_a_path_parameter_comes_as_it_was_sent(gateway: Gateway) -> None:
    assert call(gateway, "/things/a%2Fb%20c").json()["name"] == "a%2Fb%20c"


def test_a_literal_route_wins_over_a_parameter(gateway: Gateway) -> None:
    assert call(gateway, "/things/special").body == b"special"


def test_a_trailing_slash_and_an_absolute_target_are_the_same_path(gateway: Gateway) -> None:
    assert call(gateway, "/things/x/").json()["name"] == "x"
    assert call(gateway, "http://host/things/x").json()["name"] == "x"


def test_without_the_raw_target_the_path_is_encoded_again(gateway: Gateway) -> None:
    answer = call(gateway, "/", REQUEST_URI=None, PATH_INFO="/things/a b\xc3\xa9")
    assert answer.json()["name"] == "a%20b%C3%A9"


def test_headers_arrive_under_their_names(gateway: Gateway) -> None:
    headers = call(gateway, "/things/x", HTTP_X_TWO="a, b", CONTENT_TYPE="text/plain").json()["headers"]
    assert headers["x-two"] == "a, b"
    assert headers["content-type"] == "text/plain"


@pytest.mark.parametrize("content_type", ["application/json", "application/octet-stream"])
@pytest.mark.parametrize("body", [b'{"a":"\xc3\xa9"}', b"\xff\0\x80", b"a\0b"])
def test_a_body_arrives_byte_for_byte(gateway: Gateway, body: bytes, content_type: str) -> None:
    answer = call(gateway, "/things/x", "POST", body, CONTENT_TYPE=content_type)
    assert base64.b64decode(answer.json()["body"]) == body


def test_the_client_address_is_the_connection_s(gateway: Gateway) -> None:
    answer = call(gateway, "/", HTTP_X_FORWARDED_FOR="192.0.2.1")
    assert answer.json()["ip"] == "203.0.113.7"


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("10.0.0.1, 192.0.2.9", "192.0.2.9"),
        ("2001:db8::1", "2001:db8::1"),
        ("rubbish", "203.0.113.7"),
        ("", "203.0.113.7"),
    ],
)
def test_a_trusted_proxy_names_the_client(forwarded: str, expected: str) -> None:
    gateway = Gateway(make_app(), trust_proxy=True)
    assert call(gateway, "/", HTTP_X_FORWARDED_FOR=forwarded).json()["ip"] == expected


def test_head_has_the_headers_of_get_and_no_body(gateway: Gateway) -> None:
    head = call(gateway, "/", "HEAD")
    assert head.status == 200
    assert head.body == b""
    assert head.header("Content-Type") == "application/json"
    assert int(head.header("Content-Length") or 0) > 0


def test_repeated_headers_of_an_answer_stay_apart(gateway: Gateway) -> None:
    answer = call(gateway, "/cookies")
    assert [value for name, value in answer.headers if name == "Set-Cookie"] == ["a=1", "b=2"]
    assert answer.body == "é".encode()


def test_a_binary_answer_goes_out_as_bytes(gateway: Gateway) -> None:
    assert call(gateway, "/image", HTTP_ACCEPT="image/png").body == b"\x89PNG\0"


def test_no_content_has_no_body_and_no_length(gateway: Gateway) -> None:
    answer = call(gateway, "/nothing")
    assert (answer.status, answer.body, answer.header("Content-Length")) == (204, b"", None)


@pytest.mark.parametrize("path", ["/missing", "/things/", "/things//", "//api", "/things/a/b", "*"])
def test_an_unknown_path_is_a_404_problem(gateway: Gateway, path: str) -> None:
    assert_problem(call(gateway, path, HTTP_AUTHORIZATION="Bearer é"), 404)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_an_unknown_path_is_a_page_in_a_browser(gateway: Gateway, language: str) -> None:
    browser: dict[str, Any] = {"HTTP_ACCEPT": "text/html,*/*;q=0.8", "HTTP_ACCEPT_LANGUAGE": language}

    answer = call(gateway, "/nowhere/at/all", **browser)
    of_api = call(gateway, "/api/nowhere", **browser)
    posted = call(gateway, "/nowhere", method="POST", **browser)
    undecodable = call(gateway, "/%ff", **browser)

    assert answer.status == 404
    assert answer.header("Content-Type") == "text/html; charset=utf-8"
    assert ("Page introuvable" if language == "fr" else "Page not found") in answer.body.decode()
    assert 'href="../../' in answer.body.decode()
    assert_problem(of_api, 404)
    assert_problem(posted, 404)
    assert undecodable.status == 400
    assert "<h1>" in undecodable.body.decode()


def test_an_app_that_fails_is_a_page_in_a_browser(gateway: Gateway) -> None:
    answer = call(gateway, "/boom", HTTP_ACCEPT="text/html")

    assert answer.status == 500
    assert "<h1>Something went wrong</h1>" in answer.body.decode()
    assert b"secret" not in answer.body


@pytest.mark.parametrize("method", ["DELETE", "HEAD", "OPTIONS", "PUT"])
def test_an_unknown_method_is_a_405_that_says_what_is_allowed(gateway: Gateway, method: str) -> None:
    answer = call(gateway, "/things/x", method)
    assert answer.status == 405
    assert answer.header("Allow") == "GET, POST"


@pytest.mark.parametrize("path", ["/%00", "/things/a%00b", "/%ff", "/%2", "/%zz", "/\xff", "/\0"])
def test_an_undecodable_path_is_a_400_problem(gateway: Gateway, path: str) -> None:
    assert_problem(call(gateway, path), 400)


@pytest.mark.parametrize("path", ["/boom", "/bad-header"])
def test_a_failure_of_the_app_is_a_500_problem_that_tells_nothing(gateway: Gateway, path: str) -> None:
    answer = call(gateway, path)
    assert_problem(answer, 500)
    assert b"secret" not in answer.body


def test_a_declared_body_that_is_too_large_is_refused_unread(gateway: Gateway) -> None:
    class Unreadable(io.BytesIO):
        def read(self, *_: Any) -> bytes:
            raise AssertionError("was read")

    unread: dict[str, Any] = {"wsgi.input": Unreadable(), "CONTENT_LENGTH": str(MAX_BODY + 1)}
    assert_problem(call(gateway, "/things/x", "POST", **unread), 413)


def test_a_wrong_content_length_is_a_400_problem(gateway: Gateway) -> None:
    assert_problem(call(gateway, "/things/x", "POST", CONTENT_LENGTH="1_0"), 400)


def test_requests_at_the_same_time_never_see_each_other(gateway: Gateway) -> None:
    def ask(number: int) -> bool:
        answer = call(gateway, f"/slow/n{number}?q={number}").json()
        return bool(
            answer
            == {
                "argument": f"n{number}",
                "uri": {"name": f"n{number}"},
                "query": str(number),
                "context": True,
            }
        )

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(ask, range(400)))


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/api/crons/0190a5b2-7c1d-8e2f-9a3b-4c5d6e7f8091", None),
        ("/api/orgs/mon-org/api-keys", None),
        ("/api/orgs/mon-org/invite", None),
        ("/api/keys/ch_0123456789abcdefghijABCDEFGHIJ0123456789", "/api/keys/ch_…"),
        ("/api/invitations/s3cret/accept", "/api/invitations/…/accept"),
        ("/join/0123456789abcdefghijABCDEFGHIJ", "/join/…"),
        ("/a\x1b[2Jb", "/a?[2Jb"),
    ],
)
def test_the_log_shows_a_path_without_its_secrets(path: str, shown: str | None) -> None:
    assert loggable(path) == (shown or path)


@pytest.fixture
def port() -> Iterator[int]:
    """A real server over the tiny app."""
    with serving(make_app()) as port:
        yield port


def received(port: int, sent: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(sent)
        return connection.recv(65536)


def test_a_kept_alive_connection_answers_without_delay(port: int) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    took = []
    for _ in range(20):
        began = time.perf_counter()
        connection.request("GET", "/")
        assert connection.getresponse().read()
        took.append(time.perf_counter() - began)
    connection.close()
    # Small writes that meet delayed acknowledgements would take 40 ms each.
    assert sorted(took)[10] < 0.03


@pytest.mark.parametrize("extra", [b"", b"Expect: 100-continue\r\n"])
def test_the_server_refuses_a_large_body_at_its_headers(port: int, extra: bytes) -> None:
    head = b"POST /api/crons/register HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n" + extra + b"\r\n"
    answer = received(port, head)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"application/problem+json" in answer


@pytest.mark.parametrize("target", [b"http://[", b"/\xff", b"/%00", b"/\0", b"/%", b"//[", b"/?\xff"])
def test_no_target_is_left_without_an_answer(port: int, target: bytes) -> None:
    answer = received(port, b"GET " + target + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 404 "))
    assert b"application/problem+json" in answer


def test_a_stopping_server_answers_what_it_has_begun() -> None:
    started = threading.Event()
    app = Chalice(app_name="tiny", configure_logs=False)

    @app.route("/")
    def slow() -> str:
        started.set()
        time.sleep(0.3)
        return "done"

    listener = socket.create_server(("127.0.0.1", 0))
    address = listener.getsockname()
    server = Server(Gateway(app), [listener])
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    with socket.create_connection(address, timeout=5) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert started.wait(5)
        server.stop()
        answer = b""
        while received_now := connection.recv(65536):
            answer += received_now
    thread.join(10)
    assert answer.endswith(b"done")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=5)


def test_a_server_may_be_told_to_stop_when_it_has_stopped() -> None:
    server = Server(Gateway(make_app()), [socket.create_server(("127.0.0.1", 0))])
    server.stop()
    server.serve()

    server.stop()
