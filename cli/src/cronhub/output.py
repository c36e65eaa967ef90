"""What is kept of a job's output: its beginning and its end, however much there is."""

from __future__ import annotations

#: CronHub keeps this much of each.
HEAD_BYTES = 2 * 1024
TAIL_BYTES = 8 * 1024
#: The line in between must fit too, or CronHub would cut again.
_FOR_THE_LINE = 64


class HeadAndTail:
    def __init__(self) -> None:
        self._head = bytearray()
        self._tail = bytearray()
        self._total = 0

    def append(self, data: bytes) -> None:
        self._total += len(data)
        missing = HEAD_BYTES - len(self._head)
        if missing > 0:
            self._head += data[:missing]
            data = data[missing:]
        self._tail += data[-TAIL_BYTES:]
        if len(self._tail) > 2 * TAIL_BYTES:
            del self._tail[:-TAIL_BYTES]

    def text(self) -> str:
        if self._total <= HEAD_BYTES + TAIL_BYTES:
            return (self._head + self._tail[-TAIL_BYTES:]).decode("utf-8", "replace")
        tail = self._tail[-(TAIL_BYTES - _FOR_THE_LINE) :]
        cut = self._total - len(self._head) - len(tail)
        # Not in the middle of a character.
        head, end = self._head.decode("utf-8", "ignore"), tail.decode("utf-8", "ignore")
        return f"{head}\n… {cut} bytes were cut …\n{end}"
