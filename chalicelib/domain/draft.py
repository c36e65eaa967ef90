"""A decision in the making: the rules add to it one after another."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chalicelib.domain.anomaly import Anomaly
from chalicelib.domain.cron import Cron
from chalicelib.domain.decision import Decision, RunWrite
from chalicelib.domain.drift import Drift
from chalicelib.domain.event import Event, EventKind
from chalicelib.domain.incident import Incident
from chalicelib.domain.run import Run


@dataclass(slots=True)
class Draft:
    cron: Cron
    now: datetime
    writes: list[RunWrite] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    incident: Incident | None = None

    def change(self, **fields: Any) -> None:
        self.cron = self.cron._replace(**fields)

    def write(self, run: Run, *, new: bool) -> None:
        self.writes.append(RunWrite(run, new))

    def tell(
        self,
        kind: EventKind,
        about: datetime | None = None,
        run_id: str | None = None,
        detail: str = "",
    ) -> None:
        self.events.append(Event(kind, self.now, about, run_id, detail))

    def decide(
        self,
        run: Run | None = None,
        anomaly: Anomaly | None = None,
        drift: Drift | None = None,
    ) -> Decision:
        return Decision(self.cron, tuple(self.writes), tuple(self.events), self.incident, run, anomaly, drift)
