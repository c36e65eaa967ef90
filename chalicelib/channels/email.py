"""E-mail, as the deployment sends its mail."""

from chalicelib.channels.message import Message, Outcome, delivered, later, refused
from chalicelib.domain.alerts.channel import Channel
from chalicelib.outbound import mail
from chalicelib.outbound.http import BadTarget
from chalicelib.outbound.time_limit import within

MOST_SECONDS = 20.0


def check(url: str) -> None:
    """Raises BadTarget."""
    if not mail.is_address(url):
        raise BadTarget("must be one plain e-mail address, such as ops@example.com")


def deliver(channel: Channel, message: Message) -> Outcome:
    try:
        within(MOST_SECONDS, lambda _: mail.send_mail(channel.url, message.title, message.text))
    except TimeoutError as error:
        return later(f"the mail server did not take it in time: {error}")
    except mail.MailFailed as error:
        return refused(str(error)) if error.is_final else later(str(error))
    return delivered()
