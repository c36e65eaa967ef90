"""Apprise: what it sends, and where it must not reach."""

import json
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from chalicelib.channels import apprise as apprise_channel
from chalicelib.channels.message import State
from chalicelib.channels.send import deliver, why_not
from chalicelib.domain.alerts.channel import Channel, ChannelKind
from chalicelib.outbound import http
from chalicelib.outbound.public_addresses import why_not_public
from chalicelib.outbound.sandbox import NotAllowed, confined
from tests.channels.receivers import NOON, Reply, channel, message, receiver


def apprise(url: str) -> Channel:
    return channel(url, ChannelKind.APPRISE)


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the URL did not name where it leads: only what is connected to is left to be checked."""
    monkeypatch.setattr(apprise_channel, "_require_public", lambda _: None)


def test_a_message_is_sent(private_allowed: None) -> None:
    with receiver() as one:
        outcome = deliver(apprise(f"json://127.0.0.1:{one.port}/very-secret-path"), message(), NOON)

    (got,) = one.got
    sent = json.loads(got.body)
    assert outcome.state is State.DELIVERED
    assert got.path == "/very-secret-path"
    assert (sent["title"], sent["message"], sent["type"]) == (message().title, message().text, "failure")


def test_where_apprise_fails_its_own_words_are_told_without_secrets(
    private_allowed: None, caplog: pytest.LogCaptureFixture
) -> None:
    with receiver(Reply(500)) as one:
        url = f"json://someuser:some-password@127.0.0.1:{one.port}/very-secret-path"
        outcome = deliver(apprise(url), message(), NOON)

    assert outcome.state is State.LATER
    assert "error=500" in outcome.detail
    for secret in ("very-secret-path", "some-password", "someuser"):
        assert secret not in outcome.detail + caplog.text


def test_where_nothing_answers_it_goes_later(private_allowed: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    outcome = deliver(apprise(f"json://127.0.0.1:{port}/very-secret-path"), message(), NOON)

    assert outcome.state is State.LATER
    assert "very-secret-path" not in outcome.detail


def test_a_receiver_that_does_not_answer_is_left_in_time(
    private_allowed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apprise_channel, "MOST_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        outcome = deliver(apprise(f"json://127.0.0.1:{silent.getsockname()[1]}/"), message(), NOON)

    assert (outcome.state, "in time" in outcome.detail) == (State.LATER, True)


@pytest.mark.parametrize(
    "url",
    [
        "json://{host}:{port}/path",
        "xml://{host}:{port}/path",
        "form://{host}:{port}/path",
        "ntfy://{host}:{port}/topic",
        "gotify://{host}:{port}/abcdefghijklmno",
        "mmost://{host}:{port}/abcdefghijklmnopqrstuvwxyz",
        "rocket://user:pass@{host}:{port}/#channel",
        "matrix://user:pass@{host}:{port}/#room",
        "apprise://{host}:{port}/token12345",
        "rsyslog://{host}:{port}/daemon",
        "mailto://user:pass@example.com:{port}?smtp={host}&to=a@example.com",
    ],
)
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_this_machine_is_not_reached(url: str, host: str, unchecked: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        where = url.format(host=host, port=listening.getsockname()[1])
        outcome = deliver(apprise(where), message(), NOON)
        with pytest.raises(BlockingIOError):
            listening.accept()

    assert outcome.state is State.REFUSED
    assert "not public" in outcome.detail


def test_the_host_in_a_url_is_checked_when_it_is_saved_and_when_it_is_sent_to() -> None:
    for url in ("json://169.254.169.254/x", "mailto://u:p@example.com?smtp=10.0.0.1"):
        assert "not public" in (why_not(ChannelKind.APPRISE, url) or "")
        assert deliver(apprise(url), message(), NOON).state is State.REFUSED


def test_a_redirect_into_the_network_is_not_followed(unchecked: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from chalicelib.outbound import sandbox

    real = why_not_public
    with receiver() as inner, receiver(Reply(307, {"Location": f"http://localhost:{inner.port}/"})) as outer:
        monkeypatch.setattr(sandbox, "why_not_public", lambda address: None if outer.got == [] else real(address))
        outcome = deliver(apprise(f"json://127.0.0.1:{outer.port}/"), message(), NOON)

    assert len(outer.got) == 1
    assert inner.got == []
    assert outcome.state is State.REFUSED


@pytest.mark.parametrize(
    "url",
    [
        "syslog://",
        "dbus://",
        "qt://",
        "kde://",
        "glib://",
        "gnome://",
        "macosx://",
        "windows://",
        "SYSLOG://",
        " syslog://",
    ],
)
def test_what_does_not_leave_this_machine_is_refused(url: str) -> None:
    assert why_not(ChannelKind.APPRISE, url)
    assert deliver(apprise(url), message(), NOON).state is State.REFUSED


@pytest.mark.parametrize(
    "url",
    [
        "",
        "dev@example.com",
        "https://example.com/hook",
        "file:///etc/passwd",
        "bogus://token",
        "json://",
        "discord://tooshort",
        "json://1.1.1.1/?attach=/etc/passwd",
        "json://1.1.1.1/?ATTACH=/etc/passwd",
        "workflows://1.1.1.1/workflow/signature?template=/etc/passwd",
        "fcm://project/abc?keyfile=/etc/passwd",
    ],
)
def test_what_apprise_does_not_take_is_refused(url: str) -> None:
    assert why_not(ChannelKind.APPRISE, url)


def test_what_it_takes_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "resolve", lambda _, port: [(socket.AF_INET, ("93.184.215.14", port))])
    for url in (
        "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general",
        "tgram://123456789:abcdefg_hijklmnop/12315544/",
        "ntfys://ntfy.example.com/topic",
        "mailtos://user:pass@example.com?to=a@example.com",
    ):
        assert why_not(ChannelKind.APPRISE, url) is None


def test_confined_code_reaches_no_file_program_or_local_socket(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    local = str(tmp_path / "socket")
    with confined() as found:
        with pytest.raises(NotAllowed):
            secret.read_text()
        with pytest.raises(NotAllowed):
            open("/proc/self/environ").close()
        with pytest.raises(NotAllowed):
            subprocess.run([sys.executable, "-c", ""], check=False)
        with socket.socket(socket.AF_UNIX) as one, pytest.raises(NotAllowed):
            one.connect(local)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one, pytest.raises(NotAllowed):
            one.sendto(b"x", ("10.0.0.1", 53))
        with socket.socket() as one, pytest.raises(NotAllowed):
            one.connect(("localhost", 1))
        assert Path(http.__file__).name == "http.py"

    assert secret.read_text() == "x"
    assert len(found) == 4


def test_others_are_not_confined_meanwhile(tmp_path: Path) -> None:
    read: list[str] = []
    file = tmp_path / "file"
    file.write_text("x")
    go, done = threading.Event(), threading.Event()

    def other() -> None:
        go.wait(5)
        read.append(file.read_text())
        done.set()

    thread = threading.Thread(target=other, daemon=True)
    thread.start()
    with confined():
        go.set()
        done.wait(5)
    thread.join(5)

    assert read == ["x"]


def test_apprise_is_imported_only_to_send_by_it() -> None:
    said = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, app; print([m for m in ('apprise', 'requests', 'smtplib') if m in sys.modules])",
        ],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    ).stdout
    assert "apprise" not in said
    assert "requests" not in said
