"""Sends the reports that wait on this machine because CronHub could not be reached.

`cronhub exec` leaves a process behind that does this by itself, and every later run does it too.
"""

from __future__ import annotations

import argparse
import sys
import time

from cronhub import reporter, spool
from cronhub.settings import load

#: How long the process that exec leaves behind goes on trying.
_PATIENCE = 86400.0
_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 300.0
_NOT_ALL = 75


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--background", action="store_true", help="go on for up to a day, until all are sent")


def run(arguments: argparse.Namespace) -> int:
    with spool.alone() as first:
        if not first:
            print("another process is sending them")
            return 0
        return _go_on() if arguments.background else _once()


def _once() -> int:
    sent, left = reporter.flush(load(), lambda text: print(f"cronhub: {text}", file=sys.stderr))
    print(f"{sent} sent, {left} waiting")
    return _NOT_ALL if left else 0


def _go_on() -> int:
    until, pause = time.monotonic() + _PATIENCE, _FIRST_PAUSE
    while time.monotonic() < until:
        _, left = reporter.flush(load(), lambda _: None)
        if not left:
            return 0
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)
    return _NOT_ALL
