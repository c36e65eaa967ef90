"""Child processes: started in order, started again when they die, stopped in order."""

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from infra.local.log import say
from infra.local.stop_signal import StopSignal

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 10.0
STEADY = 10.0
MAX_STARTUP_FAILURES = 3
IDLE = 60.0


@dataclass(eq=False)
class Part:
    """A child process, and how it is to be run."""

    name: str
    command: Sequence[str]
    # One that ends by itself when its work is done, and is not started again then.
    ends: bool = False
    # What has to run again after this one was started again.
    before_use: "Part | None" = None
    inherits: tuple[int, ...] = ()
    output: Path | None = None
    stop_limit: float = 15.0
    loss: str = ""
    process: "subprocess.Popen[bytes] | None" = None
    started: float = 0.0
    failures: int = 0
    due: float | None = None
    done: bool = False


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
        output = part.output.open("ab") if part.output else None
        # A session of its own, or Ctrl-C would reach all children at once, in no order. Its
        # standard input tells it that its supervisor lives.
        part.process = subprocess.Popen(
            part.command,
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT if output else None,
            pass_fds=part.inherits + self.shared,
            start_new_session=True,
        )
        if output:
            output.close()

    def run_until_done(self, part: Part) -> bool:
        """Start a part that ends, and wait for it. False: asked to stop, or it will not work."""
        self.start(part)
        while not part.done:
            self._wait()
            if self.stop_signal.received:
                return False
            self._heal()
            broken = [each for each in self.parts if each.failures >= MAX_STARTUP_FAILURES]
            if broken:
                return False
        return True

    def watch(self) -> None:
        """Keep the parts running until asked to stop."""
        while not self.stop_signal.received:
            self._heal()
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
                if part.before_use is not None:
                    self._run_again(part.before_use)

    def _run_again(self, part: Part) -> None:
        if part.process is None:
            part.failures = 0
            self.start(part)

    def _note_end(self, part: Part, status: int) -> None:
        _let_go(part)
        if part.ends and status == 0:
            part.done = True
            return
        lived = time.monotonic() - part.started
        part.failures = 1 if lived >= STEADY else part.failures + 1
        pause = min(FIRST_PAUSE * 2 ** (part.failures - 1), LONGEST_PAUSE)
        part.due = time.monotonic() + pause
        say(part.name, f"ended ({_reason(status)}){part.loss}; starting again in {pause:.1f} s")

    def _stop_part(self, part: Part) -> None:
        process, part.due = part.process, None
        if process is None:
            return
        process.terminate()
        deadline = time.monotonic() + part.stop_limit
        try:
            process.wait(deadline - time.monotonic())
        except subprocess.TimeoutExpired:
            say(part.name, f"did not stop within {part.stop_limit:.0f} s; killed{part.loss}")
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


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
