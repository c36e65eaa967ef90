"""Every minute: look at the crons that are due, and only at those."""

import logging
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple

from chalicelib.domain.alert import Alert
from chalicelib.domain.deadlines import due_at
from chalicelib.domain.errors import CronHubError
from chalicelib.domain.evaluation import evaluate
from chalicelib.services.events import commit_and_tell, wake_for
from chalicelib.services.races import until_won
from chalicelib.services.surroundings import Windows, decide_with
from chalicelib.store import crons
from chalicelib.store.windows import windows_of_org

log = logging.getLogger("cronhub.tick")

# The function has 60 s; what is left over is due at the next tick as well.
BUDGET_SECONDS = 45.0
PUT_OFF_BROKEN = timedelta(minutes=15)


class TickReport:
    """looked_at: crons that were due · changed: those that something was decided of."""

    def __init__(self) -> None:
        self.looked_at = 0
        self.changed = 0
        self.broken = 0
        self.out_of_time = False


def run_tick(now: datetime, budget_seconds: float = BUDGET_SECONDS) -> TickReport:
    """Evaluates every cron that is due. Two ticks at once, or a late one, do no harm."""
    until = time.monotonic() + budget_seconds
    report = TickReport()
    alerts: list[Alert] = []
    windows = cache(windows_of_org)  # one read an org, however many of its crons are due
    for org_id, cron_id in _due_of_all_shards(now):
        if time.monotonic() >= until:
            report.out_of_time = True
            break
        report.looked_at += 1
        _look(_Due(org_id, cron_id, now, windows, alerts), report)
    # Together, so that of crons that went down together people are told in one message.
    wake_for(alerts)
    if report.looked_at or report.out_of_time:
        log.info(
            "looked at %d due crons: %d changed, %d broken%s",
            report.looked_at,
            report.changed,
            report.broken,
            ", the rest at the next tick" if report.out_of_time else "",
        )
    return report


def _due_of_all_shards(now: datetime) -> Iterator[tuple[str, str]]:
    """Shards begin at another one each minute, so that none is always the last in a long backlog."""
    shards = list(crons.shards())
    first = int(now.timestamp()) // 60 % len(shards)
    for shard in shards[first:] + shards[:first]:
        try:
            yield from crons.due_crons(shard, now)
        except CronHubError:
            log.exception("shard %d could not be read", shard)


class _Due(NamedTuple):
    org_id: str
    cron_id: str
    now: datetime
    windows: Windows
    alerts: list[Alert]


def _look(due: _Due, report: TickReport) -> None:
    try:
        report.changed += until_won(lambda: _evaluate(due))
    except CronHubError:
        # The store is in trouble, not this cron: it is due again at the next tick.
        log.exception("cron %s could not be looked at", due.cron_id)
        report.broken += 1
    except Exception:
        # Whatever is wrong with this one, the others are looked at, and it does not come back at once.
        log.exception("cron %s is broken, looking again in %s", due.cron_id, PUT_OFF_BROKEN)
        report.broken += 1
        _put_off(due)


def _evaluate(due: _Due) -> bool:
    cron, now = crons.find_cron(due.org_id, due.cron_id), due.now
    if cron is None:
        return False
    decision = decide_with(cron, lambda around: evaluate(cron, now, around), due.windows)
    if decision.cron == cron:
        _settle_index(due, due_at(cron))
        return False
    due.alerts.extend(commit_and_tell(cron, decision, now))
    return True


def _settle_index(due: _Due, at: datetime | None) -> None:
    """An index entry that its cron's state does not bear out would come back every minute."""
    until = at if at is not None and at > due.now else due.now + PUT_OFF_BROKEN
    crons.put_off(due.org_id, due.cron_id, until)


def _put_off(due: _Due) -> None:
    try:
        crons.put_off(due.org_id, due.cron_id, due.now + PUT_OFF_BROKEN)
    except CronHubError:
        log.exception("cron %s could not be put off", due.cron_id)
