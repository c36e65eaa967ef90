"""Webhooks: what is sent, what it is signed with, what the receiver's answer means."""

import base64
import json
import socket
import textwrap
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

import pytest
from freezegun import freeze_time
from standardwebhooks import Webhook, WebhookVerificationError

from chalicelib.channels import webhook
from chalicelib.channels.message import State
from chalicelib.channels.send import deliver
from chalicelib.outbound import http
from tests.channels.receivers import NOON, SECRET, Reply, channel, message, receiver

OTHER = "whsec_" + base64.b64encode(b"another secret of 32 bytes, yes!").decode()


@pytest.fixture(autouse=True)
def _on_this_machine(private_allowed: None) -> None:
    pass


def verified(secret: str, body: bytes, headers: dict[str, str]) -> Any:
    """The event, as a receiver gets it from the library; it refuses what is not of these minutes."""
    with freeze_time(NOON):
        return Webhook(secret).verify(body, headers)


def test_the_event_arrives_signed() -> None:
    with receiver() as one:
        outcome = deliver(channel(one.url), message(), NOON)

    (got,) = one.got
    assert outcome.state is State.DELIVERED
    assert verified(SECRET, got.body, got.headers) == message().event
    assert json.loads(got.body) == message().event
    assert got.headers["content-type"] == "application/json"
    assert got.headers["webhook-id"] == got.headers["x-cronhub-delivery"] == "01jdelivery"
    assert got.headers["webhook-timestamp"] == str(int(NOON.timestamp()))


def test_the_signature_is_of_what_was_sent_and_no_other() -> None:
    with receiver() as one:
        deliver(channel(one.url), message(), NOON)

    (got,) = one.got
    for body, headers, secret in (
        (got.body + b" ", got.headers, SECRET),
        (got.body, got.headers | {"webhook-id": "other"}, SECRET),
        (got.body, got.headers | {"webhook-timestamp": str(int(NOON.timestamp()) + 1)}, SECRET),
        (got.body, got.headers, OTHER),
    ):
        with pytest.raises(WebhookVerificationError):
            verified(secret, body, headers)


def test_while_two_secrets_are_live_each_verifies_it() -> None:
    with receiver() as one:
        deliver(channel(one.url, secrets=(OTHER, SECRET)), message(), NOON)

    (got,) = one.got
    assert len(got.headers["webhook-signature"].split(" ")) == 2
    for secret in (OTHER, SECRET):
        verified(secret, got.body, got.headers)


def test_a_new_secret_is_one_that_receivers_take() -> None:
    secret = webhook.new_secret(bytes(range(32)))
    with receiver() as one:
        deliver(channel(one.url, secrets=(secret,)), message(), NOON)

    verified(secret, one.got[0].body, one.got[0].headers)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (200, State.DELIVERED),
        (201, State.DELIVERED),
        (204, State.DELIVERED),
        (404, State.LATER),
        (410, State.REFUSED),
        (301, State.LATER),
        (302, State.LATER),
        (303, State.LATER),
        (304, State.LATER),
        (400, State.LATER),
        (401, State.LATER),
        (403, State.LATER),
        (429, State.LATER),
        (500, State.LATER),
        (503, State.LATER),
        (999, State.LATER),
    ],
)
def test_what_an_answer_means(status: int, state: State) -> None:
    with receiver(Reply(status, {"Location": "https://example.com/"} if status < 400 else {})) as one:
        outcome = deliver(channel(one.url), message(), NOON)

    assert outcome.state is state
    assert str(status) in outcome.detail
    assert outcome.retry_after_seconds is None


@pytest.mark.parametrize("status", [404, 429, 500, 503])
@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        (" 120 ", 120),
        ("Tue, 10 Mar 2026 12:05:00 GMT", 300),
        ("Tue, 10 Mar 2026 11:00:00 GMT", 0),
        ("86400", 86400),
        ("86401", 86400),
        ("9" * 400, 86400),
        ("Fri, 01 Jan 2100 00:00:00 GMT", 86400),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("Tue, 99 Mar 2026 12:05:00 GMT", None),
        ("Tue, 10 Mar 2026 12:05:00", None),
        ("²", None),
    ],
)
def test_a_receiver_can_say_when_to_come_again(status: int, said: str, seconds: int | None) -> None:
    answer = http.HttpAnswer(status, {"retry-after": said}, "")
    outcome = webhook._outcome(answer, NOON)

    assert (outcome.state, outcome.retry_after_seconds) == (State.LATER, seconds)


def test_the_receivers_own_words_are_kept_up_to_1_kb() -> None:
    with receiver(Reply(400, {}, "\x00\x1b[31mwhy: ½\n".encode() + "ü".encode() * 5000)) as one:
        detail = deliver(channel(one.url), message(), NOON).detail

    assert detail.startswith("answered 400:  [31mwhy: ½\nüü")
    assert 1000 < len(detail.encode()) <= 1024


def test_what_an_answer_repeats_of_our_secrets_is_hidden() -> None:
    echo = (
        f"/hook/very-secret-path?token=very%2Dsecret%2Dtoken very-secret-token {SECRET} http://127.0.0.1".encode()
    )
    with receiver(Reply(400, {}, b"x" * 980 + echo)) as one:
        long = deliver(channel(one.url), message(), NOON).detail
    with receiver(Reply(400, {}, echo)) as one:
        short = deliver(channel(one.url), message(), NOON).detail

    assert "127.0.0.1" in short
    for secret in ("very-secret-path", "secret-token", "very-sec", SECRET, SECRET[6:]):
        assert secret not in long + short


def test_where_nothing_answers_it_goes_later() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    outcome = deliver(channel(f"http://127.0.0.1:{port}/very-secret-path"), message(), NOON)

    assert outcome.state is State.LATER
    assert "refused" in outcome.detail
    assert "very-secret-path" not in outcome.detail


def test_a_slow_receiver_goes_later(monkeypatch: pytest.MonkeyPatch) -> None:
    def post(*args: object) -> http.HttpAnswer:
        raise TimeoutError("it took longer than 10 s")

    monkeypatch.setattr(http, "post", post)
    outcome = deliver(channel("https://example.com/"), message(), NOON)

    assert (outcome.state, outcome.detail) == (State.LATER, "no answer in time: it took longer than 10 s")


def unknown_name(*_: object) -> NoReturn:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


@pytest.mark.parametrize("location", ["/again", "file:///etc/passwd", "http://user:password@example.com/"])
def test_a_receiver_that_leads_on_to_where_nothing_can_be_sent_is_tried_later(
    private_allowed: None, location: str
) -> None:
    with receiver(Reply(307, {"Location": location})) as one:
        assert deliver(channel(one.url), message(), NOON).state is State.LATER


def test_a_private_address_is_refused_and_an_unknown_name_goes_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CRONHUB_ALLOW_PRIVATE_TARGETS")
    with receiver() as one:
        private = deliver(channel(one.url), message(), NOON)
    monkeypatch.setattr(http, "resolve", unknown_name)
    unknown = deliver(channel("https://nowhere.test/"), message(), NOON)

    assert one.got == []
    assert (private.state, "loopback" in private.detail) == (State.REFUSED, True)
    assert (unknown.state, "nowhere.test" in unknown.detail) == (State.LATER, True)


def test_whatever_goes_wrong_nothing_is_raised_and_no_secret_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def post(url: str, *args: object) -> http.HttpAnswer:
        raise RuntimeError(f"cannot send to {url}")

    monkeypatch.setattr(http, "post", post)
    outcome = deliver(channel("https://example.com/very-secret-path"), message(), NOON)

    assert outcome.state is State.LATER
    assert "RuntimeError" in caplog.text
    assert "very-secret-path" not in outcome.detail + caplog.text


def test_the_time_that_is_signed_is_that_of_the_try() -> None:
    with receiver(Reply(500), Reply(200)) as one:
        deliver(channel(one.url), message(), NOON)
        deliver(channel(one.url), message(), NOON + timedelta(seconds=90))

    assert {got.headers["webhook-id"] for got in one.got} == {"01jdelivery"}
    assert int(one.got[1].headers["webhook-timestamp"]) - int(one.got[0].headers["webhook-timestamp"]) == 90


def test_the_code_on_the_page_tells_ours_from_others() -> None:
    page = (Path(__file__).parents[2] / "docs" / "channels.md").read_text()
    code = page[page.index("    import base64") : page.index("- **Delivery is at least once")]
    page_of: dict[str, Any] = {}
    exec(textwrap.dedent(code), page_of)
    with receiver() as one:
        deliver(channel(one.url, secrets=(OTHER, SECRET)), message(), NOON)

    (got,) = one.got
    with freeze_time(NOON):
        assert page_of["is_ours"](SECRET, got.headers, got.body)
        assert not page_of["is_ours"](SECRET, got.headers, got.body + b" ")
    with freeze_time(NOON + timedelta(hours=1)):
        assert not page_of["is_ours"](SECRET, got.headers, got.body)
