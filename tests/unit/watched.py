"""One cron under the domain's rules, with dictionaries for a store: the stage of the tests here.

Times are written as on a wall: `at("10:00")` is on Monday 15 June 2026, `at("16 10:00")` on the 16th,
`at("2026-10-25 10:00")` on that day; always UTC, seconds and their parts may follow.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.domain import ids
from chalicelib.domain.monitor import on_request
from chalicelib.domain.monitor.context import Context
from chalicelib.domain.monitor.cron import Cron, Settings, Status
from chalicelib.domain.monitor.decision import Decision, RunWrite
from chalicelib.domain.monitor.event import Event, EventKind
from chalicelib.domain.monitor.incident import Incident
from chalicelib.domain.monitor.on_signal import apply
from chalicelib.domain.monitor.on_tick import evaluate
from chalicelib.domain.monitor.retry import run_to_load
from chalicelib.domain.monitor.signal import Received, Signal, SignalKind
from chalicelib.domain.runs.run import Run, RunStatus
from chalicelib.domain.schedule.schedule import Interval, parse_schedule

ORG = "0123456789ab"
CRON_ID = ids.cron_id(ORG, bytes(10))
NAMES = on_request.CronNames("shop", "billing", "nightly")
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def at(text: str) -> datetime:
    day, _, time = text.rpartition(" ")
    if len(day) < 10:
        day = f"2026-06-{day or 15}"
    return datetime.fromisoformat(f"{day} {time}").replace(tzinfo=UTC)


def new_cron(now: datetime, **settings: Any) -> Cron:
    return on_request.create(CRON_ID, NAMES, Settings(**settings), now)


class Watched:
    """`events`: all that were told · `missed`, `skipped`: the occurrences that records of them stand
    for, those skipped while it was paused."""

    def __init__(self, since: str | datetime, schedule: str | None = "0 * * * *", **settings: Any) -> None:
        now = at(since) if isinstance(since, str) else since
        self.cron = new_cron(now, schedule=schedule, **settings)
        self.runs: dict[str, Run] = {}
        self.claims: dict[str, str] = {}
        self.incidents: dict[str, Incident] = {}
        self.events: list[Event] = []
        self.missed: list[datetime] = []
        self.skipped: list[datetime] = []
        self._drawn = 0

    def status(self) -> Status:
        return self.cron.status

    @property
    def told(self) -> list[EventKind]:
        return [event.kind for event in self.events]

    def start(self, when: str, key: str | None = None, **more: Any) -> Decision:
        return self.send(Signal(SignalKind.START, key, **more), at(when))

    def success(self, when: str, key: str | None = None, **more: Any) -> Decision:
        return self.send(Signal(SignalKind.SUCCESS, key, **more), at(when))

    def fail(self, when: str, key: str | None = None, **more: Any) -> Decision:
        return self.send(Signal(SignalKind.FAIL, key, **more), at(when))

    def running(self, when: str, key: str | None = None, **more: Any) -> Decision:
        return self.send(Signal(SignalKind.RUNNING, key, **more), at(when))

    def log(self, when: str, key: str | None = None) -> Decision:
        return self.send(Signal(SignalKind.LOG, key, message="three rows"), at(when))

    def send(self, signal: Signal, now: datetime) -> Decision:
        return self.commit(self.decide(signal, now))

    def decide(self, signal: Signal, now: datetime) -> Decision:
        self._drawn += 1
        random = self._drawn.to_bytes(10, "big")
        key = signal.run_key or run_to_load(self.cron, signal, now)
        return apply(self.cron, Received(signal, now, random, self._known(key)))

    def _known(self, key: str | None) -> Run | None:
        if key is None or any(run.answers_to(key) for run in self.cron.open_runs):
            return None
        return self.runs.get(self.claims.get(key, key))

    def look(self, when: str | datetime) -> Decision:
        return self.commit(evaluate(self.cron, at(when) if isinstance(when, str) else when))

    def resolve(self, when: str | datetime) -> Decision:
        now = at(when) if isinstance(when, str) else when
        return self.commit(on_request.resolve(self.cron, now, Context()))

    def pause(self, when: str) -> Decision:
        return self.commit(on_request.pause(self.cron, at(when)))

    def resume(self, when: str) -> Decision:
        return self.commit(on_request.resume(self.cron, at(when)))

    def change(self, when: str, **settings: Any) -> Decision:
        return self.commit(on_request.change(self.cron, self.cron.settings._replace(**settings), at(when)))

    def commit(self, decision: Decision) -> Decision:
        if decision.replay:
            assert decision == Decision(self.cron, run=decision.run, anomaly=decision.anomaly, replay=True)
            return decision
        for write in decision.writes:
            if write.removed:
                del self.runs[write.run.id]
            else:
                self._write(write)
        self.incidents |= {incident.id: incident for incident in decision.incidents}
        self.events += decision.events
        self.cron = decision.cron._replace(version=self.cron.version + 1)
        return decision

    def _write(self, write: RunWrite) -> None:
        run, new = write.run, write.new
        assert new == (run.id not in self.runs), "a run is new once"
        if not new:
            given = {name: value for name, value in run._asdict().items() if value is not None}
            self.runs[run.id] = self.runs[run.id]._replace(**given)
            return
        self.runs[run.id] = run
        if run.status is RunStatus.MISSED:
            self.missed += self._stands_for(run)
        elif run.status is RunStatus.PAUSED:
            self.skipped += self._stands_for(run)
        elif run.key is not None and run.status is not RunStatus.LOG:
            assert self.claims.get(run.key) == write.reused_from, "a caller's id stands for one run"
            self.claims[run.key] = run.id

    def _stands_for(self, run: Run) -> list[datetime]:
        assert run.scheduled_at is not None
        found = [run.scheduled_at]
        while run.scheduled_until is not None and found[-1] < run.scheduled_until:
            following = self.following(found[-1])
            assert following is not None
            found.append(following)
        assert len(found) == run.occurrences
        return found

    def following(self, occurrence: datetime) -> datetime | None:
        """The next occurrence after one."""
        assert self.cron.settings.schedule is not None
        schedule = parse_schedule(self.cron.settings.schedule, self.cron.settings.timezone)
        if isinstance(schedule, Interval):
            return occurrence + timedelta(seconds=schedule.seconds)
        return schedule.next(occurrence)
