"""One release as a process of its own: does what each line of its input asks for, at the time that the line says.

PYTHONPATH says which release it is. Nothing of it is used but its app and its clock; the store is this release's
embedded one for both.
"""

import base64
import json
import sys
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import boto3
from chalice.test import Client

from infra.local.store import install


def main() -> None:
    install(Path(sys.argv[1]), sweep=False)
    from app import app
    from chalicelib.services import clock

    with Client(app) as client:
        for line in sys.stdin:
            asked = json.loads(line)
            clock.now = partial(datetime.fromisoformat, asked["at"])
            print("=", json.dumps(do(client, asked)), flush=True)


def do(client: Any, asked: Any) -> Any:
    match asked["do"]:
        case "call":
            return call(client, asked)
        case "tick":
            event = client.events.generate_cw_event("aws.events", "Scheduled Event", {}, [])
            return client.lambda_.invoke("tick", event | {"time": asked["at"]}).payload
        case "receive":
            return receive(client, asked["function"], asked["queue"])
        case "items":
            return items()
        case "tables":
            from chalicelib.store.tables import create_tables

            return create_tables()
    raise ValueError(asked["do"])


def items() -> Any:
    """All that the store holds, as DynamoDB has it; what is binary in base64."""
    dynamodb = boto3.client("dynamodb")
    found = {name: dynamodb.scan(TableName=name)["Items"] for name in dynamodb.list_tables()["TableNames"]}
    return {name: _plain(rows) for name, rows in found.items() if rows}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def call(client: Any, asked: Any) -> Any:
    headers = {"Content-Type": "application/json"}
    if asked["key"]:
        headers["Authorization"] = f"Bearer {asked['key']}"
    body = b"" if asked["body"] is None else json.dumps(asked["body"]).encode()
    answer = client.http.request(asked["method"], asked["path"], headers=headers, body=body)
    return [answer.status_code, json.loads(answer.body) if answer.body else None]


def receive(client: Any, function: str, name: str) -> int:
    """Has a function work on all messages of a queue; returns how many there were."""
    sqs = boto3.client("sqs")
    queue, count = sqs.create_queue(QueueName=name)["QueueUrl"], 0
    while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            record = {"messageId": "1", "body": message["Body"], "receiptHandle": "1"}
            answer = client.lambda_.invoke(function, {"Records": [record]}).payload
            assert not (answer or {}).get("batchItemFailures"), message["Body"]
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            count += 1
    return count


if __name__ == "__main__":
    main()
