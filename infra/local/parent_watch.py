"""A child's tie to its supervisor: when that is gone, however it went, the child stops too.

The supervisor holds the other end of the child's standard input and never writes to it. Reading
it to its end works on every system, unlike asking the kernel for a signal (Linux alone).
"""

import os
import signal
import threading
import time

#: The variable that a supervisor sets for its children; without it a part runs alone.
SUPERVISED = "CRONHUB_SUPERVISED"
LIMIT = 60.0


def start_if_supervised() -> None:
    if SUPERVISED in os.environ:
        start()


def start() -> None:
    threading.Thread(target=_stop_when_let_go, name="parent watch", daemon=True).start()


def _stop_when_let_go() -> None:
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(LIMIT)
    os._exit(1)
