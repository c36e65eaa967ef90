"""A decorator and context manager that reports what a Python job does.

    with cronhub.monitor("shop/nightly/backup") as run:
        run.log("42 files")

    @cronhub.monitor("backup")
    async def back_up() -> None: ...

A job never fails because CronHub cannot be reached. What it raises is reported, and raised on.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import time
import traceback
import warnings
from datetime import datetime, timezone
from types import TracebackType
from typing import Any, Callable, TypeVar, cast

from cronhub.lookup import Wanted
from cronhub.output import HeadAndTail
from cronhub.reporter import Reporter, Verdict, iso
from cronhub.settings import Settings, UsageError, load
from cronhub.spool import Report

Function = TypeVar("Function", bound=Callable[..., Any])


class Blocked(Exception):
    """A dependency of this job is not completed, so it should not run now."""


class Run:
    """One run; `with monitor(…) as run` hands it out."""

    def __init__(self, reporter: Reporter | None, url: str) -> None:
        self._reporter = reporter
        self._url = url
        self._said = HeadAndTail()
        self._started_at = datetime.now(timezone.utc)
        self._began_ns = time.monotonic_ns()
        self._known = True

    def log(self, text: object) -> None:
        """Adds a line to what is reported with the end of the run."""
        self._said.append(f"{text}\n".encode("utf-8", "replace"))

    def _start(self, *, ignores_blocked: bool) -> None:
        if self._reporter is None:
            return
        answer = self._reporter.start(self._started_at)
        if answer.verdict is Verdict.BLOCKED and not ignores_blocked:
            raise Blocked(f"waits for {answer.why}")
        if answer.verdict is Verdict.REFUSED:
            self._known = answer.status != 404
            warnings.warn(f"CronHub does not watch this run: {answer.why}", stacklevel=4)
        # What the start took is no part of the run.
        self._started_at, self._began_ns = datetime.now(timezone.utc), time.monotonic_ns()

    def _finish(self, error: BaseException | None) -> None:
        if self._reporter is None or not self._known:
            return
        exit_code = _exit_code(error)
        if exit_code and error is not None:
            self._said.append(
                "".join(traceback.format_exception(type(error), error, error.__traceback__)).encode()
            )
        report = Report(
            url=self._url,
            cron=self._reporter.cron.text,
            run_id=self._reporter.run_id,
            exit_code=exit_code,
            duration_ms=round((time.monotonic_ns() - self._began_ns) / 1_000_000),
            started_at=iso(self._started_at),
            finished_at=iso(datetime.now(timezone.utc)),
            output=self._said.text() or None,
        )
        self._reporter.finish(report)


class monitor:  # noqa: N801
    """Reports a block or each call of a function as a run of the cron.

    cron: its name, service/name, product/service/name, or id. `schedule` registers it where it is not there yet.
    Raises Blocked instead of running while a dependency is not completed, unless `ignore_blocked`.
    """

    def __init__(
        self, cron: str, *, schedule: str | None = None, timezone: str | None = None, ignore_blocked: bool = False
    ) -> None:
        self._wanted = Wanted(cron, schedule, timezone)
        self._ignores_blocked = ignore_blocked
        self._runs: list[Run] = []

    def __call__(self, function: Function) -> Function:
        """Decorates: each call is a run of its own, also of calls that overlap."""
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def waited(*arguments: Any, **named: Any) -> Any:
                async with self._again():
                    return await function(*arguments, **named)

            return cast("Function", waited)

        @functools.wraps(function)
        def called(*arguments: Any, **named: Any) -> Any:
            with self._again():
                return function(*arguments, **named)

        return cast("Function", called)

    def __enter__(self) -> Run:
        run = self._new_run()
        run._start(ignores_blocked=self._ignores_blocked)
        self._runs.append(run)
        return run

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._runs.pop()._finish(error)

    async def __aenter__(self) -> Run:
        """As above, in a thread: the loop goes on."""
        run = self._new_run()
        start = functools.partial(run._start, ignores_blocked=self._ignores_blocked)
        await asyncio.get_running_loop().run_in_executor(None, start)
        self._runs.append(run)
        return run

    async def __aexit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        finish = functools.partial(self._runs.pop()._finish, error)
        await asyncio.get_running_loop().run_in_executor(None, finish)

    def _again(self) -> monitor:
        wanted = self._wanted
        return monitor(
            wanted.text,
            schedule=wanted.schedule,
            timezone=wanted.timezone,
            ignore_blocked=self._ignores_blocked,
        )

    def _new_run(self) -> Run:
        try:
            settings: Settings = load()
        except UsageError as error:
            warnings.warn(f"CronHub does not watch this run: {error}", stacklevel=3)
            return Run(None, "")
        return Run(Reporter(settings, self._wanted), settings.url)


def _exit_code(error: BaseException | None) -> int:
    """As the interpreter would end: sys.exit() and sys.exit(0) are no failures."""
    if error is None or isinstance(error, GeneratorExit):
        return 0
    if isinstance(error, SystemExit):
        if error.code is None:
            return 0
        return error.code if isinstance(error.code, int) else 1
    return 130 if isinstance(error, KeyboardInterrupt) else 1
