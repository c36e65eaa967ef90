"""Answers without end: on every channel they are read up to a bound, in bounded time and memory."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from chalicelib.channels import apprise as apprise_channel
from chalicelib.channels.message import State
from chalicelib.channels.send import deliver
from chalicelib.domain.alerts.channel import ChannelKind
from tests.channels.hostile import endless
from tests.channels.receivers import NOON, Reply, channel, message, receiver

ROOT = Path(__file__).parents[2]
# Sends once in a process of its own, so that its peak of memory can be told.
_SEND = """
import json, resource, sys, time
from chalicelib.channels.send import deliver
from chalicelib.domain.alerts.channel import ChannelKind
from tests.channels.receivers import NOON, channel, message
kind, good, url = sys.argv[1:]
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
deliver(channel(good, ChannelKind(kind)), message(), NOON)
before, began = peak(), time.monotonic()
outcome = deliver(channel(url, ChannelKind(kind)), message(), NOON)
print(json.dumps([outcome.state.value, time.monotonic() - began, (peak() - before) / 1024]))
"""
_OK = b"HTTP/1.1 200 OK\r\n"


class Sent(NamedTuple):
    state: str
    seconds: float
    #: How far the peak of memory rose.
    mb: float


def send(kind: str, good: str, url: str) -> Sent:
    done = subprocess.run(
        [sys.executable, "-c", _SEND, kind, good, url],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "CRONHUB_ALLOW_PRIVATE_TARGETS": "1"},
        timeout=90,
    )
    return Sent(*json.loads(done.stdout))


@pytest.mark.parametrize(
    ("head", "state"),
    [
        (_OK + b"\r\n", "delivered"),
        (_OK + b"Content-Length: 1000000000000\r\n\r\n", "delivered"),
        (b"HTTP/1.1 500 No\r\n\r\n", "later"),
        # A redirect, whose body is read before it is followed.
        (b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", "later"),
        # A head that does not end.
        (_OK + b"X-Long: ", "later"),
    ],
)
@pytest.mark.parametrize("kind", ["webhook", "apprise"])
def test_an_answer_without_end_costs_little_time_and_memory(kind: str, head: bytes, state: str) -> None:
    scheme = {"webhook": "http", "apprise": "json"}[kind]
    with receiver() as good, endless(head) as port:
        sent = send(kind, f"{scheme}://127.0.0.1:{good.port}/", f"{scheme}://127.0.0.1:{port}/")

    assert sent.state == state
    assert sent.seconds < 6
    assert sent.mb < 20, sent


def test_a_head_of_many_long_lines_is_read_up_to_a_bound(private_allowed: None) -> None:
    # The library itself takes 100 lines of 64 KB each.
    with endless(_OK, b"X-Long: " + b"x" * 60_000 + b"\r\n") as port:
        outcome = deliver(channel(f"http://127.0.0.1:{port}/"), message(), NOON)

    assert (outcome.state, outcome.detail) == (State.LATER, "no answer: more than 128 KB came")


def test_a_mail_server_that_greets_without_end_costs_little_memory() -> None:
    with receiver() as good, endless(b"", b"220-" + b"x" * 500 + b"\r\n") as port:
        url = f"mailto://user:pass@example.com:{port}?smtp=127.0.0.1&to=a@example.com"
        sent = send("apprise", f"json://127.0.0.1:{good.port}/", url)

    assert sent.state == "later"
    assert sent.seconds < 6
    assert sent.mb < 20, sent


def test_what_apprise_does_after_its_time_is_cut_off(
    private_allowed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apprise_channel, "MOST_SECONDS", 0.5)
    before = threading.active_count()
    with endless(b"", b"220-x\r\n", pause=0.02) as port:
        url = f"mailto://user:pass@example.com:{port}?smtp=127.0.0.1&to=a@example.com"
        outcome = deliver(channel(url, ChannelKind.APPRISE), message(), NOON)
        # Its thread ends with its connection, long before the server does.
        until = time.monotonic() + 2
        while threading.active_count() > before + 2 and time.monotonic() < until:
            time.sleep(0.01)
        # Of the server: one that accepts, one that sends.
        assert threading.active_count() <= before + 2

    assert outcome.state is State.LATER


def test_a_slow_answer_by_apprise_is_one_all_the_same(
    private_allowed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apprise_channel, "MOST_SECONDS", 3.0)
    with endless(_OK + b"\r\n", b"x", pause=0.02) as port:
        outcome = deliver(channel(f"json://127.0.0.1:{port}/", ChannelKind.APPRISE), message(), NOON)

    assert outcome.state is State.DELIVERED


def test_services_behind_apprise_can_say_when_to_come_again(private_allowed: None) -> None:
    with receiver(Reply(429, {"Retry-After": "120"})) as one:
        outcome = deliver(channel(f"json://127.0.0.1:{one.port}/", ChannelKind.APPRISE), message(), NOON)

    assert (outcome.state, outcome.retry_after_seconds) == (State.LATER, 120)
