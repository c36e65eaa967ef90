"""The connection that transactions go over: that of the crons, as a client is dear to make."""

from functools import cache

from pynamodb.connection import Connection

from chalicelib.store.tables import CronItem


@cache
def connection() -> Connection:
    return CronItem._get_connection().connection
