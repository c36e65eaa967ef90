"""What has been decided is told: for now, to the log."""

import logging

from chalicelib.domain.decision import Decision

log = logging.getLogger("cronhub.events")


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
