"""Reports the runs of a systemd service, from its unit.

cli/systemd/cronhub.conf is a drop-in that calls it before and after any service. The result, the exit status and
the invocation come from the variables that systemd sets, the output of a failed run from the journal. `start` ends
with status 75 if a dependency is not completed. Nothing else that goes wrong with CronHub has a status of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple

from cronhub import reporter, spool
from cronhub.lookup import Wanted
from cronhub.reporter import Reporter, Verdict, iso
from cronhub.settings import Settings, UsageError, load, state_folder
from cronhub.spool import Report

BLOCKED = 75
_FAILED = 1
_JOURNAL_LINES, _JOURNAL_SECONDS = 100, 5.0
#: What a start leaves behind if its service never stops, as after a power cut.
_MOST_AGE = 30 * 86400.0


class Began(NamedTuple):
    """The start of a run, kept for its end."""

    started_at: str
    #: By the clock that all processes share until the machine restarts.
    monotonic: float
    blocked: bool


class Result(NamedTuple):
    exit_code: int
    #: For people; empty after a success.
    words: str


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("moment", choices=("start", "stop"), help="which of both the unit has come to")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--cron", metavar="NAME", help="the cron's name, service/name or product/service/name")
    which.add_argument("--id", metavar="ID", help="the cron's id: no key is needed")
    parser.add_argument("--url", help="where CronHub is; CRONHUB_URL unless given")
    parser.add_argument("--no-output", action="store_true", help="do not send the journal of a failed run")


def run(arguments: argparse.Namespace) -> int:
    invocation = os.environ.get("INVOCATION_ID", "")
    if not invocation.isalnum():
        raise UsageError("this is called by systemd, which sets INVOCATION_ID")
    # A process that stays behind would keep the unit from being over.
    os.environ["CRONHUB_BACKGROUND"] = "off"
    settings = load(arguments.url)
    this_run = Reporter(settings, Wanted(arguments.cron or arguments.id), f"systemd-{invocation}")
    if arguments.moment == "start":
        return _start(this_run, invocation)
    return _stop(this_run, invocation, settings, not arguments.no_output)


def _start(this_run: Reporter, invocation: str) -> int:
    at = datetime.now(timezone.utc)
    answer = this_run.start(at)
    blocked = answer.verdict is Verdict.BLOCKED
    _keep(invocation, Began(iso(at), time.monotonic(), blocked))
    if blocked:
        _say(f"not run: it waits for {answer.why}")
        return BLOCKED
    if answer.verdict is Verdict.REFUSED:
        _say(f"the start was not reported: {answer.why}")
    return 0


def _stop(this_run: Reporter, invocation: str, settings: Settings, sends_output: bool) -> int:
    began = _taken(invocation)
    if (began and began.blocked) or os.environ.get("SERVICE_RESULT") == "exec-condition":
        return 0
    result = result_of(os.environ)
    output = result.words
    if output and sends_output:
        output = f"{output}\n{_journal(invocation)}".rstrip()
    report = Report(
        url=settings.url,
        cron=this_run.cron.text,
        run_id=this_run.run_id,
        exit_code=result.exit_code,
        duration_ms=round((time.monotonic() - began.monotonic) * 1000) if began else None,
        started_at=began.started_at if began else None,
        finished_at=iso(datetime.now(timezone.utc)),
        output=output or None,
    )
    answer = this_run.finish(report)
    if answer.verdict is Verdict.ACCEPTED:
        if spool.waiting():
            reporter.within(reporter.FINISH_BUDGET, lambda: _flush(settings))
        return 0
    _say(f"the end was not reported{' yet' if answer.verdict is Verdict.UNREACHABLE else ''}: {answer.why}")
    return _FAILED


def result_of(variables: os._Environ[str] | dict[str, str]) -> Result:
    """How the service ended, by the variables of ExecStopPost: see systemd.exec(5)."""
    result, how, status = (variables.get(name, "") for name in ("SERVICE_RESULT", "EXIT_CODE", "EXIT_STATUS"))
    if result == "success":
        # Also where its status is another than 0 that SuccessExitStatus= allows.
        return Result(0, "")
    words = f"systemd: {result or 'no result'} ({how or 'not run'} {status or '-'})"
    return Result(_exit_code(status) or _FAILED, words)


def _exit_code(status: str) -> int:
    """As shells have it: 128 and the number of a POSIX signal such as TERM; 1 for what is neither."""
    if status.isdigit():
        return int(status)
    found = getattr(signal, f"SIG{status}", None)
    return 128 + found if isinstance(found, signal.Signals) else _FAILED


def _journal(invocation: str) -> str:
    """The last lines that this run wrote; empty where there is no journal."""
    # By systemd for what it says of the unit, and by the unit's processes.
    which = [f"_SYSTEMD_INVOCATION_ID={invocation}", "+", f"INVOCATION_ID={invocation}"]
    command = ["journalctl", "--no-pager", "--quiet", "--output=cat", f"--lines={_JOURNAL_LINES}", *which]
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=_JOURNAL_SECONDS, stdin=subprocess.DEVNULL, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace")


def _flush(settings: Settings) -> None:
    with suppress(OSError), spool.alone() as first:
        if first:
            reporter.flush(settings, _say)


def _folder() -> Path:
    return state_folder() / "systemd"


def _keep(invocation: str, began: Began) -> None:
    """Where it cannot be kept, the end is reported without its duration."""
    with suppress(OSError):
        folder = _folder()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for old in folder.iterdir():
            if time.time() - old.stat().st_mtime > _MOST_AGE:
                old.unlink()
        (folder / invocation).write_text(json.dumps(began), encoding="utf-8")


def _taken(invocation: str) -> Began | None:
    path = _folder() / invocation
    try:
        began = Began(*json.loads(path.read_text(encoding="utf-8")))
        path.unlink()
    except (OSError, ValueError, TypeError):
        return None
    return began


def _say(text: str) -> None:
    """Into the journal of the unit."""
    with suppress(OSError):
        print(f"cronhub: {text}", file=sys.stderr, flush=True)
