"""What goes by itself, in the background: expired items, old messages, used tokens."""

import logging
import os
import threading
from weakref import WeakSet

from infra.local.store import queues, rows, transactions
from infra.local.store.errors import StoreError
from infra.local.store.service import Store

EVERY_SECONDS = 60.0
AT_ONCE = 100
# Between two batches, so that other writers get in.
PAUSE_SECONDS = 0.05

log = logging.getLogger(__name__)


def sweep(store: Store) -> int:
    """Deletes one batch of each; returns how much it was. Each batch is a short transaction."""
    now = store.clock()
    store.file.write(lambda connection: transactions.forget_tokens(connection, now))
    deleted = store.file.write(lambda connection: rows.delete_expired(connection, now, AT_ONCE))
    return deleted + store.file.write(lambda connection: queues.delete_old(connection, now, AT_ONCE))


class Sweeper:
    """Sweeps once a minute, in a thread that ends with its process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._stop = threading.Event()
        _sweepers.add(self)

    def start(self) -> None:
        threading.Thread(target=self._run, name="store-sweeper", daemon=True).start()

    def stop(self) -> None:
        _sweepers.discard(self)
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.wait(EVERY_SECONDS):
            try:
                while sweep(self._store) and not self._stop.wait(PAUSE_SECONDS):
                    pass
            except StoreError as error:
                log.warning("expired items were not deleted (%s): the next minute tries again", error)


_sweepers: WeakSet[Sweeper] = WeakSet()


def _restart_in_child() -> None:
    for sweeper in list(_sweepers):
        sweeper.start()


os.register_at_fork(after_in_child=_restart_in_child)
