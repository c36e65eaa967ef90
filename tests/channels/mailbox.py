"""A mail server that tests run on this machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller


class Mailbox:
    """What came, oldest first; `refuse` is what the server says to a recipient instead of taking it."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.refuse = ""
        self.url = ""

    async def handle_RCPT(self, *about: Any) -> str:  # noqa: N802 - as the library calls it
        _, _, envelope, address, _ = about
        if self.refuse:
            return self.refuse
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, *about: Any) -> str:  # noqa: N802
        _, _, envelope = about
        letter: Any = message_from_bytes(envelope.content, policy=default)
        self.letters.append(letter)
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 OK"


class _Controller(Controller):
    """On a port that is free: the library's own asks for one by number."""

    port: int

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    controller = _Controller(box, hostname="127.0.0.1", port=0)
    controller.start()
    box.url = f"smtp://127.0.0.1:{controller.port}?from=cronhub@example.com"
    try:
        yield box
    finally:
        controller.stop()
