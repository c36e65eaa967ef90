"""Commits a decision together with its alerts, logs its events, and wakes delivery."""

import logging
from collections.abc import Iterable
from datetime import datetime

from chalicelib.domain.alerts.alert import Alert, alerts_of
from chalicelib.domain.monitor.cron import Cron
from chalicelib.domain.monitor.decision import Decision
from chalicelib.domain.monitor.event import EventKind
from chalicelib.domain.runs.run import Run, RunStatus
from chalicelib.store.commits import commit
from chalicelib.store.runs import find_run
from chalicelib.telemetry import measure

log = logging.getLogger("cronhub.events")


def commit_and_log(before: Cron, decision: Decision, now: datetime) -> list[Alert]:
    """Writes a decision and its alerts in one transaction; returns those to be sent now.

    Raises as `commit` does.
    """
    alerts = alerts_of(decision, before.incident, _runs_of_earlier(decision))
    commit(before, decision, now, alerts)
    missed = sum(one.run.occurrences for one in decision.writes if one.run.status is RunStatus.MISSED)
    if missed:
        measure("runs_missed", missed)
    tell(decision)
    return [alert for alert in alerts if alert.send_at <= now]


def _runs_of_earlier(decision: Decision) -> list[Run]:
    """Loads the failed runs that events are about and that were recorded earlier, for their output."""
    written = {one.run.id for one in decision.writes}
    ids = {
        event.run_id
        for event in decision.events
        if event.run_id and event.run_id not in written and EventKind.FAILED in (event.kind, event.stands_for)
    }
    found = (find_run(decision.cron.id, run_id, whole=True) for run_id in ids)
    return [run for run in found if run is not None]


def wake_for(alerts: Iterable[Alert]) -> bool:
    """Has alerts sent at once; returns False where that was not possible: the next tick sends them."""
    keys = [alert.key for alert in alerts]
    if not keys:
        return False
    from chalicelib.store.queue import wake

    return wake(keys)


def tell(decision: Decision) -> None:
    """Logs one line per event, with the names that a person knows the cron by."""
    cron = decision.cron
    for event in decision.events:
        log.info(
            "%-11s %s/%s/%s  %s%s",
            event.kind.value.upper(),
            cron.product,
            cron.service,
            cron.name,
            event.detail,
            f" (held until {event.held_until:%H:%M:%S} UTC)" if event.held_until else "",
            extra={"org_id": cron.org_id, "cron_id": cron.id, "event": event.kind.value},
        )
