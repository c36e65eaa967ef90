"""A program that writes transactions of two items, `…a` and `…b`, and prints the number of each that is kept.

Usage: python -m tests.embedded_store.writer FILE PREFIX
"""

import subprocess
import sys
from pathlib import Path

from infra.local.store import Store, StoreError

ROOT = Path(__file__).parents[2]
TABLE = {
    "TableName": "kept",
    "KeySchema": [{"AttributeName": "h", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "h", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}


def started(path: Path, prefix: str = "") -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.embedded_store.writer", str(path), prefix]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def names_of(lines: list[str], prefix: str = "") -> set[str]:
    """The items that a writer said are kept; a line that a kill cut off says nothing."""
    return {f"{prefix}{int(line)}-{part}" for line in lines if line.endswith("\n") for part in "ab"}


def main(path: Path, prefix: str) -> None:
    store = Store(path)
    try:
        store.answer("dynamodb", "CreateTable", TABLE)
    except StoreError as error:
        if error.code != "ResourceInUseException":
            raise
    for number in range(100_000):
        puts = [{"Put": {"TableName": "kept", "Item": {"h": {"S": f"{prefix}{number}-{part}"}}}} for part in "ab"]
        store.answer("dynamodb", "TransactWriteItems", {"TransactItems": puts})
        print(number, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
