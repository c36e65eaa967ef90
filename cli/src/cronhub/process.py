"""Runs a command as if it had been started directly: output, signals and exit status pass through unchanged."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from datetime import datetime, timezone
from types import FrameType
from typing import Callable, NamedTuple

#: A job's output is read in pieces of this size.
_PIECE = 64 * 1024
_PASSED_ON = ("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2")
#: A terminal sends these to all of its foreground processes by itself.
_FROM_TERMINAL = ("SIGINT", "SIGQUIT")
#: How long the output of what a job left running in the background is waited for.
_LINGER = 0.5
NOT_FOUND, NOT_EXECUTABLE, TIMED_OUT = 127, 126, 124


class Ended(NamedTuple):
    #: As a shell tells it: 128 + n after signal n, 124 after our time limit.
    exit_code: int
    #: The signal that killed it.
    killed_by: int | None
    started_at: datetime
    finished_at: datetime
    duration_ms: int
    #: Why it could not be run at all.
    fault: str | None = None
    timed_out: bool = False


class Limits(NamedTuple):
    #: Seconds until the command is told to end.
    timeout: float | None = None
    #: Seconds from then until it is killed.
    grace: float = 10.0


class Process:
    """One execution of a command; `keep` gets its output, None leaves the output alone."""

    def __init__(self, command: list[str], keep: Callable[[bytes], None] | None, limits: Limits) -> None:
        self._command = command
        self._keep = keep
        self._limits = limits
        self._child: subprocess.Popen[bytes] | None = None
        # With a time limit, what the command started must end with it. Without one it stays in our group, as if
        # it had been started directly.
        self._has_terminal = _has_terminal()
        self._own_group = limits.timeout is not None and not self._has_terminal
        self._ended_ns: int | None = None
        #: Where each of the command's outputs is passed on to.
        self._sinks: dict[int, int] = {}
        self._stop_at: float | None = None
        self._told_to_stop = self._killed = False

    def run(self) -> Ended:
        with _Wakeup(self._on_signal) as wakeup:
            started_at, began_ns = datetime.now(timezone.utc), time.monotonic_ns()
            try:
                self._start()
            except OSError as error:
                return _never_ran(self._command[0], error, started_at)
            if self._limits.timeout is not None:
                self._stop_at = time.monotonic() + self._limits.timeout
            self._watch(wakeup)
        assert self._child is not None
        assert self._ended_ns is not None
        return _ended(self._child.returncode, started_at, self._ended_ns - began_ns, self._told_to_stop)

    def hand_over_output(self) -> None:
        """Where the command left something running that still writes: its output goes on passing through.

        A process of its own does that, so that this one ends when the command does.
        """
        if not self._sinks:
            return
        if os.fork() == 0:
            for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_DFL)
            self._keep = None
            while self._sinks:
                self._pump(None)
            os._exit(0)

    def _start(self) -> None:
        ends = self._pipes() if self._keep is not None else (None, None)
        # Above 2 nothing is closed: the command may have been given a lock or a socket.
        options: dict[str, object] = {"close_fds": False, "stdout": ends[0], "stderr": ends[1]}
        if self._own_group:
            options.update(_new_group())
        try:
            self._child = subprocess.Popen(self._command, **options)  # type: ignore[call-overload]
        except OSError:
            for source in list(self._sinks):
                self._close(source)
            raise
        finally:
            for end in {end for end in ends if end is not None}:
                os.close(end)

    def _pipes(self) -> tuple[int, int]:
        """The ends that the command writes to. Outputs that go to one place share a pipe: their order stays."""
        if _same_file(1, 2):
            source, sink = os.pipe()
            self._sinks[source] = 1
            return sink, sink
        ends = []
        for own in (1, 2):
            source, sink = os.pipe()
            self._sinks[source] = own
            ends.append(sink)
        return ends[0], ends[1]

    def _watch(self, wakeup: _Wakeup) -> None:
        """Until the command has ended and its output is passed on."""
        linger_until: float | None = None
        while linger_until is None or (self._sinks and time.monotonic() < linger_until):
            self._enforce_limits()
            self._pump(self._patience(linger_until), wakeup.source)
            self._pass_on(wakeup.drained())
            self._note_end()
            if self._ended_ns is not None and linger_until is None:
                linger_until = time.monotonic() + _LINGER

    def _patience(self, linger_until: float | None) -> float | None:
        moments = [at for at in (linger_until, self._stop_at) if at is not None]
        return max(0.0, min(moments) - time.monotonic()) if moments else None

    def _pump(self, patience: float | None, *others: int) -> None:
        """Waits for output and passes on what there is."""
        poll = select.poll()
        for source in (*self._sinks, *others):
            poll.register(source, select.POLLIN)
        for source, _ in poll.poll(None if patience is None else patience * 1000 + 1):
            if source in self._sinks:
                self._pass_output(source)

    def _pass_output(self, source: int) -> None:
        data = os.read(source, _PIECE)
        if not data:
            self._close(source)
            return
        if self._keep is not None:
            self._keep(data)
        try:
            _write_all(self._sinks[source], data)
        except OSError:
            # Nobody reads it any more. The command is to notice, as it would without us.
            self._close(source)

    def _close(self, source: int) -> None:
        del self._sinks[source]
        os.close(source)

    # -- signals, the end, and the time limit

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        """Runs at once, also while output is waiting to be taken: the moment of the end is exact."""
        if number == signal.SIGCHLD:
            self._note_end()

    def _note_end(self) -> None:
        if self._ended_ns is None and self._child is not None and self._child.poll() is not None:
            self._ended_ns = time.monotonic_ns()

    def _pass_on(self, numbers: list[int]) -> None:
        for number in numbers:
            by_terminal = self._has_terminal and signal.Signals(number).name in _FROM_TERMINAL
            if number != signal.SIGCHLD and not by_terminal:
                self._send(number)

    def _send(self, number: int) -> None:
        assert self._child is not None
        if self._ended_ns is not None:
            return
        try:
            if self._own_group:
                os.killpg(self._child.pid, number)
            else:
                self._child.send_signal(number)
        except (ProcessLookupError, PermissionError):
            pass

    def _enforce_limits(self) -> None:
        if self._stop_at is None or time.monotonic() < self._stop_at or self._ended_ns is not None:
            return
        if not self._told_to_stop:
            self._told_to_stop = True
            self._send(signal.SIGTERM)
            self._send(signal.SIGCONT)
            self._stop_at += self._limits.grace
        elif not self._killed:
            self._killed = True
            self._send(signal.SIGKILL)
            self._stop_at = None


class _Wakeup:
    """While it is entered, signals are caught, and each wakes up who waits for `source`."""

    def __init__(self, handler: Callable[[int, FrameType | None], None]) -> None:
        self._handler = handler
        self._before: dict[int, object] = {}

    def __enter__(self) -> _Wakeup:
        self.source, self._sink = os.pipe()
        os.set_blocking(self.source, False)
        os.set_blocking(self._sink, False)
        signal.set_wakeup_fd(self._sink, warn_on_full_buffer=False)
        for name in (*_PASSED_ON, "SIGCHLD"):
            number = getattr(signal, name)
            # What was ignored stays ignored, by the command too: nohup.
            if name == "SIGCHLD" or signal.getsignal(number) != signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._handler)
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(-1)
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        os.close(self.source)
        os.close(self._sink)

    def drained(self) -> list[int]:
        try:
            return list(os.read(self.source, 4096))
        except BlockingIOError:
            return []


def die_as(ended: Ended) -> int:
    """Ends this process as the command ended: by the same signal, or returns its exit status."""
    if ended.killed_by is None or ended.timed_out:
        return ended.exit_code
    sys.stdout.flush()
    try:
        import resource

        # The command may have left a core dump; this process has none to give.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.signal(ended.killed_by, signal.SIG_DFL)
    except (ImportError, OSError, ValueError):
        pass
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [ended.killed_by])
    os.kill(os.getpid(), ended.killed_by)
    return ended.exit_code


def _ended(status: int, started_at: datetime, elapsed_ns: int, timed_out: bool) -> Ended:
    killed_by = -status if status < 0 else None
    exit_code = TIMED_OUT if timed_out else (128 - status if status < 0 else status)
    duration_ms = round(elapsed_ns / 1_000_000)
    return Ended(exit_code, killed_by, started_at, datetime.now(timezone.utc), duration_ms, timed_out=timed_out)


def _never_ran(name: str, error: OSError, at: datetime) -> Ended:
    is_missing = isinstance(error, (FileNotFoundError, NotADirectoryError))
    exit_code = NOT_FOUND if is_missing else NOT_EXECUTABLE
    why = "not found" if is_missing else (error.strerror or str(error)).lower()
    return Ended(exit_code, None, at, at, 0, fault=f"{name}: {why}")


def _new_group() -> dict[str, object]:
    is_new = sys.version_info >= (3, 11)
    return {"process_group": 0} if is_new else {"preexec_fn": os.setpgrp}


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True


def _same_file(one: int, other: int) -> bool:
    try:
        first, second = os.fstat(one), os.fstat(other)
    except OSError:
        return False
    return (first.st_dev, first.st_ino) == (second.st_dev, second.st_ino)


def _write_all(sink: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[_write(sink, view) :]


def _write(sink: int, data: memoryview) -> int:
    try:
        return os.write(sink, data)
    except BlockingIOError:
        # It was given to us as non-blocking.
        select.select([], [sink], [])
        return 0
