"""What the scheduled function does every minute."""

import logging
import time
from collections.abc import Callable
from datetime import datetime

from chalicelib import settings
from chalicelib.domain.monitor.blackout import Backlog, Blackout, blackouts_until
from chalicelib.domain.times import MILLISECOND
from chalicelib.services import clock, due_shards, keyless_signals, reports
from chalicelib.services.context import blackouts_of, deaf_times_or_doubt
from chalicelib.services.evaluate import BUDGET_SECONDS, TickReport, run_tick, shards_left, work_off
from chalicelib.services.hearing import Canary
from chalicelib.services.notify import send_due, wake_due
from chalicelib.services.orgs import go_on_deleting
from chalicelib.store import queue
from chalicelib.store.tick_log import load_watch, note_blackouts, note_tick
from chalicelib.telemetry import SECONDS, measure

log = logging.getLogger("cronhub.minute")

_PATIENCE_SECONDS = 5
_SECONDS_OF_MINUTE = 60
#: Waits for seconds; returns False where the caller is to stop.
Wait = Callable[[float], bool]


def _sleep(seconds: float) -> bool:
    time.sleep(seconds)
    return True


def watch_minute(now: datetime, scheduled_at: datetime | None = None, wait: Wait = _sleep) -> TickReport:
    """Runs the tick of a minute; then, where `CRONHUB_LOOK_EVERY_SECONDS` says so, looks again until it is over.

    wait: returns False to stop.
    """
    report = run_minute(now, scheduled_at)
    every = settings.look_every_seconds()
    if every is not None:
        _look_again(now, every, wait, hands_over=not report.handed_over)
    return report


def _look_again(began: datetime, every: int, wait: Wait, *, hands_over: bool) -> None:
    """A look is a query of the due index, however many crons there are; it goes on only with what is due."""
    for second in range(every, _SECONDS_OF_MINUTE, every):
        pause = second - (clock.now() - began).total_seconds()
        if pause <= -every:
            # Something took its time: the looks meanwhile are not made up.
            continue
        if pause > 0 and not wait(pause):
            return
        at = clock.now()
        left = max(1.0, _SECONDS_OF_MINUTE - (at - began).total_seconds())
        report = run_tick(at, left, hands_over=hands_over)
        hands_over = hands_over and not report.handed_over


def run_minute(now: datetime, scheduled_at: datetime | None = None) -> TickReport:
    """Looks at the crons that are due, asks for what no message woke anybody for, and goes on with what
    takes more than one request. scheduled_at: when it was to begin."""
    began = time.monotonic()
    watch = load_watch()
    blackouts = blackouts_until(watch, now)
    if blackouts != watch.blackouts:
        log.warning(
            "no tick since %s: what was due since then, and no signals came, has its grace again",
            blackouts[-1].since,
        )
        note_blackouts(blackouts)
    due_shards.look(watch, now)
    left = shards_left(watch.backlog.handed_over_at) if watch.backlog.handed_over_at else []
    canary = Canary(watch.hearing, now)

    def blackouts_of_org(org_id: str) -> tuple[Blackout, ...]:
        return blackouts_of(org_id, blackouts, deaf_times_or_doubt(canary.hearing(), clock.now()))

    report = run_tick(now, BUDGET_SECONDS, blackouts_of_org)
    backlog = Backlog(now if report.handed_over else None, _behind_since(watch.backlog, left, report, now))
    # Before anything that can fail in delivery: what is noted is that the crons were looked at.
    note_tick(now, backlog)
    measure("due_backlog", report.backlog)
    measure("shards_behind", len(left))
    measure("hand_over_failed", int(report.fell_back))
    measure("tick_broken", report.broken)
    if report.handed_over:
        _step_in(left, now)
    # What was decided just now is asked for already. The tick itself sends only where nobody else can.
    due = now - MILLISECOND if report.woke_notify else clock.now()
    if not wake_due(due) and not queue.exists():
        send_due(due)
    go_on_deleting()
    keyless_signals.go_on(now)
    reports.go_on(now)
    measure("tick_duration", time.monotonic() - began, SECONDS)
    if scheduled_at is not None:
        measure("tick_lag", max(0.0, (now - scheduled_at).total_seconds()), SECONDS)
    canary.end()
    if report.held and not canary.hearing().waits:
        run_tick(clock.now(), BUDGET_SECONDS, blackouts_of_org)
    if not (report.broken or canary.is_deaf) and backlog.behind_since is None:
        _ping_watcher()
    return report


def _behind_since(before: Backlog, left: list[int], report: TickReport, now: datetime) -> datetime | None:
    if left:
        log.error("%d shards were handed over a minute ago and are still due: does `evaluate` run?", len(left))
        return before.behind_since or before.handed_over_at
    return None if report.is_complete else before.behind_since or now


def _step_in(shards: list[int], now: datetime) -> None:
    """Works off what those that it was handed over to did not, beside them: they may be throttled, or gone."""
    until = time.monotonic() + BUDGET_SECONDS
    for shard in shards:
        if time.monotonic() < until:
            work_off(shard, now, until - time.monotonic())


def _ping_watcher() -> None:
    """Pings the watcher that notices when good ticks stop: `CRONHUB_SELF_PING_URL`."""
    url = settings.self_ping_url()
    if not url:
        return
    from urllib.request import urlopen

    try:
        with urlopen(url, timeout=_PATIENCE_SECONDS) as answer:  # noqa: S310 - the deployment's own setting
            answer.read(1)
    except Exception as error:
        # The URL is a secret like any ping URL: it is not logged.
        log.warning("the watcher's ping URL did not answer: %s", type(error).__name__)
