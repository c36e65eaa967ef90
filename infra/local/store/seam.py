"""Where the store takes the place of AWS: pynamodb and boto3 are answered in this process.

botocore turns a request into HTTP below `BaseClient._make_api_call`, and an answer back into a dict
there. All that is left out. pynamodb gets a client that can nothing else, so that no credentials,
region or service model is loaded for it; its errors still come from its own code.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from botocore.client import BaseClient
from botocore.exceptions import ClientError
from pynamodb.connection import Connection

from infra.local.store.errors import StoreError
from infra.local.store.operations import OPERATIONS
from infra.local.store.service import Store
from infra.local.store.sweeper import Sweeper
from infra.local.store.tables import Answer


class _DynamoClient(BaseClient):
    """What pynamodb calls: knows the name of its service, and nothing of HTTP."""

    def __init__(self) -> None:
        service = SimpleNamespace(service_name="dynamodb")
        meta: Any = SimpleNamespace(service_model=service, endpoint_url="embedded", region_name="local")
        self.meta = meta


@dataclass
class Installed:
    """The store that this process uses, until `uninstall`."""

    store: Store
    sweeper: Sweeper | None
    patches: list[Any]

    def uninstall(self) -> None:
        for one in self.patches:
            one.stop()
        if self.sweeper is not None:
            self.sweeper.stop()
        self.store.close()


def install(path: Path | str, *, sweep: bool = True) -> Installed:
    """Has this process, and those it forks, use the store in this file for DynamoDB and SQS.

    sweep: delete what has expired, in the background.
    Raises StoreFileError, whose message names the file, where it is damaged, foreign or newer.
    """
    store = Store(Path(path))
    sweeper = Sweeper(store) if sweep else None
    elsewhere = BaseClient._make_api_call  # type: ignore[attr-defined]

    def make_api_call(client: Any, operation: str, request: Mapping[str, Any]) -> Any:
        service = client.meta.service_model.service_name
        if service not in OPERATIONS:
            return elsewhere(client, operation, request)
        return _answer(store, client, operation, request)

    client = _DynamoClient()
    patches: list[Any] = [
        patch.object(BaseClient, "_make_api_call", make_api_call),
        patch.object(Connection, "client", client),
    ]
    for one in patches:
        one.start()
    if sweeper is not None:
        sweeper.start()
    return Installed(store, sweeper, patches)


def _answer(store: Store, client: Any, operation: str, request: Mapping[str, Any]) -> Answer:
    service = client.meta.service_model.service_name
    try:
        answer = store.answer(service, operation, request)
    except StoreError as error:
        raise _client_error(client, operation, error) from error
    answer["ResponseMetadata"] = {"HTTPStatusCode": 200, "RetryAttempts": 0}
    return answer


def _client_error(client: Any, operation: str, error: StoreError) -> ClientError:
    """The error as botocore would raise it: of the client's own class where it has one."""
    details = dict(error.details)
    query_code = details.pop("QueryErrorCode", None)
    response: Any = {
        "Error": {"Code": error.code, "Message": error.message},
        "ResponseMetadata": {"HTTPStatusCode": getattr(error, "status", 400), "RetryAttempts": 0},
        **details,
    }
    kind = (
        ClientError if isinstance(client, _DynamoClient) else client.exceptions.from_code(query_code or error.code)
    )
    return kind(response, operation)
