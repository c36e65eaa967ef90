"""An emulated AWS to deploy to."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

from infra.deploy.refusal import Refusal
from infra.local.listening import LOOPBACK, free_port
from infra.local.stack import PYTHON as STACK_PYTHON
from infra.local.tables import answers

ROOT = Path(__file__).resolve().parents[2]
BUCKET = "cronhub-packages"
_PATIENCE = 60.0
_SINGLE, _BATCH = "sqs:SendMessage", "sqs:SendMessageBatch"
_AT_ONCE = "MaximumConcurrency"
#: The fewest that AWS takes.
MOST_AT_ONCE = max(2, os.cpu_count() or 2)


def environment(endpoint: str) -> dict[str, str]:
    """What makes all that deploys speak to an emulated AWS, and to no other."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return others | {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "CRONHUB_BUCKET": BUCKET,
    }


@contextmanager
def running(log: Path) -> Iterator[str]:
    """Returns its endpoint. Its contents are gone when it stops."""
    if not STACK_PYTHON.exists():
        raise Refusal("the emulated AWS is not installed: make deploy-emulated does")
    port = free_port()
    endpoint = f"http://{LOOPBACK}:{port}"
    env = environment(endpoint) | {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": LOOPBACK,
        "PERSIST_STATE": "0",
        # Functions run with the rights of their roles, as on AWS.
        "AUTH": "true",
        "LOG_LEVEL": "WARNING",
    }
    log.parent.mkdir(parents=True, exist_ok=True)
    # It stops when its standard input ends, so also when this process dies.
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(STACK_PYTHON), "-m", "infra.local.stack"],
            cwd=ROOT,
            env=env,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        if not answers(endpoint, _PATIENCE):
            raise Refusal(f"the emulated AWS did not start; {log} may say why")
        yield endpoint
    finally:
        process.terminate()
        process.wait(_PATIENCE)


def adapted(template: str) -> str:
    """Returns a template as an emulated AWS needs it.

    With the right to batches of messages, for which AWS has no action of its own; and with few functions at once
    at a queue: each is a process of this machine, and started all together none would be done in its time.
    """
    return json.dumps(_adapted(json.loads(template)), indent=1)


def _adapted(part: Any) -> Any:
    if isinstance(part, list):
        more = [_BATCH] if _SINGLE in part else []
        return [_adapted(each) for each in part] + more
    if isinstance(part, dict):
        changed = {name: _adapted(each) for name, each in part.items()}
        return changed | {_AT_ONCE: min(MOST_AT_ONCE, part[_AT_ONCE])} if _AT_ONCE in part else changed
    return part


def make_bucket() -> None:
    boto3.client("s3").create_bucket(Bucket=BUCKET)
