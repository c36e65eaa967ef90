"""The life of one cron: signals and ticks go through CronHub's rules, by a clock of its own. It stores nothing."""

from collections.abc import Callable, Sequence
from datetime import datetime
from random import Random

from chalicelib.domain.alerts.alert import Alert, alerts_of
from chalicelib.domain.monitor import on_request, on_tick
from chalicelib.domain.monitor.context import Context
from chalicelib.domain.monitor.cron import Cron
from chalicelib.domain.monitor.deadlines import due_at
from chalicelib.domain.monitor.decision import Decision
from chalicelib.domain.monitor.incident import Incident
from chalicelib.domain.monitor.maintenance import MaintenanceWindow, covering
from chalicelib.domain.monitor.on_signal import apply
from chalicelib.domain.monitor.signal import Received, Signal
from chalicelib.domain.runs.counts import Counts, DailyCounts, sum_counts
from chalicelib.domain.runs.run import Run
from chalicelib.domain.times import MINUTE


class Life:
    """A cron and all that its signals made of it."""

    def __init__(self, cron: Cron, random: Random, windows: Sequence[MaintenanceWindow]) -> None:
        self.cron = cron
        self.runs: dict[str, Run] = {}
        self.days: dict[object, DailyCounts] = {}
        self.incidents: dict[str, Incident] = {}
        self.alerts: list[Alert] = []
        self._random = random
        self._windows = tuple(windows)
        self._dependencies: tuple[Cron, ...] = ()

    def depend_on(self, other: Cron) -> None:
        self.cron = self.cron._replace(depends_on=(other.id,))
        self._dependencies = (other,)

    def signal(self, signal: Signal, at: datetime) -> None:
        self.pass_until(at)
        received = Received(signal, at, self._random.randbytes(10))
        self._commit(self._decided(lambda context: apply(self.cron, received, context)))

    def pause(self, at: datetime) -> None:
        self.pass_until(at)
        self._commit(on_request.pause(self.cron, at))

    def archive(self, at: datetime) -> None:
        self.pass_until(at)
        self._commit(on_request.archive(self.cron, at))

    def pass_until(self, until: datetime) -> None:
        """The ticks between, each at the first whole minute at which the cron is due."""
        last: datetime | None = None
        while (due := due_at(self.cron)) is not None:
            at = _whole_minute(due)
            if last is not None and at <= last:
                # What nothing came of is looked at again later, as by the real tick.
                at = last + 15 * MINUTE
            if at > until:
                return
            last = at
            self._tick(at)

    def _tick(self, at: datetime) -> None:
        decision = self._decided(lambda context: on_tick.evaluate(self.cron, at, context))
        if decision.cron != self.cron:
            self._commit(decision)

    def _decided(self, decide: Callable[[Context], Decision]) -> Decision:
        recent = tuple(self.days[day] for day in sorted(self.days, key=str))
        return decide(Context(covering(self._windows, self.cron), self._dependencies, (), recent))

    def _commit(self, decision: Decision) -> None:
        if decision.replay:
            return
        self.alerts += alerts_of(decision, self.cron.incident)
        for write in decision.writes:
            if write.removed:
                self.runs.pop(write.run.id, None)
            elif write.new:
                self.runs[write.run.id] = write.run
            else:
                changed = {name: value for name, value in write.run._asdict().items() if value is not None}
                self.runs[write.run.id] = self.runs[write.run.id]._replace(**changed)
        for day in (*decision.finished_days, *decision.past_days):
            held = self.days.get(day.day, DailyCounts(day.day, Counts()))
            self.days[day.day] = DailyCounts(day.day, sum_counts([held.counts, day.counts]))
        self.incidents.update((one.id, one) for one in decision.incidents)
        self.cron = decision.cron._replace(version=self.cron.version + 1)


def _whole_minute(at: datetime) -> datetime:
    whole = at.replace(second=0, microsecond=0)
    return whole if whole == at else whole + MINUTE
