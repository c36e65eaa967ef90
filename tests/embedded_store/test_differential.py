"""The same requests to the embedded store and to others: the same answers, errors and items left.

AWS's own DynamoDB Local has the last word: CRONHUB_DYNAMODB_LOCAL names the folder of its jar (its licence
forbids to bring it along; `npm install amplify-dynamodb-simulator` does). moto and the emulator let much
through that DynamoDB refuses, so of them only what the embedded store answers is asked.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from moto import mock_aws

from infra.local.listening import free_port
from infra.local.stack import PYTHON as STACK_PYTHON
from tests.embedded_store.requests import Call, plain_sequences, sequences
from tests.embedded_store.subjects import TABLE, Embedded, Remote, Subject, client_of, items_of, with_table
from tests.stack.test_on_the_emulator import emulator, wait_for

__all__ = ["emulator"]

DYNAMODB_LOCAL = Path(os.environ.get("CRONHUB_DYNAMODB_LOCAL", "/nowhere"))
EXAMPLES = int(os.environ.get("CRONHUB_DIFFERENTIAL_EXAMPLES", "40"))


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Embedded:
    return Embedded(tmp_path_factory.mktemp("store") / "store.db")


@pytest.fixture(scope="module")
def moto() -> Iterator[Remote]:
    with mock_aws():
        yield Remote(client_of())


@pytest.fixture(scope="module")
def dynamodb_local() -> Iterator[Remote]:
    port = free_port()
    command = ["java", "-Djava.library.path=DynamoDBLocal_lib", "-jar", "DynamoDBLocal.jar"]
    process = subprocess.Popen(
        [*command, "-inMemory", "-port", str(port)], cwd=DYNAMODB_LOCAL, stdout=subprocess.DEVNULL
    )
    try:
        wait_for(port)
        yield Remote(client_of(f"http://127.0.0.1:{port}"))
    finally:
        process.terminate()


def compare(store: Subject, other: Subject, calls: list[Call], *, is_strict: bool) -> None:
    with with_table(store), with_table(other):
        for operation, request in calls:
            ours, theirs = store.call(operation, request), other.call(operation, request)
            if not is_strict and ours == ("refused", ("ValidationException", [])):
                # Whatever the laxer one made of it: they are no longer alike.
                return
            assert ours == theirs, (operation, request)
        assert items_of(store) == items_of(other)
        assert items_of(store, "by_due") == items_of(other, "by_due")


@pytest.mark.skipif(
    not (DYNAMODB_LOCAL / "DynamoDBLocal.jar").is_file() or shutil.which("java") is None,
    reason="CRONHUB_DYNAMODB_LOCAL names no folder with DynamoDBLocal.jar, or Java is missing",
)
def test_as_aws_own_dynamodb_local_does(embedded: Embedded, dynamodb_local: Remote) -> None:
    @given(sequences)
    @settings(max_examples=EXAMPLES, deadline=None)
    def run(calls: list[Call]) -> None:
        compare(embedded, dynamodb_local, calls, is_strict=True)

    run()


def test_as_moto_does(embedded: Embedded, moto: Remote) -> None:
    @given(plain_sequences)
    @settings(max_examples=EXAMPLES, deadline=None)
    def run(calls: list[Call]) -> None:
        compare(embedded, moto, calls, is_strict=False)

    run()


@pytest.mark.stack
@pytest.mark.skipif(not STACK_PYTHON.exists(), reason="the emulated AWS is not installed: make test does")
def test_as_the_emulator_does(embedded: Embedded, emulator: str) -> None:
    @given(plain_sequences)
    @settings(max_examples=EXAMPLES, deadline=None)
    def run(calls: list[Call]) -> None:
        compare(embedded, Remote(client_of(emulator)), calls, is_strict=False)

    run()


def test_two_writes_to_one_item_in_a_transaction_are_refused(embedded: Embedded) -> None:
    # "You can't target the same item with multiple operations within the same transaction" (TransactWriteItems).
    key = {"h": {"S": "one"}, "r": {"N": "1"}}
    puts = [{"Put": {"TableName": TABLE, "Item": key}}, {"Delete": {"TableName": TABLE, "Key": key}}]
    with with_table(embedded):
        assert embedded.call("TransactWriteItems", {"TransactItems": puts})[1][0] == "ValidationException"
