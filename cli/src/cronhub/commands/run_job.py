"""Runs a command and reports its start, its end, its exit status, its duration and its output.

What the command prints passes through unchanged, and cronhub ends as the command does. If CronHub cannot be
reached the command runs all the same, and is reported later. If a dependency is not completed it does not run,
and cronhub ends with status 75.

  cronhub exec --cron backup -- /usr/local/bin/backup --all
  cronhub exec --id ID --shell -- 'pg_dump shop | gzip > shop.gz'
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from contextlib import suppress
from datetime import datetime, timezone
from typing import NamedTuple

from cronhub.commands.arguments import span
from cronhub.lookup import Wanted
from cronhub.output import HeadAndTail
from cronhub.process import Ended, Limits, Process, die_as
from cronhub.reporter import Answer, Reporter, Verdict, iso
from cronhub.settings import Settings, UsageError, load, number
from cronhub.spool import Report

BLOCKED = 75
#: How often CronHub is asked whether the dependencies are completed.
_FIRST_LOOK, _LONGEST_LOOK = number("CRONHUB_FIRST_LOOK", 5.0), 30.0


class Job(NamedTuple):
    command: list[str]
    limits: Limits
    keeps_output: bool
    #: How long it waits for its dependencies, in seconds.
    wait: float
    ignores_blocked: bool
    verbose: bool


def options(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--cron", metavar="NAME", help="the cron's name, service/name or product/service/name")
    which.add_argument("--id", metavar="ID", help="the cron's id: no key is needed")
    add = parser.add_argument
    add("--url", help="where CronHub is; CRONHUB_URL unless given")
    add("--schedule", help="with --cron: register the cron with this schedule if it is not there yet")
    add("--timezone", help="the time zone of --schedule")
    add("--shell", action="store_true", help="the command is one text for $SHELL (or /bin/sh)")
    add("--no-output", action="store_true", help="do not read or report what the command prints")
    add("--timeout", type=span, metavar="SPAN", help="end the command after this time, with exit status 124")
    add("--grace", type=span, default=10.0, metavar="SPAN", help="from then until it is killed (10s)")
    blocked = parser.add_mutually_exclusive_group()
    blocked.add_argument("--wait", action="store_true", help="wait until the dependencies are completed")
    blocked.add_argument("--wait-at-most", type=span, metavar="SPAN", help="wait so long, then end with status 75")
    blocked.add_argument(
        "--ignore-blocked", action="store_true", help="run although a dependency is not completed"
    )
    add("-v", "--verbose", action="store_true", help="say what is reported, on standard error")
    add("command", nargs=argparse.REMAINDER, metavar="-- COMMAND", help="the command and its arguments")


def run(arguments: argparse.Namespace) -> int:
    command = _command(arguments)
    if arguments.schedule and not arguments.cron:
        raise UsageError("--schedule registers a cron by its name: use it with --cron")
    job = Job(
        command,
        Limits(arguments.timeout, arguments.grace),
        not arguments.no_output,
        float("inf") if arguments.wait else arguments.wait_at_most or 0.0,
        arguments.ignore_blocked,
        arguments.verbose,
    )
    wanted = Wanted(arguments.cron or arguments.id, arguments.schedule, arguments.timezone)
    try:
        settings: Settings | None = load(arguments.url)
    except UsageError as error:
        # A wrong setting is no reason for a job not to run.
        _say(f"{error}; the command runs unwatched")
        settings = None
    return die_as(_unwatched(job) if settings is None else _watched(job, Reporter(settings, wanted), settings))


def _command(arguments: argparse.Namespace) -> list[str]:
    given: list[str] = arguments.command
    if given[:1] == ["--"]:
        given = given[1:]
    if not given:
        raise UsageError("exec needs a command: cronhub exec --cron NAME -- COMMAND")
    if not arguments.shell:
        return given
    if len(given) > 1:
        raise UsageError("with --shell the command is one text: put it into quotes")
    return [os.environ.get("SHELL") or "/bin/sh", "-c", given[0]]


def _unwatched(job: Job) -> Ended:
    return _explained(Process(job.command, None, job.limits).run())


def _watched(job: Job, reporter: Reporter, settings: Settings) -> Ended:
    answer = _start(job, reporter)
    if answer.verdict is Verdict.BLOCKED and not job.ignores_blocked:
        _say(f"not run: it waits for {answer.why}")
        now = datetime.now(timezone.utc)
        return Ended(BLOCKED, None, now, now, 0)
    _explain(answer, job)
    kept = HeadAndTail()
    process = Process(job.command, kept.append if job.keeps_output else None, job.limits)
    ended = _explained(process.run())
    process.hand_over_output()
    if answer.status != 404:
        report = _report_of(ended, reporter, settings, _output(kept.text(), ended, job))
        _explain_end(reporter.finish(report), answer, job)
    return ended


def _report_of(ended: Ended, reporter: Reporter, settings: Settings, output: str | None) -> Report:
    return Report(
        url=settings.url,
        cron=reporter.cron.text,
        run_id=reporter.run_id,
        exit_code=ended.exit_code,
        duration_ms=ended.duration_ms,
        started_at=iso(ended.started_at),
        finished_at=iso(ended.finished_at),
        output=output,
    )


def _start(job: Job, reporter: Reporter) -> Answer:
    """Signals the start; while a dependency is not completed, again and again for as long as the job may wait."""
    until, pause = time.monotonic() + job.wait, _FIRST_LOOK
    while True:
        answer = reporter.start(datetime.now(timezone.utc))
        left = until - time.monotonic()
        if answer.verdict is not Verdict.BLOCKED or left <= 0:
            return answer
        if job.verbose:
            _say(f"waits for {answer.why}")
        time.sleep(min(pause, left))
        pause = min(pause * 1.5, _LONGEST_LOOK)


def _explain(answer: Answer, job: Job) -> None:
    if answer.verdict is Verdict.REFUSED:
        _say(f"the command runs unwatched: {answer.why}")
    elif answer.verdict is not Verdict.ACCEPTED and job.verbose:
        _say(f"the start is not reported yet: {answer.why}")


def _explain_end(answer: Answer, to_start: Answer, job: Job) -> None:
    if answer.verdict is Verdict.REFUSED and to_start.verdict is not Verdict.REFUSED:
        _say(f"the end was not reported: {answer.why}")
    elif job.verbose:
        _say("reported" if answer.verdict is Verdict.ACCEPTED else f"not reported yet: {answer.why}")


def _explained(ended: Ended) -> Ended:
    if ended.fault:
        _say(ended.fault)
    return ended


def _output(text: str, ended: Ended, job: Job) -> str | None:
    if ended.fault:
        return ended.fault
    if ended.timed_out:
        return f"{text}\nended after its time limit of {job.limits.timeout:g} s".lstrip()
    return text or None


def _say(text: str) -> None:
    """On standard error, where cron mails it; what people should know, and no more."""
    with suppress(OSError):
        print(f"cronhub: {text}", file=sys.stderr, flush=True)
