"""A table that an older release made gets the indexes that a newer one has, with the items that are there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib.domain.ids import cron_id
from chalicelib.domain.monitor.cron import Cron, OpenIncident, Settings, Status
from chalicelib.domain.monitor.display_status import DisplayStatus
from chalicelib.domain.times import from_ms
from chalicelib.store.cron_codec import to_item
from chalicelib.store.crons import has_standing
from chalicelib.store.tables import CronItem, create_tables
from infra.local.store import Store, StoreError, install
from tests.stores import REGION, over

ORG = "0123456789ab"
NOW = from_ms(1_770_000_000_000)
TABLE = {
    "TableName": "old",
    "KeySchema": [{"AttributeName": "h", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "h", "AttributeType": "S"}],
}
INDEX = {
    "IndexName": "by_color",
    "KeySchema": [{"AttributeName": "color", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["size"]},
}
COLOR = {"AttributeName": "color", "AttributeType": "S"}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "state" / "store.db")
    made.answer("dynamodb", "CreateTable", TABLE)
    for name, more in {"a": {"color": {"S": "red"}, "size": {"N": "1"}, "note": {"S": "x"}}, "b": {}}.items():
        made.answer("dynamodb", "PutItem", {"TableName": "old", "Item": {"h": {"S": name}, **more}})
    return made


def add(store: Store, **more: object) -> None:
    updates = [{"Create": {**INDEX, **more}}]
    request = {"TableName": "old", "AttributeDefinitions": [COLOR], "GlobalSecondaryIndexUpdates": updates}
    store.answer("dynamodb", "UpdateTable", request)


def red(store: Store) -> list[dict[str, object]]:
    request = {
        "TableName": "old",
        "IndexName": "by_color",
        "KeyConditionExpression": "color = :red",
        "ExpressionAttributeValues": {":red": {"S": "red"}},
    }
    found: list[dict[str, object]] = store.answer("dynamodb", "Query", request)["Items"]
    return sorted(found, key=str)


def test_items_that_are_there_and_that_come_are_in_it(store: Store) -> None:
    add(store)
    assert red(store) == [{"h": {"S": "a"}, "color": {"S": "red"}, "size": {"N": "1"}}]

    store.answer("dynamodb", "PutItem", {"TableName": "old", "Item": {"h": {"S": "c"}, "color": {"S": "red"}}})
    store.answer("dynamodb", "DeleteItem", {"TableName": "old", "Key": {"h": {"S": "a"}}})

    assert red(store) == [{"h": {"S": "c"}, "color": {"S": "red"}}]


def test_what_does_not_fit_changes_nothing(store: Store) -> None:
    for schema in (
        [{"AttributeName": "unknown", "KeyType": "HASH"}],
        [{"AttributeName": "h", "KeyType": "RANGE"}],
    ):
        with pytest.raises(StoreError):
            add(store, KeySchema=schema)
    with pytest.raises(StoreError):
        store.answer("dynamodb", "UpdateTable", {"TableName": "old", "BillingMode": "PROVISIONED"})
    add(store)
    with pytest.raises(StoreError):
        add(store)


@pytest.fixture
def emulated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with over(AWS_DEFAULT_REGION=REGION):
        installed = install(tmp_path / "state" / "store.db", sweep=False)
        yield
        installed.uninstall()


@pytest.fixture
def old_tables(emulated: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tables as they were before there was the index of standings."""
    schema = CronItem._get_schema()
    before = [index for index in schema["global_secondary_indexes"] if index["index_name"] != "standing"]
    attributes = [one for one in schema["attribute_definitions"] if one["AttributeName"] != "sd"]
    older = {**schema, "global_secondary_indexes": before, "attribute_definitions": attributes}
    with monkeypatch.context() as patched, over():
        patched.setattr(CronItem, "_get_schema", lambda: older)
        create_tables()


@pytest.mark.usefixtures("old_tables")
def test_create_tables_adds_the_index_that_is_missing() -> None:
    incident = OpenIncident("i", NOW)
    cron = Cron(ORG, cron_id(ORG, bytes(10)), "shop", "nightly", "backup", Settings(), NOW, version=1)
    to_item(cron._replace(status=Status.DOWN, incident=incident)).save()

    assert create_tables() == []

    assert has_standing(ORG, DisplayStatus.DOWN)
    assert not has_standing(ORG, DisplayStatus.LATE)
