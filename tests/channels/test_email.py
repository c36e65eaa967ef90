"""E-mail, by SMTP and by SES."""

import socket
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from chalicelib.channels.message import State
from chalicelib.channels.send import deliver, why_not
from chalicelib.domain.alerts.channel import Channel, ChannelKind
from tests.channels.mailbox import Mailbox, mailbox
from tests.channels.receivers import NOON, channel, message

OPS = "ops@example.com"


@pytest.fixture
def box(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    with mailbox() as one:
        monkeypatch.setenv("CRONHUB_MAIL", one.url)
        yield one


def to(address: str = OPS, **more: bool) -> Channel:
    return channel(address, ChannelKind.EMAIL, **more)


def test_a_message_arrives(box: Mailbox) -> None:
    outcome = deliver(to(), message(title="backup was missed – ü\r\nBcc: x@example.com"), NOON)

    (letter,) = box.letters
    assert outcome.state is State.DELIVERED
    assert box.recipients == [[OPS]]
    assert (letter["To"], letter["Bcc"]) == (OPS, None)
    assert letter["Subject"] == "backup was missed – ü Bcc: x@example.com"
    assert letter.get_content().splitlines() == message().text.splitlines()


def test_to_an_address_that_is_not_confirmed_nothing_is_sent(box: Mailbox) -> None:
    outcome = deliver(to(confirmed=False), message(), NOON)

    assert (outcome.state, box.letters) == (State.REFUSED, [])


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("550 5.1.1 <ops@example.com> no such user", State.REFUSED),
        ("450 4.2.1 mailbox busy", State.LATER),
        ("421 going down", State.LATER),
    ],
)
def test_what_the_server_says_of_an_address(box: Mailbox, said: str, state: State) -> None:
    box.refuse = said
    outcome = deliver(to(), message(), NOON)

    assert outcome.state is state
    assert said[:3] in outcome.detail
    assert OPS not in outcome.detail


def test_where_no_server_answers_it_goes_later(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("CRONHUB_MAIL", f"smtp://user:very-secret@127.0.0.1:{port}?from=cronhub@example.com")
    outcome = deliver(to(), message(), NOON)

    assert outcome.state is State.LATER
    assert "very-secret" not in outcome.detail


def test_without_a_mail_setting_it_goes_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CRONHUB_MAIL", raising=False)

    assert deliver(to(), message(), NOON).state is State.LATER


def test_it_goes_by_ses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRONHUB_MAIL", "ses:cronhub@example.com")
    with mock_aws():
        unverified = deliver(to(), message(), NOON)
        ses = boto3.client("ses")
        ses.verify_email_identity(EmailAddress="cronhub@example.com")
        verified = deliver(to(), message(), NOON)
        assert ses.get_send_quota()["SentLast24Hours"] > 0

    assert (unverified.state, verified.state) == (State.LATER, State.DELIVERED)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ops",
        "ops@",
        "@example.com",
        "Ops <ops@example.com>",
        "a@example.com,b@example.com",
        "a@example.com\n",
        "a@b c.com",
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    assert why_not(ChannelKind.EMAIL, address)


def test_an_address_is_taken() -> None:
    assert why_not(ChannelKind.EMAIL, "dev+cronhub@mail.example.com") is None
