"""A transition: a decision in the making. The rules add to it one after another."""

from datetime import datetime
from typing import Any

from chalicelib.domain.ids import timed_id
from chalicelib.domain.monitor.blackout import Blackout
from chalicelib.domain.monitor.context import Context, NotLoaded
from chalicelib.domain.monitor.cron import Cron
from chalicelib.domain.monitor.decision import Decision, RunWrite
from chalicelib.domain.monitor.dependencies import Blocker
from chalicelib.domain.monitor.event import Event
from chalicelib.domain.monitor.incident import Incident
from chalicelib.domain.monitor.maintenance import MaintenanceWindow, in_maintenance, maintained_until
from chalicelib.domain.runs.anomaly import Anomaly
from chalicelib.domain.runs.counts import Counts, DailyCounts, moment_of, moved_on
from chalicelib.domain.runs.daily import by_day, roll
from chalicelib.domain.runs.drift import Drift
from chalicelib.domain.runs.durations import one_duration
from chalicelib.domain.runs.run import Run
from chalicelib.domain.schedule.occurrences import Occurrences


class Transition:
    def __init__(
        self, cron: Cron, now: datetime, context: Context | None = None, random: bytes = bytes(10)
    ) -> None:
        self.cron = cron
        self.now = now
        self.context = context or Context()
        self.writes: list[RunWrite] = []
        self.daily_counts: list[DailyCounts] = []
        self.events: list[Event] = []
        self.incidents: dict[str, Incident] = {}
        self.not_loaded = NotLoaded()
        self._random = random

    def change(self, **fields: Any) -> None:
        self.cron = self.cron._replace(**fields)

    def new_run_id(self, at: datetime) -> str:
        """Returns the id of the run that this transition begins; there is at most one."""
        return timed_id(at, self._random)

    def record_new(self, run: Run, times: Occurrences | None = None, reused_from: str | None = None) -> None:
        """Records a run for the first time.

        times: the occurrences of the schedule, where the record stands for several.
        reused_from: the run that the caller's id of it stood for until now.
        """
        self.writes.append(RunWrite(run, new=True, reused_from=reused_from))
        self.daily_counts.extend(by_day(run, moved_on(None, run), times))

    def record(self, run: Run, counted_as: Run | None = None) -> None:
        """Records more about a run. counted_as: its record so far, where that was counted."""
        self.writes.append(RunWrite(run, new=False))
        self.daily_counts.extend(by_day(run, moved_on(counted_as, run), None))

    def count_duration(self, run: Run) -> None:
        """Counts how long a run took that ended after it timed out; its status counts no duration."""
        assert run.duration_ms is not None
        self.daily_counts.append(
            DailyCounts(moment_of(run).date(), Counts(durations=one_duration(run.duration_ms)))
        )

    def remove(self, run: Run) -> None:
        """Takes the record of a run away: it was another run's."""
        self.writes.append(RunWrite(run, new=False, removed=True))

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

    def recent_days(self) -> tuple[DailyCounts, ...]:
        """Returns the counts of the last `RECENT_DAYS` days before the cron's latest one."""
        if self.context.recent_days is None:
            self.not_loaded = self.not_loaded._replace(recent_days=True)
        return self.context.recent_days or ()

    def blackout_at(self, deadline: datetime | None) -> Blackout | None:
        """Returns the blackout that a deadline fell into."""
        return next((blackout for blackout in self.blackouts() if blackout.holds(deadline)), None)

    def maintained_until(self) -> datetime | None:
        """Returns the end of the maintenance that the cron is in now."""
        return maintained_until(self.windows(), self.now)

    def is_in_maintenance(self, at: datetime) -> bool:
        return in_maintenance(self.windows(), at)

    def announce(self, event: Event) -> None:
        self.events.append(event)

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
            incidents=tuple(self.incidents.values()),
            run=run,
            anomaly=anomaly,
            drift=drift,
            blocked_by=blocked_by,
            not_loaded=self.not_loaded,
        )
