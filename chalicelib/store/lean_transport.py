"""A short way to DynamoDB under pynamodb: one signed POST over a kept connection.

Half of what a call costs is botocore's own: hooks, endpoint rules, serializers, header parsing. On the short way
a request is one JSON document, signed by botocore's signer with botocore's credentials, and sent once. Anything
but a plain answer (a network fault, throttling, a 5xx, a refused signature, a damaged body) sends the whole call
through botocore, which refreshes, retries and reports as it always does. Writes in a transaction carry one token
on both ways, so they take effect once.
"""

import base64
import json
import zlib
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError
from botocore.httpsession import where
from pynamodb.connection.base import Connection
from urllib3 import HTTPConnectionPool, HTTPResponse, Timeout
from urllib3.connectionpool import connection_from_url
from urllib3.exceptions import HTTPError

from chalicelib import settings

Call = Callable[[str, dict[str, Any]], dict[str, Any]]

_PROTOCOL = "application/x-amz-json-1.0"
_OPERATIONS = frozenset(
    {
        "GetItem",
        "PutItem",
        "UpdateItem",
        "DeleteItem",
        "Query",
        "Scan",
        "BatchGetItem",
        "BatchWriteItem",
        "TransactGetItems",
        "TransactWriteItems",
    }
)
#: Errors that the caller gets at once; botocore retries every other one.
_FINAL = frozenset(
    {
        "ConditionalCheckFailedException",
        "ResourceNotFoundException",
        "TransactionCanceledException",
        "ValidationException",
    }
)


def install() -> None:
    """Has pynamodb's clients go the short way, where the setting says so."""
    if not settings.lean_transport() or hasattr(Connection, "_long_way_client"):
        return
    long_way = Connection.client.fget  # type: ignore[attr-defined]
    Connection._long_way_client = long_way  # type: ignore[attr-defined]
    Connection.client = property(lambda connection: shortened(long_way(connection)))  # type: ignore[assignment]


def shortened(client: Any) -> Any:
    """The same client, whose plain calls go the short way."""
    if not isinstance(client.__dict__.get("_make_api_call"), _ShortWay):
        client._make_api_call = _ShortWay(client)
    return client


class _ShortWay:
    def __init__(self, client: Any) -> None:
        self._long_way: Call = client._make_api_call
        self._credentials = client._request_signer._credentials
        self._region: str = client.meta.region_name
        self._url: str = client.meta.endpoint_url
        self._agent = str(getattr(client.meta.config, "user_agent", "") or "")
        self._pool = _pool(client)

    def __call__(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        if operation not in _OPERATIONS:
            return self._long_way(operation, parameters)
        if operation == "TransactWriteItems" and "ClientRequestToken" not in parameters:
            parameters = {**parameters, "ClientRequestToken": str(uuid4())}
        answer = self._ask(operation, parameters)
        if answer is None:
            return self._long_way(operation, parameters)
        return _plain(answer, operation)

    def _ask(self, operation: str, parameters: dict[str, Any]) -> HTTPResponse | None:
        """The answer where it is final; None where the long way has to be gone."""
        body = json.dumps(parameters, default=_binary, separators=(",", ":")).encode()
        headers = {"Content-Type": _PROTOCOL, "X-Amz-Target": f"DynamoDB_20120810.{operation}"}
        try:
            # Here, not once: credentials of a role are refreshed before they expire.
            credentials = self._credentials.get_frozen_credentials()
            request = AWSRequest("POST", self._url, headers, body)
            SigV4Auth(credentials, "dynamodb", self._region).add_auth(request)
            sent = {**dict(request.headers.items()), "User-Agent": self._agent, "Accept-Encoding": "identity"}
            answer = self._pool.urlopen("POST", "/", body, sent, retries=False, redirect=False)
        except (HTTPError, OSError):
            return None
        return answer if _is_final(answer) else None  # type: ignore[arg-type, return-value]


def _pool(client: Any) -> HTTPConnectionPool:
    """Connections as botocore would make them: its time limits, its number, its certificates."""
    url, config = client.meta.endpoint_url, client.meta.config
    options: dict[str, Any] = {
        "maxsize": config.max_pool_connections,
        "timeout": Timeout(config.connect_timeout, config.read_timeout),
    }
    if url.startswith("https:"):
        given = client._endpoint.http_session._verify
        options |= {"cert_reqs": "CERT_REQUIRED", "ca_certs": given if isinstance(given, str) else where()}
    pool = connection_from_url(url, **options)
    assert isinstance(pool, HTTPConnectionPool)
    return pool


def _is_final(answer: HTTPResponse) -> bool:
    checksum = answer.headers.get("x-amz-crc32")
    if checksum is not None and int(checksum) != zlib.crc32(answer.data):
        return False
    return answer.status == 200 or (answer.status == 400 and _code(answer) in _FINAL)


def _code(answer: HTTPResponse) -> str:
    try:
        return str(json.loads(answer.data).get("__type", "")).rpartition("#")[2]
    except (ValueError, AttributeError):
        return ""


def _plain(answer: HTTPResponse, operation: str) -> dict[str, Any]:
    """Returns what botocore would return, or raises what it would raise."""
    found: dict[str, Any] = json.loads(answer.data, object_hook=_with_bytes)
    found["ResponseMetadata"] = {
        "HTTPStatusCode": answer.status,
        "HTTPHeaders": {name.lower(): value for name, value in answer.headers.items()},
        "RequestId": answer.headers.get("x-amzn-requestid", ""),
        "RetryAttempts": 0,
    }
    if answer.status == 200:
        return found
    message = found.pop("message", None) or found.pop("Message", "")
    found["Error"] = {"Code": str(found.pop("__type")).rpartition("#")[2], "Message": message}
    raise ClientError(found, operation)  # type: ignore[arg-type]


def _binary(value: Any) -> Any:
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, set | frozenset):
        return list(value)
    raise TypeError(f"{type(value).__name__} is nothing that DynamoDB takes")


def _with_bytes(found: dict[str, Any]) -> dict[str, Any]:
    """Binary values as bytes. An attribute of such a name has a dict for its value, never text."""
    if len(found) == 1:
        if isinstance(text := found.get("B"), str):
            return {"B": base64.b64decode(text)}
        if isinstance(texts := found.get("BS"), list):
            return {"BS": [base64.b64decode(one) for one in texts]}
    return found
