"""Tells CronHub of a run. It never raises for what is wrong with CronHub, and never takes longer than it may."""

from __future__ import annotations

import os
import random
import secrets
import socket
import subprocess
import sys
import threading
import time
from datetime import datetime
from enum import Enum
from typing import Callable, NamedTuple

from cronhub import lookup, spool
from cronhub.client import Call, Client, Refused, Unreachable
from cronhub.lookup import Wanted
from cronhub.settings import Settings, number
from cronhub.spool import Report

#: How long a job may be held up at its start, and its end, if CronHub does not answer.
START_BUDGET = number("CRONHUB_START_BUDGET", 5.0)
FINISH_BUDGET = number("CRONHUB_FINISH_BUDGET", 10.0)
_REQUEST_TIMEOUT = 5.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 60.0


class Verdict(Enum):
    #: CronHub knows of the start.
    ACCEPTED = "accepted"
    #: A dependency is not completed.
    BLOCKED = "blocked"
    #: CronHub does not know this cron or this key.
    REFUSED = "refused"
    #: There is no answer yet; it is tried again while the job runs.
    UNREACHABLE = "unreachable"


class Answer(NamedTuple):
    verdict: Verdict
    #: In words, for people.
    why: str = ""
    #: The status, where CronHub said no.
    status: int | None = None


def new_run_id() -> str:
    """Unique, and says to a reader where the run was."""
    host = "".join(letter for letter in socket.gethostname() if letter.isalnum() or letter in "._-")[:60]
    return f"{host or 'host'}-{os.getpid()}-{secrets.token_hex(6)}"


def iso(at: datetime) -> str:
    """With milliseconds and Z."""
    return at.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def send_start(client: Client, cron: Wanted, run_id: str, started_at: datetime) -> Answer:
    """One try."""
    try:
        try:
            client.send(_start_call(client.settings, lookup.cron_id(client, cron), run_id, started_at))
        except Refused as error:
            if error.status != 404 or not lookup.forget(client.settings, cron):
                raise
            # What the name stood for is gone; it may stand for another cron by now.
            client.send(_start_call(client.settings, lookup.cron_id(client, cron), run_id, started_at))
    except Unreachable as error:
        return Answer(Verdict.UNREACHABLE, str(error))
    except Refused as error:
        verdict = Verdict.BLOCKED if error.status == 409 else Verdict.REFUSED
        return Answer(verdict, _blocked_words(error) if error.status == 409 else str(error), error.status)
    return Answer(Verdict.ACCEPTED)


def send_report(client: Client, report: Report) -> None:
    """One try. Raises Unreachable, Refused."""
    report = report._replace(cron=lookup.cron_id(client, Wanted(report.cron)))
    if client.settings.key:
        try:
            client.send(_heartbeat(report))
        except Refused as error:
            # The key may have been changed since; the id alone lets signal, unless the org forbids it.
            if error.status not in (401, 403):
                raise
            _send_ping(client, report)
        return
    _send_ping(client, report)


def _send_ping(client: Client, report: Report) -> None:
    client = Client(client.settings._replace(key=None))
    query: dict[str, str | int | None] = {
        "rid": report.run_id,
        "exit_code": report.exit_code,
        "duration_ms": report.duration_ms,
        "started_at": report.started_at,
        "finished_at": report.finished_at,
    }
    text = report.output.encode("utf-8", "replace") if report.output else None
    client.send(Call("POST", f"/api/ping/{report.cron}", query, text=text, timeout=_REQUEST_TIMEOUT))


def _heartbeat(report: Report) -> Call:
    body = {
        "status": "failure" if report.exit_code else "success",
        "exit_code": report.exit_code,
        "duration_ms": report.duration_ms,
        "run_id": report.run_id,
        "started_at": report.started_at,
        "finished_at": report.finished_at,
    }
    body = {name: value for name, value in body.items() if value is not None}
    if report.output:
        body["message"] = report.output
    return Call("POST", f"/api/crons/{report.cron}/heartbeat", body=body, timeout=_REQUEST_TIMEOUT)


def _start_call(settings: Settings, cron_id: str, run_id: str, started_at: datetime) -> Call:
    if settings.key:
        body = {"run_id": run_id, "started_at": iso(started_at)}
        return Call("POST", f"/api/crons/{cron_id}/start", body=body, timeout=_REQUEST_TIMEOUT)
    query: dict[str, str | int | None] = {"rid": run_id, "started_at": iso(started_at)}
    return Call("POST", f"/api/start/{cron_id}", query, timeout=_REQUEST_TIMEOUT)


def _blocked_words(error: Refused) -> str:
    blockers = error.problem.get("blocked_by")
    if not isinstance(blockers, list) or not blockers:
        return str(error)
    return ", ".join(f"{one.get('name')} ({one.get('reason')})" for one in blockers)


def within(budget: float, work: Callable[[], None]) -> bool:
    """Does work in a thread; False: it is still at it. Even a hanging name server holds up nobody."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(budget)
    return not thread.is_alive()


def pauses() -> Callable[[float | None], float]:
    """How long to wait before each further try: twice as long each time, with some chance in it."""
    pause = _FIRST_PAUSE

    def following(asked: float | None = None) -> float:
        nonlocal pause
        now, pause = pause, min(pause * 2, _LONGEST_PAUSE)
        jittered = now * (0.75 + random.random() / 2)  # noqa: S311
        return max(jittered, min(asked or 0.0, _LONGEST_PAUSE))

    return following


class Reporter:
    """Reports one run of one cron."""

    def __init__(self, settings: Settings, cron: Wanted, run_id: str | None = None) -> None:
        self._client = Client(settings)
        self.cron = cron
        self.run_id = run_id or new_run_id()
        self._over = threading.Event()

    def start(self, started_at: datetime) -> Answer:
        """Signals the start. While CronHub does not answer, it goes on trying as the job runs."""
        answers: list[Answer] = []
        settled = threading.Event()

        def keep_trying() -> None:
            pause = pauses()
            while not self._over.is_set():
                answers.append(send_start(self._client, self.cron, self.run_id, started_at))
                if answers[-1].verdict is not Verdict.UNREACHABLE:
                    settled.set()
                    return
                self._over.wait(pause(None))

        threading.Thread(target=keep_trying, daemon=True).start()
        settled.wait(START_BUDGET)
        return answers[-1] if answers else Answer(Verdict.UNREACHABLE, "there is no answer")

    def finish(self, report: Report) -> Answer:
        """Signals the end, or keeps it on disk to be sent later."""
        self._over.set()
        answers: list[Answer] = []
        deadline = time.monotonic() + FINISH_BUDGET

        def keep_trying() -> None:
            pause = pauses()
            while True:
                try:
                    send_report(self._client, report)
                    answers.append(Answer(Verdict.ACCEPTED))
                    return
                except Refused as error:
                    answers.append(Answer(Verdict.REFUSED, str(error), error.status))
                    return
                except Unreachable as error:
                    answers.append(Answer(Verdict.UNREACHABLE, str(error)))
                    wait = pause(error.retry_after)
                if time.monotonic() + wait > deadline:
                    return
                time.sleep(wait)

        within(FINISH_BUDGET, keep_trying)
        answer = answers[-1] if answers else Answer(Verdict.UNREACHABLE, "there is no answer")
        if answer.verdict is Verdict.UNREACHABLE:
            answer = self._put_off(report, answer)
        elif answer.verdict is Verdict.ACCEPTED and spool.waiting():
            send_in_background()
        return answer

    def _put_off(self, report: Report, answer: Answer) -> Answer:
        try:
            spool.put(report)
        except OSError as error:
            return Answer(Verdict.REFUSED, f"{answer.why}; it could not be kept on disk either: {error}")
        send_in_background()
        return answer


def send_in_background() -> None:
    """Leaves a process behind that sends what waits, unless there is one or `CRONHUB_BACKGROUND` is off."""
    if os.environ.get("CRONHUB_BACKGROUND", "").lower() in ("off", "0", "no", "false"):
        return
    try:
        with spool.alone() as first:
            if not first:
                return
        nothing = subprocess.DEVNULL
        subprocess.Popen(
            [sys.executable, "-m", "cronhub", "flush", "--background"],
            stdin=nothing,
            stdout=nothing,
            stderr=nothing,
            start_new_session=True,
            cwd="/",
        )
    except OSError:
        pass


def flush(settings: Settings, say: Callable[[str], None]) -> tuple[int, int]:
    """Sends what waits, oldest first; returns how many were sent and how many still wait."""
    if spool.prune():
        say("gave up reports that have waited for over a week")
    sent = 0
    for path in spool.waiting():
        report = spool.read(path)
        if report is None:
            spool.remove(path)
            continue
        # A key goes only to the CronHub that it is for.
        own = settings if report.url == settings.url else Settings(report.url, None)
        try:
            send_report(Client(own), report)
            sent += 1
        except Unreachable as error:
            say(f"CronHub cannot be reached: {error}")
            break
        except Refused as error:
            say(f"a report was refused and is dropped: {error}")
        spool.remove(path)
    return sent, len(spool.waiting())
