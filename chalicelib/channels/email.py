"""E-mail, through the deployment's own mail setting."""

from chalicelib.channels.message import Message, Outcome
from chalicelib.domain.channel import Channel


def check(url: str) -> None:
    """Raises BadTarget."""


def deliver(channel: Channel, message: Message) -> Outcome:
    raise NotImplementedError
