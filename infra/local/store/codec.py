"""Items as bytes: MessagePack, which keeps text and binary apart and is the fastest of what was measured."""

from collections.abc import Callable

import msgpack

from infra.local.store.values import Item

encode: Callable[[Item], bytes] = msgpack.packb


def decode(raw: bytes) -> Item:
    item: Item = msgpack.unpackb(raw)
    return item
