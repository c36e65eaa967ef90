"""Takes over, once, what an older CronHub left in the state folder: the tables of an emulator, as JSON.

That CronHub wrote `state/dynamodb.json` when it was stopped. Its items go into the embedded store, and the
folder is then called `state.taken-over`.
"""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from infra.local.folder import state_folder
from infra.local.log import say

_AT_ONCE = 25


class UnreadableState(Exception):
    """An older state that cannot be taken over, and what to do about it."""


def is_there() -> bool:
    return _source().is_file()


def _source() -> Path:
    return state_folder() / "state" / "dynamodb.json"


def take_over() -> None:
    """Raises UnreadableState where it is damaged; nothing is lost then."""
    if not is_there():
        return
    folder = _source().parent
    count = _copy_items(_source())
    folder.rename(folder.with_name("state.taken-over"))
    say("tables", f"took over {count} items of an older CronHub; its own files are in {folder}.taken-over")


def _copy_items(source: Path) -> int:
    from chalicelib.store.tables import MODELS

    known = {model.Meta.table_name for model in MODELS}
    count = 0
    try:
        state = json.loads(source.read_text(), object_hook=_with_bytes)
        tables = list(_tables_in(state))
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise UnreadableState(
            f"{source} was left by an older CronHub and cannot be read ({error}). "
            f"To start without it: mv {source.parent} {source.parent}.old"
        ) from error
    for name, items in tables:
        if name in known:
            _put(name, items)
            count += len(items)
    return count


def _with_bytes(found: dict[str, Any]) -> Any:
    """Binary attributes are in base64 there."""
    if set(found) == {"B"} and isinstance(found["B"], str):
        return {"B": base64.b64decode(found["B"])}
    return found


def _tables_in(state: dict[str, Any]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    for table in state["payload"]["tables"]["data"].values():
        items = [item for by_range in table["items"].values() for item in by_range.values()]
        yield table["TableName"], items


def _put(table: str, items: list[dict[str, Any]]) -> None:
    from pynamodb.connection import Connection

    client = Connection().client
    for start in range(0, len(items), _AT_ONCE):
        puts = [{"PutRequest": {"Item": item}} for item in items[start : start + _AT_ONCE]]
        client._make_api_call("BatchWriteItem", {"RequestItems": {table: puts}})
