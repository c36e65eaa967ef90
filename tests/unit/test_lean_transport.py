"""The short way to DynamoDB: the same answers as botocore's, and botocore itself when anything is unusual."""

import json
import ssl
from collections.abc import Callable, Iterator
from typing import Any
from zlib import crc32

import boto3
import pytest
import trustme
from botocore.config import Config
from botocore.exceptions import ClientError, SSLError

from chalicelib.store.lean_transport import shortened
from tests.channels.receivers import Got, Receiver, Reply, receiver

KEY = {"TableName": "crons", "Key": {"id": {"S": "a"}}}
ITEM = {"Item": {"id": {"S": "a"}, "B": {"S": "no bytes"}, "raw": {"B": "AAEC"}, "set": {"BS": ["AA==", "AQ=="]}}}


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "session")


def client(url: str, **more: Any) -> Any:
    config = Config(retries={"total_max_attempts": 2, "mode": "standard"}, connect_timeout=2, read_timeout=2)
    # The default session keeps the credentials of whatever test asked first.
    made = boto3.Session().client("dynamodb", region_name="eu-west-1", endpoint_url=url, config=config, **more)
    return shortened(made)


def said(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Reply:
    data = json.dumps(body).encode()
    return Reply(status, {"Content-Length": str(len(data)), **(headers or {})}, data)


def fault(code: str, status: int = 400, **more: Any) -> Reply:
    return said({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "so it is", **more}, status)


@pytest.fixture
def answering() -> Iterator[Callable[..., tuple[Any, Receiver]]]:
    opened: list[Any] = []

    def answer(*replies: Reply) -> tuple[Any, Receiver]:
        context = receiver(*replies)
        opened.append(context)
        found = context.__enter__()
        return client(f"http://127.0.0.1:{found.port}"), found

    yield answer
    for context in opened:
        context.__exit__(None, None, None)


def by_lean(asked: Got) -> bool:
    """Botocore says by which attempt a request is made."""
    return "amz-sdk-request" not in asked.headers


def test_a_plain_answer_comes_the_short_way(answering: Callable[..., tuple[Any, Receiver]]) -> None:
    store, server = answering(said(ITEM))

    found = store.get_item(**KEY)

    assert found["Item"]["raw"] == {"B": bytes([0, 1, 2])}
    assert found["Item"]["set"] == {"BS": [bytes([0]), bytes([1])]}
    assert found["Item"]["B"] == {"S": "no bytes"}
    asked = server.got[0]
    assert by_lean(asked)
    assert asked.headers["x-amz-target"] == "DynamoDB_20120810.GetItem"
    assert asked.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=id/")
    assert asked.headers["x-amz-security-token"] == "session"


def test_bytes_go_out_as_botocore_sends_them(answering: Callable[..., tuple[Any, Receiver]]) -> None:
    store, server = answering(said({}))

    store.put_item(TableName="crons", Item={"id": {"S": "a"}, "raw": {"B": bytes([0, 1, 2])}})

    assert json.loads(server.got[0].body)["Item"]["raw"] == {"B": "AAEC"}


@pytest.mark.parametrize("code", ["ConditionalCheckFailedException", "TransactionCanceledException"])
def test_an_answer_that_is_no_fault_is_raised_at_once(
    answering: Callable[..., tuple[Any, Receiver]], code: str
) -> None:
    reasons = [{"Code": "ConditionalCheckFailed"}, {"Code": "None"}]
    store, server = answering(fault(code, CancellationReasons=reasons))

    with pytest.raises(ClientError) as raised:
        store.get_item(**KEY)

    assert raised.value.response["Error"] == {"Code": code, "Message": "so it is"}
    assert raised.value.response["CancellationReasons"] == reasons
    assert [by_lean(asked) for asked in server.got] == [True]


@pytest.mark.parametrize(
    "trouble",
    [
        fault("ProvisionedThroughputExceededException"),
        fault("ExpiredTokenException"),
        fault("InternalServerError", 500),
        Reply(503, {"Content-Length": "0"}),
        said(ITEM, headers={"x-amz-crc32": "1"}),
        Reply(400, {"Content-Length": "4"}, b"<x/>"),
        Reply(200, {"Content-Length": "1000"}, b"{}"),
    ],
)
def test_trouble_is_botocores_to_handle(answering: Callable[..., tuple[Any, Receiver]], trouble: Reply) -> None:
    store, server = answering(trouble, said(ITEM))

    assert store.get_item(**KEY)["Item"]["id"] == {"S": "a"}
    assert [by_lean(asked) for asked in server.got] == [True, False]


def test_a_transaction_carries_one_token_on_both_ways(answering: Callable[..., tuple[Any, Receiver]]) -> None:
    store, server = answering(fault("InternalServerError", 500), said({}))

    store.transact_write_items(TransactItems=[{"Put": {"TableName": "crons", "Item": {"id": {"S": "a"}}}}])

    tokens = [json.loads(asked.body)["ClientRequestToken"] for asked in server.got]
    assert len(tokens) == 2
    assert len(set(tokens)) == 1


def test_a_connection_that_the_server_closed_is_no_trouble(
    answering: Callable[..., tuple[Any, Receiver]],
) -> None:
    store, server = answering(said(ITEM, headers={"Connection": "close"}))

    for _ in range(5):
        assert store.get_item(**KEY)["Item"]["id"] == {"S": "a"}

    assert len(server.got) == 5


def test_a_good_checksum_is_good(answering: Callable[..., tuple[Any, Receiver]]) -> None:
    store, server = answering(said(ITEM, headers={"x-amz-crc32": str(crc32(json.dumps(ITEM).encode()))}))

    store.get_item(**KEY)

    assert [by_lean(asked) for asked in server.got] == [True]


def test_what_manages_tables_goes_botocores_way(answering: Callable[..., tuple[Any, Receiver]]) -> None:
    store, server = answering(said({"TableNames": []}))

    store.list_tables()

    assert [by_lean(asked) for asked in server.got] == [False]


def test_a_certificate_is_verified(tmp_path: Any) -> None:
    authority, stranger = trustme.CA(), trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    good, bad = tmp_path / "good.pem", tmp_path / "bad.pem"
    authority.cert_pem.write_to_path(str(good))
    stranger.cert_pem.write_to_path(str(bad))
    with receiver(said(ITEM), wrap=lambda plain: context.wrap_socket(plain, server_side=True)) as server:
        url = f"https://127.0.0.1:{server.port}"
        found = client(url, verify=str(good)).get_item(**KEY)
        with pytest.raises(SSLError):
            client(url, verify=str(bad)).get_item(**KEY)

    assert found["Item"]["id"] == {"S": "a"}
    assert [by_lean(asked) for asked in server.got] == [True]
