"""Amazon SNS: a topic by its ARN, published to with the deployment's own rights."""

import json
import re
from functools import cache
from typing import Any

from chalicelib.channels.message import Message, Outcome, cut, delivered, later, refused
from chalicelib.domain.alerts.channel import Channel
from chalicelib.outbound.http import BadTarget

_TOPIC = re.compile(
    r"arn:aws(?:-[a-z]+)*:sns:([a-z]{2,4}(?:-[a-z]+)+-[0-9]):[0-9]{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?"
)
_SUBJECT_LENGTH = 99
_MOST_BYTES = 250 * 1024
# Subscribers of these protocols are programs, and get the event; people get the text.
_PROGRAMS = ("http", "https", "sqs", "lambda", "firehose")
# Errors that no later try can solve; any other may pass.
_FOR_GOOD = frozenset(
    {"NotFound", "AuthorizationError", "AccessDenied", "InvalidParameter", "InvalidParameterValue"}
)


def check(url: str) -> None:
    """Raises BadTarget."""
    if not _TOPIC.fullmatch(url):
        raise BadTarget("must be a topic's ARN, such as arn:aws:sns:eu-west-1:123456789012:alerts")


def deliver(channel: Channel, message: Message) -> Outcome:
    from botocore.exceptions import BotoCoreError, ClientError

    found = _TOPIC.fullmatch(channel.url)
    if found is None:
        return refused("it is not a topic's ARN")
    # A FIFO topic drops repeats of the same id; messages of one kind stay in order.
    fifo = {"MessageGroupId": message.kind, "MessageDeduplicationId": message.id} if found[2] else {}
    try:
        _client(found[1]).publish(
            TopicArn=channel.url,
            Subject=_subject(message.title),
            Message=_body(message),
            MessageStructure="json",
            MessageAttributes={
                "id": _attribute(message.id),
                "kind": _attribute(message.kind),
                "severity": _attribute(message.severity.value),
            },
            **fifo,
        )
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        said = f"{code}: {error.response.get('Error', {}).get('Message', '')}"
        return refused(said) if code.removesuffix("Exception") in _FOR_GOOD else later(said)
    except BotoCoreError as error:
        return later(str(error))
    return delivered()


@cache
def _client(region: str) -> Any:
    """Returns one client per region and process: they are slow to create."""
    import boto3
    from botocore.config import Config

    config = Config(connect_timeout=3, read_timeout=8, retries={"total_max_attempts": 2})
    return boto3.client("sns", region_name=region, config=config)


def _attribute(value: str) -> dict[str, str]:
    return {"DataType": "String", "StringValue": value}


def _body(message: Message) -> str:
    event = json.dumps(message.event, ensure_ascii=False)
    body = json.dumps({"default": message.text} | dict.fromkeys(_PROGRAMS, event), ensure_ascii=False)
    if len(body.encode("utf-8", "replace")) <= _MOST_BYTES:
        return body
    return json.dumps({"default": cut(message.text, _MOST_BYTES // 4)})


def _subject(title: str) -> str:
    """What SNS takes as a subject: printable ASCII, a letter, digit or mark first, at most 99 of it."""
    words = re.sub(r"[^ -~]", " ", title.encode("ascii", "replace").decode())
    return words.strip()[:_SUBJECT_LENGTH] or "CronHub"
