"""The connection that transactions go over: one a process, as a client is dear to make."""

from functools import cache

from pynamodb.connection import Connection

from chalicelib.store.tables import CronItem


@cache
def connection() -> Connection:
    meta = CronItem.Meta
    return Connection(
        connect_timeout_seconds=meta.connect_timeout_seconds,
        read_timeout_seconds=meta.read_timeout_seconds,
        max_retry_attempts=meta.max_retry_attempts,
        max_pool_connections=meta.max_pool_connections,
    )
