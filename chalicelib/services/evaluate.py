"""Every minute: look at the crons that are due, and only at those."""

import logging
import time
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import cache
from itertools import islice
from typing import NamedTuple

from chalicelib.domain.alerts.alert import Alert
from chalicelib.domain.alerts.system_notice import blind
from chalicelib.domain.errors import CronHubError
from chalicelib.domain.monitor.cron import Cron
from chalicelib.domain.monitor.deadlines import due_at
from chalicelib.domain.monitor.on_tick import evaluate
from chalicelib.services.commit import commit_and_log, wake_for
from chalicelib.services.context import Blackouts, Sources, Windows, blackouts_now, decide_with, dependencies_of
from chalicelib.services.retries import retry_on_conflict
from chalicelib.store import crons
from chalicelib.store.alerts import put_notice
from chalicelib.store.maintenance import maintenance_windows_of_org
from chalicelib.store.queue import hand_over
from chalicelib.store.tick_log import release_shard, take_shard

log = logging.getLogger("cronhub.tick")

# A function has 60 s; what is left over is due at the next tick as well.
BUDGET_SECONDS = 45.0
TAKEN_FOR = timedelta(seconds=60)
PUT_OFF_BROKEN = timedelta(minutes=15)
# A backlog larger than this is worked off by shards, side by side.
HANDED_OVER_FROM = 500
# How far a chain of dependencies is followed: Python's own stack ends at 1000 calls, and a link is 7.
_DEEPEST = 80

CronKey = tuple[str, str]


class TickReport:
    """What one tick did."""

    def __init__(self) -> None:
        #: Crons that were due.
        self.looked_at = 0
        #: Crons that a decision changed.
        self.changed = 0
        #: Crons that could not be evaluated.
        self.broken = 0
        self.out_of_time = False
        #: How many crons were due when it began, counted up to `HANDED_OVER_FROM` + 1.
        self.backlog = 0
        #: True when the shards are worked off by other functions.
        self.handed_over = False
        #: True when its alerts are being sent.
        self.woke_notify = False


def run_tick(
    now: datetime, budget_seconds: float = BUDGET_SECONDS, blackouts: Blackouts = blackouts_now
) -> TickReport:
    """Evaluates every cron that is due, or has others do it. Two ticks at once, or a late one, do no harm."""
    shards = _shards_of_minute(now)
    due = list(islice(_due(shards, now), HANDED_OVER_FROM + 1))
    if len(due) > HANDED_OVER_FROM and hand_over(shards):
        report = TickReport()
        report.handed_over = True
        log.info("more than %d crons are due: worked off by shards", HANDED_OVER_FROM)
    else:
        # Where nobody takes them over, they are read again, to the end.
        all_due = due if len(due) <= HANDED_OVER_FROM else _due(shards, now)
        report = _look_at_all(all_due, now, budget_seconds, blackouts)
    report.backlog = len(due)
    return report


def work_off(shard: int, now: datetime, budget_seconds: float = BUDGET_SECONDS) -> TickReport:
    """Evaluates what is due in one shard, unless another function is working it off."""
    until = now + TAKEN_FOR
    if not take_shard(shard, now, until):
        return TickReport()
    report = _look_at_all(_due([shard], now), now, budget_seconds, blackouts_now)
    release_shard(shard, until)
    return report


def _shards_of_minute(now: datetime) -> list[int]:
    """They begin at another one each minute, so that none is always the last in a long backlog."""
    shards = list(crons.shards())
    first = int(now.timestamp()) // 60 % len(shards)
    return shards[first:] + shards[:first]


def _due(shards: Iterable[int], now: datetime) -> Iterator[CronKey]:
    for shard in shards:
        try:
            yield from crons.due_crons(shard, now)
        except CronHubError:
            log.exception("shard %d could not be read", shard)


class _Round(NamedTuple):
    """What all looks of one tick share."""

    now: datetime
    windows: Windows
    blackouts: Blackouts
    alerts: list[Alert]
    report: TickReport
    looked_at: set[CronKey]


def _look_at_all(due: Iterable[CronKey], now: datetime, budget_seconds: float, blackouts: Blackouts) -> TickReport:
    until = time.monotonic() + budget_seconds
    # One read an org, or a tick, however many crons are due.
    this = _Round(now, cache(maintenance_windows_of_org), cache(blackouts), [], TickReport(), set())
    report = this.report
    for org_id, cron_id in due:
        if time.monotonic() >= until:
            report.out_of_time = True
            break
        if (org_id, cron_id) not in this.looked_at:
            _look(this, org_id, cron_id)
    # Together, so that of crons that went down together people are told in one message.
    report.woke_notify = wake_for(this.alerts)
    if report.looked_at or report.out_of_time:
        log.info(
            "looked at %d due crons: %d changed, %d broken%s",
            report.looked_at,
            report.changed,
            report.broken,
            ", the rest at the next tick" if report.out_of_time else "",
        )
    return report


def _look(this: _Round, org_id: str, cron_id: str, depth: int = 0) -> None:
    this.report.looked_at += 1
    this.looked_at.add((org_id, cron_id))
    try:
        changed = retry_on_conflict(lambda: _evaluate(this, org_id, cron_id, depth))
        this.report.changed += changed
    except CronHubError:
        # The store is in trouble, not this cron: it is due again at the next tick.
        log.exception("cron %s could not be looked at", cron_id)
        this.report.broken += 1
    except Exception:
        # Whatever is wrong with this one, the others are looked at, and it does not come back at once.
        log.exception("cron %s is broken, looking again in %s", cron_id, PUT_OFF_BROKEN)
        this.report.broken += 1
        _put_off(org_id, cron_id, this.now)


def _evaluate(this: _Round, org_id: str, cron_id: str, depth: int) -> bool:
    cron, now = crons.find_cron(org_id, cron_id), this.now
    if cron is None:
        return False
    decision = decide_with(
        cron,
        lambda context: evaluate(cron, now, context),
        Sources(this.windows, this.blackouts, lambda cron: _dependencies_looked_at(this, cron, depth)),
    )
    if decision.cron == cron:
        at = due_at(cron)
        # An index entry that its cron's state does not explain would come back every minute.
        crons.put_off(org_id, cron_id, at if at is not None and at > now else now + PUT_OFF_BROKEN)
        return False
    blackout = decision.cron.blackout
    if blackout is not None and blackout != cron.blackout:
        # Before the cron's own change: a tick that dies in between tells it again, to no effect.
        notice = blind(org_id, blackout)
        if put_notice(notice):
            this.alerts.append(notice)
    this.alerts.extend(commit_and_log(cron, decision, now))
    return True


def _dependencies_looked_at(this: _Round, cron: Cron, depth: int) -> tuple[Cron, ...]:
    """What a cron depends on: what of it is due is looked at first, so that one that goes down in the
    same tick already speaks for its dependants."""
    found = dependencies_of(cron)
    waiting = [one for one in found if _is_due(one, this.now) and (one.org_id, one.id) not in this.looked_at]
    if not waiting or depth == _DEEPEST:
        return found
    for one in waiting:
        _look(this, one.org_id, one.id, depth + 1)
    return dependencies_of(cron)


def _is_due(cron: Cron, now: datetime) -> bool:
    at = due_at(cron)
    return at is not None and at <= now


def _put_off(org_id: str, cron_id: str, now: datetime) -> None:
    try:
        crons.put_off(org_id, cron_id, now + PUT_OFF_BROKEN)
    except CronHubError:
        log.exception("cron %s could not be put off", cron_id)
