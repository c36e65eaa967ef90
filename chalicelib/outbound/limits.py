"""How much of an answer is read.

A server that answers without end would else fill the memory of the process that sends everybody's alerts.
"""

import io

# Of an answer's body.
MOST_ANSWER_BYTES = 64 * 1024
# Of all that comes over one connection: the heads of answers and what is not HTTP count as well.
MOST_BYTES_PER_CONNECTION = 2 * MOST_ANSWER_BYTES


class TooMuch(OSError):
    """A server sent more than is read."""

    def __init__(self) -> None:
        super().__init__(f"more than {MOST_BYTES_PER_CONNECTION // 1024} KB came")


class Limited(io.RawIOBase):
    """A stream of which no more than so many bytes can be read. Raises TooMuch."""

    def __init__(self, stream: io.BufferedReader, most: int = MOST_BYTES_PER_CONNECTION) -> None:
        self._stream = stream
        self._left = most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override] # of io's own type
        if not self._left:
            raise TooMuch
        count = self._stream.readinto1(memoryview(buffer)[: self._left])
        self._left -= count
        return count

    def close(self) -> None:
        self._stream.close()
        super().close()
