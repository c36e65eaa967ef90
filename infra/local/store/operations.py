"""The operations that the store knows, by their names in AWS."""

import sqlite3
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

from infra.local.store import batches, queries, queues, rows, tables, transactions, writes
from infra.local.store.tables import Answer, Request

Work: TypeAlias = Callable[[sqlite3.Connection, Request, float], Answer]


class Operation(NamedTuple):
    """work(connection, request, now) answers a request within one transaction."""

    work: Work
    is_write: bool


def _reads(work: Callable[[sqlite3.Connection, Request], Answer]) -> Operation:
    return Operation(lambda connection, request, _: work(connection, request), is_write=False)


def _writes(work: Callable[[sqlite3.Connection, Request], Answer]) -> Operation:
    return Operation(lambda connection, request, _: work(connection, request), is_write=True)


def _update_time_to_live(connection: sqlite3.Connection, request: Request) -> Answer:
    table, answer = tables.set_time_to_live(connection, request)
    rows.reset_expiries(connection, table)
    return answer


def _update_table(connection: sqlite3.Connection, request: Request) -> Answer:
    table, answer = tables.add_index(connection, request)
    rows.fill_index(connection, table, table.indexes[-1])
    return answer


_DYNAMODB: Mapping[str, Operation] = {
    "CreateTable": Operation(tables.create_table, is_write=True),
    "DescribeTable": _reads(tables.describe_table),
    "ListTables": _reads(tables.list_tables),
    "DeleteTable": _writes(tables.delete_table),
    "UpdateTable": _writes(_update_table),
    "UpdateTimeToLive": _writes(_update_time_to_live),
    "DescribeTimeToLive": _reads(tables.describe_time_to_live),
    "GetItem": _reads(batches.get_item),
    "PutItem": _writes(writes.put_item),
    "UpdateItem": _writes(writes.update_item),
    "DeleteItem": _writes(writes.delete_item),
    "Query": _reads(queries.query),
    "Scan": _reads(queries.scan),
    "BatchGetItem": _reads(batches.batch_get_item),
    "BatchWriteItem": _writes(batches.batch_write_item),
    "TransactGetItems": _reads(transactions.transact_get_items),
    "TransactWriteItems": Operation(transactions.transact_write_items, is_write=True),
}

_SQS: Mapping[str, Operation] = {
    "CreateQueue": Operation(queues.create_queue, is_write=True),
    "DeleteQueue": _writes(queues.delete_queue),
    "ListQueues": _reads(queues.list_queues),
    "PurgeQueue": _writes(queues.purge_queue),
    "GetQueueUrl": _reads(queues.get_queue_url),
    "GetQueueAttributes": Operation(queues.get_queue_attributes, is_write=False),
    "SetQueueAttributes": _writes(queues.set_queue_attributes),
    "SendMessage": Operation(queues.send_message, is_write=True),
    "SendMessageBatch": Operation(queues.send_message_batch, is_write=True),
    "ReceiveMessage": Operation(queues.receive_message, is_write=True),
    "DeleteMessage": _writes(queues.delete_message),
    "DeleteMessageBatch": _writes(queues.delete_message_batch),
    "ChangeMessageVisibility": Operation(queues.change_message_visibility, is_write=True),
    "ChangeMessageVisibilityBatch": Operation(queues.change_message_visibility_batch, is_write=True),
}

OPERATIONS: Mapping[str, Mapping[str, Operation]] = {"dynamodb": _DYNAMODB, "sqs": _SQS}
