"""An alert: an event that people are told, with all that a message says about it."""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from chalicelib.domain.ids import timed_id
from chalicelib.domain.monitor.cron import OpenIncident
from chalicelib.domain.monitor.decision import Decision
from chalicelib.domain.monitor.event import Event, EventKind
from chalicelib.domain.runs.run import Run

_OUTPUT_KEPT = 1000
_CLOSING = {EventKind.RECOVERED, EventKind.RESOLVED}
_DOWN = {EventKind.MISSED, EventKind.FAILED, EventKind.TIMEOUT}


class Alert(NamedTuple):
    org_id: str
    cron_id: str
    id: str
    kind: EventKind
    #: When it was decided.
    at: datetime
    #: Not before.
    send_at: datetime
    product: str
    service: str
    name: str
    timezone: str
    tags: tuple[str, ...] = ()
    project_id: str | None = None
    #: The occurrence, start or opening it is about.
    about: datetime | None = None
    detail: str = ""
    run_id: str | None = None
    #: The end of what the run said.
    output: str | None = None
    incident_id: str | None = None
    opened_at: datetime | None = None
    missed: int = 0
    #: The kind whose filters it passes as well: a summary passes like the state that it tells.
    stands_for: EventKind | None = None
    #: It goes over these channels alone; none named: over any.
    channel_ids: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """Its place in the store: its cron and its id."""
        return self.cron_id, self.id

    @property
    def place(self) -> tuple[str, str]:
        """Its place among the alerts of other crons."""
        return self.id, self.cron_id


def is_down(alert: Alert) -> bool:
    return alert.kind in _DOWN


def is_recovery(alert: Alert) -> bool:
    return alert.kind is EventKind.RECOVERED


def alerts_of(decision: Decision, before: OpenIncident | None, recorded: Iterable[Run] = ()) -> tuple[Alert, ...]:
    """Returns one alert per event of a decision.

    before: the incident that was open until it. recorded: runs that its events are about and that were recorded
    earlier.
    """
    runs = {run.id: run for run in (*recorded, *(one.run for one in decision.writes))}
    return tuple(
        _alert(decision, event, before)._replace(
            id=_alert_id(decision, event, place), output=_output(runs.get(event.run_id or ""))
        )
        for place, event in enumerate(decision.events)
    )


def _output(run: Run | None) -> str | None:
    """Returns the end of what a run said: that is where the error is."""
    return run.message[-_OUTPUT_KEPT:] if run and run.message else None


def _alert_id(decision: Decision, event: Event, place: int) -> str:
    """Returns an id that is the same each time the decision is made, and different for other crons.

    A cron's later alerts sort behind its earlier ones.
    """
    order = decision.cron.version.to_bytes(4, "big") + place.to_bytes(1, "big")
    return timed_id(event.at, order + hashlib.sha256(decision.cron.id.encode()).digest()[:5])


def _alert(decision: Decision, event: Event, before: OpenIncident | None) -> Alert:
    cron = decision.cron
    incident = before if event.kind in _CLOSING else cron.incident
    is_of_incident = incident is not None and event.incident_id in (None, incident.id)
    return Alert(
        org_id=cron.org_id,
        cron_id=cron.id,
        id="",
        kind=event.kind,
        at=event.at,
        send_at=event.held_until or event.at,
        product=cron.product,
        service=cron.service,
        name=cron.name,
        timezone=cron.settings.timezone,
        tags=cron.settings.tags,
        project_id=cron.settings.project_id,
        about=event.about,
        detail=event.detail,
        run_id=event.run_id,
        incident_id=event.incident_id or (incident.id if incident else None),
        opened_at=event.opened_at or (incident.opened_at if incident else None),
        missed=incident.missed if incident and is_of_incident else 0,
        stands_for=event.stands_for,
    )
