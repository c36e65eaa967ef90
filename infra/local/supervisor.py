"""Child processes: started in order, started again when they die, stopped in order."""

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from infra.local.log import say
from infra.local.stop_signal import StopSignal

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 10.0
STEADY = 10.0
MAX_STARTUP_FAILURES = 3
#: The exit code of a part that would fail in the same way again.
HOPELESS = 3
IDLE = 60.0


@dataclass(eq=False)
class Part:
    """A child process, and how it is to be run."""

    name: str
    command: Sequence[str]
    # One that ends by itself when its work is done, and is not started again then.
    ends: bool = False
    inherits: tuple[int, ...] = ()
    #: The core that it keeps to. Its threads run in turn anyway, and change over faster on one core.
    core: int | None = None
    stop_limit: float = 15.0
    process: "subprocess.Popen[bytes] | None" = None
    started: float = 0.0
    failures: int = 0
    due: float | None = None
    done: bool = False
    is_hopeless: bool = False


@dataclass
class Supervisor:
    env: dict[str, str]
    folder: Path
    # Open files that all children keep open: the lock, so that it outlives a killed supervisor.
    shared: tuple[int, ...] = ()
    stop_signal: StopSignal = field(
        default_factory=lambda: StopSignal(signal.SIGTERM, signal.SIGINT, signal.SIGHUP, waking=(signal.SIGCHLD,))
    )
    parts: list[Part] = field(default_factory=list)

    def start(self, part: Part) -> None:
        if part not in self.parts:
            self.parts.append(part)
        part.due, part.done, part.started = None, False, time.monotonic()
        # A session of its own, or Ctrl-C would reach all children at once, in no order. Its
        # standard input tells it that its supervisor lives.
        part.process = subprocess.Popen(
            part.command,
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.PIPE,
            pass_fds=part.inherits + self.shared,
            start_new_session=True,
        )
        if part.core is not None:
            # It may have ended already, or the core be taken away; then it runs anywhere.
            with suppress(OSError):
                os.sched_setaffinity(part.process.pid, {part.core})

    def run_until_done(self, part: Part) -> bool:
        """Start a part that ends, and wait for it. False: asked to stop, or it will not work."""
        self.start(part)
        while not part.done:
            self._wait()
            if self.stop_signal.received:
                return False
            self._heal()
            if part.failures >= MAX_STARTUP_FAILURES:
                return False
        return True

    def start_later(self, part: Part, seconds: float) -> None:
        self.parts.append(part)
        part.due = time.monotonic() + seconds

    def watch(self) -> None:
        """Keep the parts running until asked to stop, or until one says that it never can."""
        while not self.stop_signal.received:
            self._heal()
            if any(part.is_hopeless for part in self.parts):
                return
            self._wait()

    def stop(self, order: Sequence[Part]) -> None:
        for part in order:
            if part in self.parts:
                self._stop_part(part)

    def _wait(self) -> None:
        now = time.monotonic()
        pauses = [part.due - now for part in self.parts if part.due is not None]
        self.stop_signal.wait(min([*pauses, IDLE]))

    def _heal(self) -> None:
        for part in self.parts:
            if part.process is not None and part.process.poll() is not None:
                self._note_end(part, part.process.returncode)
            if part.due is not None and part.due <= time.monotonic():
                self.start(part)

    def _note_end(self, part: Part, status: int) -> None:
        _let_go(part)
        if part.ends and status == 0:
            part.done = True
            return
        if status == HOPELESS:
            part.is_hopeless, part.failures = True, MAX_STARTUP_FAILURES
            return
        lived = time.monotonic() - part.started
        part.failures = 1 if lived >= STEADY else part.failures + 1
        pause = min(FIRST_PAUSE * 2 ** (part.failures - 1), LONGEST_PAUSE)
        part.due = time.monotonic() + pause
        say(part.name, f"ended ({_reason(status)}); starting again in {pause:.1f} s")

    def _stop_part(self, part: Part) -> None:
        process, part.due = part.process, None
        if process is None:
            return
        process.terminate()
        deadline = time.monotonic() + part.stop_limit
        try:
            process.wait(deadline - time.monotonic())
        except subprocess.TimeoutExpired:
            say(part.name, f"did not stop within {part.stop_limit:.0f} s; killed")
            process.kill()
            process.wait()
        _let_go(part)


def _let_go(part: Part) -> None:
    if part.process is not None and part.process.stdin is not None:
        part.process.stdin.close()
    part.process = None


def _reason(status: int) -> str:
    if status >= 0:
        return f"exit code {status}"
    try:
        return f"killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"killed by signal {-status}"
