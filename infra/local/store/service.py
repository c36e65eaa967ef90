"""The store as a service: a request in, an answer or a StoreError out."""

import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from infra.local.store import queues
from infra.local.store.errors import StoreError
from infra.local.store.file import StoreFile
from infra.local.store.operations import OPERATIONS, Operation
from infra.local.store.tables import Answer, Request

# A sender in another process cannot wake a receiver that waits. How often it sees whether anything was
# written, and how often it looks in any case.
_TRACE_SECONDS = 0.02
_LOOK_AGAIN_SECONDS = 0.25


class Store:
    """One file, used by any number of threads and processes. `clock` returns seconds since 1970."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self.file = StoreFile(path)
        self.clock = clock
        self._stopping = threading.Event()

    def answer(self, service: str, operation: str, request: Request) -> Answer:
        """Raises StoreError for what is refused, and for what the file cannot do just now."""
        known = OPERATIONS[service].get(operation)
        if known is None:
            raise StoreError("UnknownOperationException", f"{operation} is not known to CronHub's embedded store")
        try:
            if operation == "ReceiveMessage":
                return self._receive(known, request)
            return self._run(known, request)
        except (KeyError, TypeError, AttributeError) as error:
            raise StoreError(
                "SerializationException", f"a member is missing or of a wrong type: {error}"
            ) from error

    def close(self) -> None:
        """Ends waits and closes the file."""
        self._stopping.set()
        self.file.close()

    def _run(self, operation: Operation, request: Request) -> Answer:
        run = self.file.write if operation.is_write else self.file.read
        return run(lambda connection: operation.work(connection, request, self.clock()))

    def _receive(self, operation: Operation, request: Request) -> Answer:
        """Waits without a lock, and only writes once there is something to take."""
        wait = self.file.read(partial(queues.wait_seconds, request=request))
        deadline = time.monotonic() + wait
        while True:
            seen, look_again_at = self.file.trace(), time.monotonic() + _LOOK_AGAIN_SECONDS
            if self.file.read(lambda connection: queues.has_visible(connection, request, self.clock())):
                answer = self._run(operation, request)
                if answer:
                    return answer
            # A message may also become visible without a write.
            while self.file.trace() == seen and time.monotonic() < min(deadline, look_again_at):
                if self._stopping.wait(_TRACE_SECONDS):
                    return {}
            if time.monotonic() >= deadline or self._stopping.is_set():
                return {}
