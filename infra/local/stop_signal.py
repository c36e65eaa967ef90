"""Waiting that a signal ends at once, and that never loses one."""

import select
import signal
import socket
from types import FrameType


class StopSignal:
    """Notes that the process was asked to stop; what is running goes on to its end."""

    def __init__(self, *stopping: signal.Signals, waking: tuple[signal.Signals, ...] = ()) -> None:
        self.received = False
        # A byte arrives here for each signal, also for one that comes just before the wait.
        self._reader, writer = socket.socketpair()
        self._reader.setblocking(False)
        writer.setblocking(False)
        self._writer = writer
        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        for each in stopping:
            signal.signal(each, self._stop)
        for each in waking:
            signal.signal(each, lambda *_: None)

    def wait(self, seconds: float) -> None:
        if self.received:
            return
        readable, _, _ = select.select([self._reader], [], [], max(seconds, 0))
        if readable:
            self._reader.recv(4096)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.received = True
