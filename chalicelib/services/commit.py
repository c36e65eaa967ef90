"""What has been decided is committed with the alerts it makes, logged, and sent on its way."""

import logging
from datetime import datetime

from chalicelib.domain.alerts.alert import Alert, alerts_of
from chalicelib.domain.monitor.cron import Cron
from chalicelib.domain.monitor.decision import Decision
from chalicelib.domain.runs.run import RunStatus
from chalicelib.store.commits import commit
from chalicelib.telemetry import measure

log = logging.getLogger("cronhub.events")


def commit_and_log(before: Cron, decision: Decision, now: datetime) -> list[Alert]:
    """Writes a decision and its alerts in one transaction; gives those to be sent now.

    Raises as `commit` does.
    """
    alerts = alerts_of(decision, before.incident)
    commit(decision, now, alerts)
    missed = sum(run.occurrences for run, _ in decision.writes if run.status is RunStatus.MISSED)
    if missed:
        measure("runs_missed", missed)
    tell(decision)
    return [alert for alert in alerts if alert.send_at <= now]


def wake_for(alerts: list[Alert]) -> bool:
    """Has alerts sent at once; False where nobody was asked: the next tick finds them."""
    if not alerts:
        return False
    from chalicelib.store.queue import wake

    return wake(alert.key for alert in alerts)


def tell(decision: Decision) -> None:
    """One line an event, with the names that a person knows the cron by."""
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
