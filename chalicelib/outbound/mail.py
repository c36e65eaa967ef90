"""Mail, through the deployment's own setting: `ses:FROM`, or `smtp://USER:PASSWORD@HOST:PORT?from=FROM`.

`smtps://` speaks TLS from the first byte; `smtp://` takes STARTTLS where it is offered. All that costs a
start is imported where it is used.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from chalicelib import settings

if TYPE_CHECKING:
    import smtplib
    from email.message import EmailMessage

_SECONDS = 10
_LONGEST = 254  # RFC 5321 §4.5.3.1.3, less the angle brackets
_ADDRESS = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+"


class MailFailed(Exception):
    """It was not sent; `is_final`: this address will never be taken. `str()` holds no secret."""

    def __init__(self, detail: str, *, is_final: bool = False) -> None:
        super().__init__(detail)
        self.is_final = is_final


def is_set() -> bool:
    """Whether this deployment can send mail at all."""
    return bool(settings.mail())


def is_address(text: str) -> bool:
    """A plain address as the HTML standard's e-mail field takes it, with a dot in its domain."""
    return len(text) <= _LONGEST and re.fullmatch(_ADDRESS, text) is not None


def send_mail(to: str, subject: str, text: str) -> None:
    """Raises MailFailed."""
    setting = settings.mail()
    scheme, _, rest = setting.partition(":")
    if scheme == "ses" and is_address(rest):
        _send_by_ses(_letter(rest, to, subject, text), rest, to)
    elif scheme in ("smtp", "smtps"):
        _send_by_smtp(setting, to, subject, text)
    else:
        raise MailFailed("this deployment has no mail setting that can be used")


def _letter(sender: str, to: str, subject: str, text: str) -> EmailMessage:
    from email.message import EmailMessage
    from email.policy import SMTP
    from email.utils import formatdate, make_msgid

    letter = EmailMessage(policy=SMTP)
    letter["From"] = sender
    letter["To"] = to
    # A line's end would begin another header.
    letter["Subject"] = " ".join(subject.split())[:200]
    letter["Date"] = formatdate()
    letter["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(text)
    return letter


def _send_by_ses(letter: EmailMessage, sender: str, to: str) -> None:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    patience = Config(connect_timeout=3, read_timeout=_SECONDS, retries={"total_max_attempts": 2})
    try:
        boto3.client("ses", config=patience).send_raw_email(
            Source=sender, Destinations=[to], RawMessage={"Data": letter.as_bytes()}
        )
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        raise MailFailed(f"SES: {code}", is_final=code == "InvalidParameterValue") from None
    except BotoCoreError as error:
        raise MailFailed(f"SES: {type(error).__name__}") from None


def _send_by_smtp(setting: str, to: str, subject: str, text: str) -> None:
    import smtplib

    url = urlsplit(setting)
    sender = parse_qs(url.query).get("from", [""])[0]
    if not url.hostname or not is_address(sender):
        raise MailFailed("this deployment's mail setting names no host or no sender")
    try:
        with _connected(url.scheme, url.hostname, url.port) as server:
            if url.username:
                server.login(unquote(url.username), unquote(url.password or ""))
            server.send_message(_letter(sender, to, subject, text), sender, [to])
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()), (0, b""))
        raise MailFailed(_said(code, said), is_final=500 <= code < 600) from None
    except smtplib.SMTPResponseException as error:
        raise MailFailed(_said(error.smtp_code, error.smtp_error)) from None
    except (OSError, smtplib.SMTPException) as error:
        raise MailFailed(f"the mail server did not take it ({type(error).__name__})") from None


def _connected(scheme: str, host: str, port: int | None) -> smtplib.SMTP:
    import smtplib
    import ssl

    if scheme == "smtps":
        return smtplib.SMTP_SSL(host, port or 465, timeout=_SECONDS, context=ssl.create_default_context())
    server = smtplib.SMTP(host, port or 587, timeout=_SECONDS)
    try:
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
            server.ehlo()
    except BaseException:
        server.close()
        raise
    return server


def _said(code: int, said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return f"the mail server said {code} {' '.join(text.split())[:500]}"
