"""SQS's queues, in the same file: a message is as durable as an item."""

import hashlib
import json
import os
import sqlite3
import uuid
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from infra.local.store.errors import StoreError
from infra.local.store.tables import ACCOUNT, Answer, Request

MOST_BYTES = 1024 * 1024
MOST_ENTRIES = 10
MOST_WAIT_SECONDS = 20

_DEFAULTS = {
    "DelaySeconds": "0",
    "MaximumMessageSize": str(MOST_BYTES),
    "MessageRetentionPeriod": str(4 * 86400),
    "ReceiveMessageWaitTimeSeconds": "0",
    "VisibilityTimeout": "30",
}
_SETTABLE = {*_DEFAULTS, "RedrivePolicy", "SqsManagedSseEnabled"}


class Queue(NamedTuple):
    id: int
    name: str
    attributes: Mapping[str, str]
    created_at: float

    def seconds(self, attribute: str, given: Any = None) -> float:
        """Returns a length of time: that of the request, else that of the queue."""
        return float(self.attributes.get(attribute, _DEFAULTS[attribute]) if given is None else given)

    @property
    def url(self) -> str:
        return f"https://queues.cronhub.invalid/{ACCOUNT}/{self.name}"

    @property
    def arn(self) -> str:
        return f"arn:aws:sqs:{_region()}:{ACCOUNT}:{self.name}"


def _region() -> str:
    return os.environ.get("AWS_DEFAULT_REGION") or os.environ.get("AWS_REGION") or "us-east-1"


def _refusal(code: str, message: str, query_code: str | None = None) -> StoreError:
    return StoreError(code, message, QueryErrorCode=query_code or code.rpartition(".")[2])


def _by_name(connection: sqlite3.Connection, name: str) -> Queue:
    row = connection.execute(
        "SELECT id, name, attributes, created_at FROM queues WHERE name = ?", (name,)
    ).fetchone()
    if row is None:
        raise _refusal(
            "AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.", "QueueDoesNotExist"
        )
    return Queue(row[0], row[1], json.loads(row[2]), row[3])


def find_queue(connection: sqlite3.Connection, request: Request) -> Queue:
    return _by_name(connection, str(request["QueueUrl"]).rpartition("/")[2])


def create_queue(connection: sqlite3.Connection, request: Request, now: float) -> Answer:
    name = str(request["QueueName"])
    attributes = {key: str(value) for key, value in (request.get("Attributes") or {}).items()}
    _check_queue(name, attributes)
    try:
        queue = _by_name(connection, name)
    except StoreError:
        connection.execute(
            "INSERT INTO queues (name, attributes, created_at) VALUES (?, ?, ?)",
            (name, json.dumps(attributes), now),
        )
        return {"QueueUrl": _by_name(connection, name).url}
    if any(queue.attributes.get(key, _DEFAULTS.get(key)) != value for key, value in attributes.items()):
        raise _refusal(
            "QueueAlreadyExists", f"A queue already exists with the same name and a different value: {name}"
        )
    return {"QueueUrl": queue.url}


def _check_queue(name: str, attributes: Mapping[str, str]) -> None:
    if not name.replace("-", "").replace("_", "").isalnum() or len(name) > 80:
        raise _refusal(
            "InvalidParameterValue",
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
        )
    unknown = sorted(set(attributes) - _SETTABLE)
    if unknown:
        raise _refusal("InvalidAttributeName", f"Unknown Attribute {unknown[0]}.")


def delete_queue(connection: sqlite3.Connection, request: Request) -> Answer:
    queue = find_queue(connection, request)
    connection.execute("DELETE FROM messages WHERE queue_id = ?", (queue.id,))
    connection.execute("DELETE FROM queues WHERE id = ?", (queue.id,))
    return {}


def purge_queue(connection: sqlite3.Connection, request: Request) -> Answer:
    connection.execute("DELETE FROM messages WHERE queue_id = ?", (find_queue(connection, request).id,))
    return {}


def list_queues(connection: sqlite3.Connection, request: Request) -> Answer:
    prefix = request.get("QueueNamePrefix") or ""
    names = [name for (name,) in connection.execute("SELECT name FROM queues ORDER BY name")]
    urls = [_by_name(connection, name).url for name in names if name.startswith(prefix)]
    return {"QueueUrls": urls} if urls else {}


def get_queue_url(connection: sqlite3.Connection, request: Request) -> Answer:
    return {"QueueUrl": _by_name(connection, str(request["QueueName"])).url}


def set_queue_attributes(connection: sqlite3.Connection, request: Request) -> Answer:
    queue = find_queue(connection, request)
    given = {key: str(value) for key, value in request["Attributes"].items()}
    _check_queue(queue.name, given)
    attributes = json.dumps({**queue.attributes, **given})
    connection.execute("UPDATE queues SET attributes = ? WHERE id = ?", (attributes, queue.id))
    return {}


def get_queue_attributes(connection: sqlite3.Connection, request: Request, now: float) -> Answer:
    queue = find_queue(connection, request)
    found = {
        **_DEFAULTS,
        **queue.attributes,
        **_counts(connection, queue, now),
        "QueueArn": queue.arn,
        "CreatedTimestamp": str(int(queue.created_at)),
    }
    wanted = request.get("AttributeNames") or []
    if "All" not in wanted:
        found = {name: value for name, value in found.items() if name in wanted}
    return {"Attributes": found} if found else {}


def _counts(connection: sqlite3.Connection, queue: Queue, now: float) -> dict[str, str]:
    visible, delayed, taken = connection.execute(
        "SELECT coalesce(sum(visible_at <= :now), 0), "
        "coalesce(sum(visible_at > :now AND receives = 0), 0), "
        "coalesce(sum(visible_at > :now AND receives > 0), 0) "
        "FROM messages WHERE queue_id = :queue AND sent_at > :oldest",
        {"now": now, "queue": queue.id, "oldest": _oldest(queue, now)},
    ).fetchone()
    return {
        "ApproximateNumberOfMessages": str(visible),
        "ApproximateNumberOfMessagesDelayed": str(delayed),
        "ApproximateNumberOfMessagesNotVisible": str(taken),
    }


def _oldest(queue: Queue, now: float) -> float:
    return now - queue.seconds("MessageRetentionPeriod")


def send_message(connection: sqlite3.Connection, request: Request, now: float) -> Answer:
    return _send(connection, find_queue(connection, request), request, now)


def _send(connection: sqlite3.Connection, queue: Queue, message: Mapping[str, Any], now: float) -> Answer:
    body = message.get("MessageBody")
    if not isinstance(body, str) or not body:
        raise _refusal("MissingParameter", "The request must contain the parameter MessageBody.")
    if len(body.encode()) > MOST_BYTES:
        raise _refusal(
            "InvalidParameterValue",
            f"One or more parameters are invalid. Message must be shorter than {MOST_BYTES} bytes.",
        )
    message_id = str(uuid.uuid4())
    attributes = message.get("MessageAttributes") or {}
    connection.execute(
        "INSERT INTO messages (queue_id, message_id, body, attributes, sent_at, visible_at) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (
            queue.id,
            message_id,
            body,
            json.dumps(attributes),
            now,
            now + queue.seconds("DelaySeconds", message.get("DelaySeconds")),
        ),
    )
    return {"MessageId": message_id, "MD5OfMessageBody": _md5(body)}


def _md5(body: str) -> str:
    return hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()


def receive_message(connection: sqlite3.Connection, request: Request, now: float) -> Answer:
    """Takes what is visible. The wait for more is the caller's."""
    queue = find_queue(connection, request)
    limit = int(request.get("MaxNumberOfMessages") or 1)
    if not 1 <= limit <= MOST_ENTRIES:
        raise _refusal("InvalidParameterValue", f"Value {limit} for parameter MaxNumberOfMessages is invalid.")
    hidden_until = now + queue.seconds("VisibilityTimeout", request.get("VisibilityTimeout"))
    _move_dead_letters(connection, queue, now)
    rows = connection.execute(
        "SELECT id, message_id, body, attributes, sent_at, receives, first_received_at FROM messages "
        "WHERE queue_id = ? AND visible_at <= ? AND sent_at > ? ORDER BY visible_at, id LIMIT ?",
        (queue.id, now, _oldest(queue, now), limit),
    ).fetchall()
    found = [_take(connection, row, now, hidden_until) for row in rows]
    return {"Messages": found} if found else {}


def _take(connection: sqlite3.Connection, row: Any, now: float, hidden_until: float) -> dict[str, Any]:
    number, message_id, body, attributes, sent_at, receives, first = row
    receipt = f"{number}-{uuid.uuid4().hex}"
    connection.execute(
        "UPDATE messages SET visible_at = ?, receives = ?, first_received_at = ?, receipt = ? WHERE id = ?",
        (hidden_until, receives + 1, first or now, receipt, number),
    )
    message = {
        "MessageId": message_id,
        "ReceiptHandle": receipt,
        "MD5OfBody": _md5(body),
        "Body": body,
        "Attributes": {
            "ApproximateReceiveCount": str(receives + 1),
            "SentTimestamp": str(int(sent_at * 1000)),
            "ApproximateFirstReceiveTimestamp": str(int((first or now) * 1000)),
            "SenderId": ACCOUNT,
        },
    }
    if attributes != "{}":
        message["MessageAttributes"] = json.loads(attributes)
    return message


def _move_dead_letters(connection: sqlite3.Connection, queue: Queue, now: float) -> None:
    """Moves what was received as often as the queue allows to its dead-letter queue."""
    policy = json.loads(queue.attributes.get("RedrivePolicy") or "{}")
    if not policy:
        return
    target = _by_name(connection, str(policy["deadLetterTargetArn"]).rpartition(":")[2])
    connection.execute(
        "UPDATE messages SET queue_id = ?, receives = 0, receipt = NULL "
        "WHERE queue_id = ? AND visible_at <= ? AND receives >= ?",
        (target.id, queue.id, now, int(policy["maxReceiveCount"])),
    )


def has_visible(connection: sqlite3.Connection, request: Request, now: float) -> bool:
    queue = find_queue(connection, request)
    row = connection.execute(
        "SELECT 1 FROM messages WHERE queue_id = ? AND visible_at <= ? LIMIT 1", (queue.id, now)
    ).fetchone()
    return row is not None


def wait_seconds(connection: sqlite3.Connection, request: Request) -> float:
    queue = find_queue(connection, request)
    return min(MOST_WAIT_SECONDS, queue.seconds("ReceiveMessageWaitTimeSeconds", request.get("WaitTimeSeconds")))


def delete_message(connection: sqlite3.Connection, request: Request) -> Answer:
    queue = find_queue(connection, request)
    connection.execute("DELETE FROM messages WHERE id = ?", (_numbered(connection, queue, request)[0],))
    return {}


def change_message_visibility(connection: sqlite3.Connection, request: Request, now: float) -> Answer:
    number, is_current = _numbered(connection, find_queue(connection, request), request)
    if is_current:
        connection.execute(
            "UPDATE messages SET visible_at = ? WHERE id = ?", (now + float(request["VisibilityTimeout"]), number)
        )
    return {}


def _numbered(connection: sqlite3.Connection, queue: Queue, request: Mapping[str, Any]) -> tuple[int, bool]:
    """The row that a receipt names, and whether it is the last receipt of it that was given out.

    Like SQS, a standard queue takes an older receipt for a delete.
    """
    receipt = str(request["ReceiptHandle"])
    number, _, rest = receipt.partition("-")
    if not (number.isdigit() and rest):
        raise _refusal(
            "ReceiptHandleIsInvalid", f'The input receipt handle "{receipt}" is not a valid receipt handle.'
        )
    row = connection.execute(
        "SELECT receipt FROM messages WHERE id = ? AND queue_id = ?", (int(number), queue.id)
    ).fetchone()
    return (int(number) if row is not None else -1), row is not None and row[0] == receipt


def _each(request: Request, act: Callable[[dict[str, Any]], Answer]) -> Answer:
    """Does one thing for each entry of a batch; those that are refused are listed with why."""
    entries = request.get("Entries") or []
    ids = [entry["Id"] for entry in entries]
    if not entries:
        raise _refusal("AWS.SimpleQueueService.EmptyBatchRequest", "There should be at least one entry.")
    if len(entries) > MOST_ENTRIES:
        raise _refusal(
            "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10."
        )
    if len(set(ids)) < len(ids):
        raise _refusal(
            "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", "Two or more batch entries have the same Id."
        )
    done, failed = [], []
    for entry in entries:
        try:
            done.append({"Id": entry["Id"], **act(entry)})
        except StoreError as error:
            failed.append({"Id": entry["Id"], "SenderFault": True, "Code": error.code, "Message": error.message})
    return {"Successful": done, **({"Failed": failed} if failed else {})}


def send_message_batch(connection: sqlite3.Connection, request: Request, now: float) -> Answer:
    queue = find_queue(connection, request)
    return _each(request, lambda entry: _send(connection, queue, entry, now))


def delete_message_batch(connection: sqlite3.Connection, request: Request) -> Answer:
    url = {"QueueUrl": request["QueueUrl"]}
    return _each(request, lambda entry: delete_message(connection, {**entry, **url}))


def change_message_visibility_batch(connection: sqlite3.Connection, request: Request, now: float) -> Answer:
    url = {"QueueUrl": request["QueueUrl"]}
    return _each(request, lambda entry: change_message_visibility(connection, {**entry, **url}, now))


def delete_old(connection: sqlite3.Connection, now: float, limit: int) -> int:
    """Deletes messages past their queue's retention; returns how many."""
    deleted = 0
    for (name,) in connection.execute("SELECT name FROM queues").fetchall():
        queue = _by_name(connection, name)
        cursor = connection.execute(
            "DELETE FROM messages WHERE id IN "
            "(SELECT id FROM messages WHERE queue_id = ? AND sent_at <= ? LIMIT ?)",
            (queue.id, _oldest(queue, now), limit),
        )
        deleted += cursor.rowcount
    return deleted
