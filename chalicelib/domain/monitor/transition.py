"""A decision in the making: the rules add to it one after another."""

from datetime import datetime
from typing import Any

from chalicelib.domain.monitor.blackout import Blackout
from chalicelib.domain.monitor.context import Context, NotLoaded
from chalicelib.domain.monitor.cron import Cron
from chalicelib.domain.monitor.decision import Decision, RunWrite
from chalicelib.domain.monitor.dependencies import Blocker
from chalicelib.domain.monitor.event import Event, EventKind
from chalicelib.domain.monitor.incident import Incident
from chalicelib.domain.monitor.maintenance import MaintenanceWindow, maintained_until
from chalicelib.domain.runs.anomaly import Anomaly
from chalicelib.domain.runs.counts import DailyCounts, moved_on
from chalicelib.domain.runs.daily import by_day, roll
from chalicelib.domain.runs.drift import Drift
from chalicelib.domain.runs.run import Run
from chalicelib.domain.schedule.occurrences import Occurrences


class Transition:
    def __init__(self, cron: Cron, now: datetime, context: Context | None = None) -> None:
        self.cron = cron
        self.now = now
        self.context = context or Context()
        self.writes: list[RunWrite] = []
        self.daily_counts: list[DailyCounts] = []
        self.events: list[Event] = []
        self.incident: Incident | None = None
        self.not_loaded = NotLoaded()

    def change(self, **fields: Any) -> None:
        self.cron = self.cron._replace(**fields)

    def write(self, run: Run, *, new: bool, before: Run | None = None, times: Occurrences | None = None) -> None:
        """Records a run. before: its record until now, where that was counted · times: the
        schedule's, where the record stands for many occurrences."""
        self.writes.append(RunWrite(run, new))
        self.daily_counts.extend(by_day(run, moved_on(before, run), times))

    def windows(self) -> tuple[MaintenanceWindow, ...]:
        if self.context.windows is None:
            self.not_loaded = self.not_loaded._replace(windows=True)
        return self.context.windows or ()

    def dependencies(self) -> tuple[Cron, ...]:
        if self.context.dependencies is None and self.cron.depends_on:
            self.not_loaded = self.not_loaded._replace(dependencies=True)
        return self.context.dependencies or ()

    def blackouts(self) -> tuple[Blackout, ...]:
        if self.context.blackouts is None:
            self.not_loaded = self.not_loaded._replace(blackouts=True)
        return self.context.blackouts or ()

    def blackout_at(self, deadline: datetime | None) -> Blackout | None:
        """The blackout that a deadline fell into."""
        return next((blackout for blackout in self.blackouts() if blackout.holds(deadline)), None)

    def maintained_until(self) -> datetime | None:
        """The end of the maintenance that the cron is in now."""
        return maintained_until(self.windows(), self.now)

    def announce(
        self,
        kind: EventKind,
        about: datetime | None = None,
        run_id: str | None = None,
        detail: str = "",
        held_until: datetime | None = None,
    ) -> None:
        self.events.append(Event(kind, self.now, about, run_id, detail, held_until))

    def decide(
        self,
        run: Run | None = None,
        anomaly: Anomaly | None = None,
        drift: Drift | None = None,
        blocked_by: tuple[Blocker, ...] = (),
    ) -> Decision:
        rolled = roll(self.cron.today, self.daily_counts)
        return Decision(
            cron=self.cron._replace(today=rolled.today),
            writes=tuple(self.writes),
            finished_days=rolled.finished,
            past_days=rolled.past,
            events=tuple(self.events),
            incident=self.incident,
            run=run,
            anomaly=anomaly,
            drift=drift,
            blocked_by=blocked_by,
            not_loaded=self.not_loaded,
        )
