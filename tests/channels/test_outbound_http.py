"""Outgoing HTTP: where it goes, where it does not, and that it ends."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import trustme

from chalicelib.outbound import http
from chalicelib.outbound.http import Address, BadTarget, Unresolved, check_url, post
from chalicelib.outbound.public_addresses import why_not_public
from tests.channels.receivers import Reply, receiver

Names = Callable[..., None]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """`names(**{"a.test": ["10.0.0.1"]})`: what names there are; others are not known."""

    def install(**known: list[str]) -> None:
        def resolve(host: str, port: int) -> list[Address]:
            if host not in known:
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            return [(_family(address), (address, port)) for address in known[host]]

        monkeypatch.setattr(http, "resolve", resolve)

    return install


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "//example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "javascript:alert(1)",
        "http://",
        "http:///path",
        "http://:80/",
        "http://user@example.com/",
        "http://user:password@example.com/",
        "http://example.com:port/",
        "http://example.com:99999/",
        "http://[::1",
        "http://exa mple.com/",
        "http://example.com/\r\nX-Header: 1",
        "http://example.com\\@127.0.0.1/",
        "http://.example.com/",
        "http://a..b/",
        f"http://{'a' * 64}.com/",
        "http://exa<mple.com/",
    ],
)
def test_what_is_no_web_address_is_refused(url: str, names: Names) -> None:
    names(**{"example.com": ["93.184.215.14"]})
    with pytest.raises(BadTarget):
        check_url(url)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "127.1",
        "2130706433",
        "0x7f000001",
        "017700000001",
        "0",
        "[::ffff:127.0.0.1]",
    ],
)
def test_this_machine_is_refused_however_it_is_written(host: str) -> None:
    with pytest.raises(BadTarget, match="not public"):
        check_url(f"http://{host}/")


def test_a_public_address_is_taken(names: Names) -> None:
    names(**{"example.com": ["93.184.215.14", "2606:2800:21f::1"], "xn--mller-kva.example": ["93.184.215.14"]})
    check_url("https://example.com/hook?a=b")
    check_url("http://müller.example:8080/")


def test_one_bad_address_among_good_ones_is_enough(names: Names) -> None:
    names(**{"mixed.test": ["93.184.215.14", "10.0.0.1"]})
    with pytest.raises(BadTarget, match="private"):
        check_url("https://mixed.test/")


def test_a_name_without_an_address_may_have_one_later(names: Names) -> None:
    names()
    with pytest.raises(Unresolved):
        check_url("https://nowhere.test/")


def test_private_addresses_are_taken_where_the_deployment_says_so(private_allowed: None) -> None:
    check_url("http://127.0.0.1:9/")


def test_a_name_that_answers_otherwise_the_second_time_gains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    # A rebinding name: public when it is checked, this machine when it is asked again.
    asked: list[str] = []
    tried: list[object] = []

    def resolve(host: str, port: int) -> list[Address]:
        asked.append(host)
        return [(socket.AF_INET, ("93.184.215.14" if len(asked) == 1 else "127.0.0.1", port))]

    class Socket(socket.socket):
        def connect(self, address: object) -> None:
            tried.append(address)
            raise ConnectionRefusedError

    monkeypatch.setattr(http, "resolve", resolve)
    monkeypatch.setattr(socket, "socket", Socket)
    with pytest.raises(ConnectionRefusedError):
        post("http://rebinding.test/", b"", {})

    assert asked == ["rebinding.test"]
    assert tried == [("93.184.215.14", 80)]


def test_nothing_is_sent_to_a_private_address() -> None:
    with receiver() as one, pytest.raises(BadTarget):
        post(one.url, b"{}", {})
    assert one.got == []


def test_it_goes_out_as_it_was_given(private_allowed: None) -> None:
    with receiver(Reply(200, {"X-Answer": "yes"}, b"fine")) as one:
        answer = post(one.url, b'{"a":1}', {"X-Mine": "1"})

    (got,) = one.got
    assert (got.method, got.path, got.body) == (
        "POST",
        "/hook/very-secret-path?token=very-secret-token",
        b'{"a":1}',
    )
    assert got.headers["host"] == f"127.0.0.1:{one.port}"
    assert got.headers["x-mine"] == "1"
    assert (answer.status, answer.headers["x-answer"], answer.text) == (200, "yes", "fine")


def test_what_is_not_ascii_is_percent_encoded(private_allowed: None) -> None:
    with receiver() as one:
        post(f"http://127.0.0.1:{one.port}/größe/%2Fa?b=ü", b"", {})
    assert one.got[0].path == "/gr%C3%B6%C3%9Fe/%2Fa?b=%C3%BC"


@pytest.mark.parametrize("status", [307, 308])
def test_a_redirect_that_keeps_the_message_is_followed(private_allowed: None, status: int) -> None:
    with receiver() as second, receiver(Reply(status, {"Location": second.url})) as first:
        answer = post(first.url, b"body", {"X-Mine": "1"})

    assert answer.status == 200
    assert [(got.method, got.body, got.headers["x-mine"]) for got in second.got] == [("POST", b"body", "1")]


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_redirect_that_would_lose_the_message_is_an_answer(private_allowed: None, status: int) -> None:
    with receiver() as second, receiver(Reply(status, {"Location": second.url})) as first:
        assert post(first.url, b"body", {}).status == status
    assert second.got == []


def test_a_relative_redirect_is_followed(private_allowed: None) -> None:
    with receiver(Reply(308, {"Location": "/other?x=1"}), Reply(200)) as one:
        post(one.url, b"body", {})
    assert [got.path for got in one.got][1:] == ["/other?x=1"]


def test_redirects_are_followed_three_times(private_allowed: None) -> None:
    again = Reply(307, {"Location": "/again"})
    with receiver(again, again, again, Reply(200)) as one:
        assert post(one.url, b"", {}).status == 200
    with receiver(again) as one, pytest.raises(BadTarget, match="more than 3"):
        post(one.url, b"", {})
    assert len(one.got) == 4


@pytest.mark.parametrize(
    "location",
    ["http://169.254.169.254/latest/meta-data/", "http://localhost/", "file:///etc/passwd", "http://u:p@x/"],
)
def test_a_redirect_is_checked_as_any_address_is(monkeypatch: pytest.MonkeyPatch, location: str) -> None:
    with receiver(Reply(307, {"Location": location})) as one:
        # Only the receiver's own address is let through.
        real = why_not_public
        monkeypatch.setattr(http, "resolve", _with_public_name(one.port))
        monkeypatch.setattr(http, "why_not_public", lambda a: None if a == "127.0.0.1" else real(a))
        with pytest.raises(BadTarget):
            post(f"http://public.test:{one.port}/", b"", {})
    assert len(one.got) == 1


def _with_public_name(port: int) -> Callable[[str, int], list[Address]]:
    def resolve(host: str, asked: int) -> list[Address]:
        known = {"public.test": "127.0.0.1", "localhost": "::1"}
        address = known.get(host, host)
        return [(_family(address), (address, asked))]

    return resolve


def test_an_answer_is_read_up_to_64_kb(private_allowed: None) -> None:
    with receiver(Reply(200, {}, b"x" * 1_000_000)) as one:
        assert len(post(one.url, b"", {}).text) == 64 * 1024


@contextmanager
def dripping(head: bytes, drip: bytes) -> Iterator[str]:
    """A server that sends its answer a few bytes at a time, each well within any one wait."""
    listening = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve() -> None:
        one, _ = listening.accept()
        with one:
            try:
                one.sendall(head)
                while not over.wait(0.01):
                    one.sendall(drip)
            except OSError:
                pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    finally:
        over.set()
        thread.join(5)
        listening.close()


@pytest.mark.parametrize(
    ("head", "drip"),
    [
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\n", b"X-More: 1\r\n"[:1]),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
)
def test_a_server_that_sends_a_byte_now_and_then_is_left_in_time(
    private_allowed: None, head: bytes, drip: bytes
) -> None:
    with dripping(head, drip) as url:
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            post(url, b"", {}, seconds=0.15)
        assert time.monotonic() - began < 5


def test_an_answer_that_does_not_end_is_one_all_the_same(
    private_allowed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(*_: object) -> str:
        raise TimeoutError

    monkeypatch.setattr(http, "_beginning_of", endless)
    with receiver() as one:
        assert post(one.url, b"", {}).status == 200


def test_a_server_that_does_not_answer_is_left_in_time(private_allowed: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(TimeoutError):
        post(f"http://127.0.0.1:{silent.getsockname()[1]}/", b"", {}, seconds=0.1)


def test_a_search_for_a_name_that_does_not_end_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(http, "resolve", lambda *_: over.wait(5) and [])
    with pytest.raises(TimeoutError):
        post("http://slow.test/", b"", {}, seconds=0.1)
    over.set()


@pytest.mark.parametrize(
    "said", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200]
)
def test_what_is_no_http_is_no_answer(private_allowed: None, said: bytes) -> None:
    from http.client import HTTPException

    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        one, _ = listening.accept()
        with one:
            one.recv(65536)
            one.sendall(said)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with pytest.raises((OSError, HTTPException)):
        post(f"http://127.0.0.1:{listening.getsockname()[1]}/", b"", {}, seconds=5)
    thread.join(5)
    listening.close()


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """An authority of our own that the client trusts."""
    made = trustme.CA()

    def trusting(*args: object, **more: object) -> ssl.SSLContext:
        context = real(*args, **more)  # type: ignore[arg-type]
        made.configure_trust(context)
        return context

    real = ssl.create_default_context
    monkeypatch.setattr(ssl, "create_default_context", trusting)
    return made


def served_with(authority: trustme.CA, name: str) -> Callable[[socket.socket], socket.socket]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return lambda plain: context.wrap_socket(plain, server_side=True)


def test_over_tls_the_certificate_must_be_of_the_name(
    authority: trustme.CA, private_allowed: None, names: Names
) -> None:
    names(**{name: ["127.0.0.1"] for name in ("good.test", "other.test", "127.0.0.1")})
    with receiver(wrap=served_with(authority, "good.test"), scheme="https") as one:
        assert post(f"https://good.test:{one.port}/x", b"", {}).status == 200
        with pytest.raises(ssl.SSLCertVerificationError):
            post(f"https://other.test:{one.port}/x", b"", {})
        with pytest.raises(ssl.SSLCertVerificationError):
            post(f"https://127.0.0.1:{one.port}/x", b"", {})
    assert [got.headers["host"] for got in one.got] == [f"good.test:{one.port}"]


def test_an_unknown_authority_is_not_believed(private_allowed: None, names: Names) -> None:
    names(**{"good.test": ["127.0.0.1"]})
    with (
        receiver(wrap=served_with(trustme.CA(), "good.test"), scheme="https") as one,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        post(f"https://good.test:{one.port}/x", b"", {})


def test_no_redirect_leads_from_https_to_http(authority: trustme.CA, private_allowed: None, names: Names) -> None:
    names(**{"good.test": ["127.0.0.1"]})
    reply = Reply(307, {"Location": "http://good.test/"})
    with (
        receiver(reply, wrap=served_with(authority, "good.test"), scheme="https") as one,
        pytest.raises(BadTarget, match="https to http"),
    ):
        post(f"https://good.test:{one.port}/x", b"", {})
