"""The tables, as the models of the store define them."""

from pynamodb.models import Model

from chalicelib.store.tables import MODELS
from infra.deploy.cfn import Json, logical, resource, sub
from infra.deploy.stages import Stage


def table_name(model: type[Model]) -> str:
    """Without the prefix."""
    prefix_and_name: str = model.Meta.table_name
    return prefix_and_name.rpartition("-")[2]


def tables(stage: Stage) -> Json:
    return {logical(table_name(model), "table"): _table(model, stage) for model in MODELS}


def _table(model: type[Model], stage: Stage) -> Json:
    schema: Json = dict(model._get_schema())
    kept = "Retain" if stage.keeps_data else "Delete"
    properties: Json = {
        "TableName": sub("${Prefix}-" + table_name(model)),
        "BillingMode": model.Meta.billing_mode,
        "AttributeDefinitions": schema["attribute_definitions"],
        "KeySchema": _hash_first(schema["key_schema"]),
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        "DeletionProtectionEnabled": stage.keeps_data,
    }
    indexes = [_index(index) for index in schema["global_secondary_indexes"]]
    if indexes:
        properties["GlobalSecondaryIndexes"] = indexes
    expiry = model._ttl_attribute()
    if expiry is not None:
        properties["TimeToLiveSpecification"] = {"AttributeName": expiry.attr_name, "Enabled": True}
    return resource("DynamoDB::Table", properties, DeletionPolicy=kept, UpdateReplacePolicy=kept)


def _index(index: Json) -> Json:
    return {
        "IndexName": index["index_name"],
        "KeySchema": _hash_first(index["key_schema"]),
        "Projection": index["projection"],
    }


def _hash_first(keys: list[Json]) -> list[Json]:
    return sorted(keys, key=lambda key: str(key["KeyType"]))
