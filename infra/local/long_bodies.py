"""Bodies of signals, of any size: the beginning and the end are kept, the middle is dropped as it arrives.

A job that prints 100 MB must not lose its ping, and must cost neither memory nor disk.
"""

import io
import re
from collections.abc import Iterable

#: Kept of each end; together less than the gateway's limit on other bodies.
KEPT = 2 * 1024 * 1024
_BLOCK = 64 * 1024
_TORN_ESCAPE = re.compile(rb"\\+[^\\]{0,4}$")


class HeadAndTail:
    """What is kept of a body. It has what waitress asks of a buffer."""

    def __init__(self) -> None:
        self.head = bytearray()
        self.tail = bytearray()
        self.cut = 0

    def append(self, data: bytes) -> None:
        room = 0 if self.tail or self.cut else KEPT - len(self.head)
        self.head += data[:room]
        self.tail += data[room:]
        # Not at every block: each cut moves what is kept.
        if len(self.tail) > 2 * KEPT:
            self._drop()

    def _drop(self) -> None:
        surplus = max(0, len(self.tail) - KEPT)
        del self.tail[:surplus]
        self.cut += surplus
        if surplus:
            self._mend()

    def _mend(self) -> None:
        """A JSON string that was cut in its middle goes on as one, if no escape is torn in two."""
        torn = _TORN_ESCAPE.search(self.head)
        start = 0 if torn is None else len(self.head) - torn.start()
        end = len(self.tail) - len(self.tail.lstrip(b'"\\'))
        del self.head[len(self.head) - start :], self.tail[:end]
        self.cut += start + end

    def __len__(self) -> int:
        self._drop()
        return len(self.head) + len(self.tail)

    def getfile(self) -> io.BytesIO:
        self._drop()
        return io.BytesIO(bytes(self.head + self.tail))

    def close(self) -> None:
        self.head.clear()
        self.tail.clear()


def head_and_tail(stream: Iterable[bytes]) -> HeadAndTail:
    found = HeadAndTail()
    for block in stream:
        found.append(block)
    return found


def blocks(file: io.BufferedIOBase, length: int | None) -> Iterable[bytes]:
    """A WSGI stream in blocks: so many bytes of it, None for all."""
    left = length
    while left is None or left > 0:
        block = file.read(_BLOCK if left is None else min(_BLOCK, left))
        if not block:
            return
        left = None if left is None else left - len(block)
        yield block
