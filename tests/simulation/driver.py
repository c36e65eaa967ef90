"""Drives CronHub's rules through a world, in process: the only file here that knows chalicelib.

As in production, nobody looks at a cron before its `due_at`, and a tick comes once per minute.
"""

import heapq
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from chalicelib.domain import ids
from chalicelib.domain.alerts.alert import Alert as Told
from chalicelib.domain.alerts.alert import alerts_of
from chalicelib.domain.alerts.channel import ChannelFilters, Subject, admits
from chalicelib.domain.monitor import on_request, on_tick
from chalicelib.domain.monitor.blackout import Blackout, Watch, blackouts_until
from chalicelib.domain.monitor.context import Context
from chalicelib.domain.monitor.cron import Cron, Settings, Status
from chalicelib.domain.monitor.deadlines import due_at
from chalicelib.domain.monitor.decision import Decision, RunWrite
from chalicelib.domain.monitor.maintenance import MaintenanceWindow
from chalicelib.domain.monitor.on_signal import apply
from chalicelib.domain.monitor.retry import run_to_load
from chalicelib.domain.monitor.signal import Received, Signal, SignalKind
from chalicelib.domain.runs.counts import Counts, DailyCounts, sum_counts
from chalicelib.domain.runs.run import Run
from tests.simulation.world import MINUTE, Action, Job, Sent, World

_ORG = "0123456789ab"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Alert(NamedTuple):
    """What somebody received on a channel of usual settings."""

    at: int
    kind: str
    #: The state it speaks of.
    says_down: bool | None
    about: int | None
    run_id: str | None
    detail: str


class Figures(NamedTuple):
    """What CronHub counts of one day."""

    expected: int = 0
    met: int = 0
    missed: int = 0
    failed: int = 0
    timed_out: int = 0
    excused: int = 0


class Recorded(NamedTuple):
    """A run as CronHub recorded it."""

    id: str
    status: str
    occurrence: int | None
    duration_ms: int | None


class Heard(NamedTuple):
    """What CronHub made of a signal: which run it is about, and whether it was taken for a repetition."""

    sent: Sent
    run_id: str | None
    replay: bool
    blocked: bool
    recorded: str = ""


class Outcome(NamedTuple):
    """All that CronHub made of a job."""

    alerts: list[Alert]
    heard: list[Heard]
    runs: dict[str, Recorded]
    figures: dict[int, Figures]
    is_down: bool
    looked: int


_DOWN = frozenset({"missed", "failed", "timeout"})


class _Watched:
    """One cron and all that is stored of it."""

    def __init__(self, number: int, job: Job) -> None:
        settings = Settings(
            schedule=job.schedule,
            timezone=job.zone,
            grace_seconds=job.grace_s,
            max_runtime_seconds=job.max_runtime_s,
        )
        cron_id = ids.cron_id(_ORG, number.to_bytes(10, "big"))
        names = on_request.CronNames("simulated", "jobs", f"{number} {job.name}")
        self.cron = on_request.create(cron_id, names, settings, _time(job.created_at))
        self.runs: dict[str, Run] = {}
        self.claims: dict[str, str] = {}
        self.past: dict[int, Counts] = {}
        self.alerts: list[Alert] = []
        self.heard: list[Heard] = []
        self.looked = 0


class Driver:
    def __init__(self, world: World) -> None:
        self._world = world
        self._watched = [_Watched(number, job) for number, job in enumerate(world.jobs)]
        self._due: list[tuple[int, int]] = []
        self._planned: dict[int, int] = {}
        self._drawn = 0
        self._now = world.since
        self._windows = tuple(
            MaintenanceWindow(_ORG, str(start), "w", _time(start), _time(start), _time(end))
            for start, end in world.windows
        )

    def run(self) -> list[Outcome]:
        for number in range(len(self._watched)):
            self._plan(number)
        for at, number, happening in self._happenings():
            self._tick_until(at)
            self._now = at
            if isinstance(happening, Sent):
                self._receive(number, happening)
            else:
                self._request(number, happening)
        self._tick_until(self._world.until)
        return [_outcome(watched) for watched in self._watched]

    def _happenings(self) -> list[tuple[int, int, "Sent | Action"]]:
        found: list[tuple[int, int, Sent | Action]] = []
        for number, job in enumerate(self._world.jobs):
            found += [(sent.at, number, sent) for sent in job.sent]
            found += [(change.at, number, change.action) for change in job.changes]
        return sorted(found, key=lambda one: (one[0], one[1]))

    # Signals and requests

    def _receive(self, number: int, sent: Sent) -> None:
        watched, now = self._watched[number], _time(self._now)
        signal = Signal(SignalKind(sent.kind.value), sent.key, duration_ms=sent.duration_ms)
        self._drawn += 1
        key = sent.key or run_to_load(watched.cron, signal, now)
        received = Received(signal, now, self._drawn.to_bytes(10, "big"), _known(watched, key))
        decision = self._decide(number, lambda context: apply(watched.cron, received, context))
        run = decision.run
        blocked = bool(decision.blocked_by)
        watched.heard.append(Heard(sent, run.id if run else None, decision.replay, blocked))
        self._commit(number, decision)

    def _request(self, number: int, action: Action) -> None:
        cron, now = self._watched[number].cron, _time(self._now)
        requests: dict[Action, Callable[[], Decision]] = {
            Action.PAUSE: lambda: on_request.pause(cron, now),
            Action.RESUME: lambda: on_request.resume(cron, now),
        }
        self._commit(number, requests[action]())

    def _decide(self, number: int, decide: Callable[[Context], Decision]) -> Decision:
        """As the services do: asked for what a decision turns on, and made again with it."""
        context = Context()
        decision = decide(context)
        while any(decision.not_loaded):
            if decision.not_loaded.windows:
                context = context._replace(windows=self._windows)
            if decision.not_loaded.dependencies:
                context = context._replace(dependencies=())
            if decision.not_loaded.blackouts:
                context = context._replace(blackouts=self._blackouts())
            if decision.not_loaded.recent_days:
                context = context._replace(recent_days=_recent_days(self._watched[number]))
            decision = decide(context)
        return decision

    def _blackouts(self) -> tuple[Blackout, ...]:
        if self._world.tick_outages:
            # Other jobs signal all the time, so CronHub can hear.
            return ()
        ticked_at = self._now - (self._now - self._world.tick_phase) % MINUTE
        return blackouts_until(Watch(_time(ticked_at)), _time(self._now))

    # Ticks

    def _tick_until(self, until: int) -> None:
        while self._due and (at := self._tick_after(self._due[0][0])) <= until:
            due, number = heapq.heappop(self._due)
            if self._planned.get(number) != due:
                continue
            self._now = max(at, self._now)
            self._look(number)

    def _tick_after(self, due: int) -> int:
        phase = self._world.tick_phase
        due = self._world.ticking_at(due + (phase - due) % MINUTE)
        return due + (phase - due) % MINUTE

    def _look(self, number: int) -> None:
        watched, now = self._watched[number], _time(self._now)
        due = due_at(watched.cron)
        if due is None or due > now:
            self._plan(number)
            return
        watched.looked += 1
        if self._world.double_ticks:
            self._commit(
                number, self._decide(number, lambda context: on_tick.evaluate(watched.cron, now, context))
            )
        before = watched.cron
        decision = self._decide(number, lambda context: on_tick.evaluate(watched.cron, now, context))
        if decision.cron == before:
            # As in production: what nothing comes of is put off, and would otherwise come at each tick.
            due = due_at(before)
            is_due_again = due is not None and due <= now
            self._plan(number, at_least=self._now + 15 * MINUTE if is_due_again else 0)
            return
        self._commit(number, decision)

    def _plan(self, number: int, at_least: int = 0) -> None:
        due = due_at(self._watched[number].cron)
        if due is None:
            self._planned.pop(number, None)
            return
        self._planned[number] = max(_ms(due), self._now, at_least)
        heapq.heappush(self._due, (self._planned[number], number))

    # The store

    def _commit(self, number: int, decision: Decision) -> None:
        if decision.replay:
            return
        watched = self._watched[number]
        incident_before = watched.cron.incident
        for alert in alerts_of(decision, incident_before):
            if admits(ChannelFilters(), alert.kind, Subject("", "")):
                watched.alerts.append(_alert(alert, decision.cron))
        for write in decision.writes:
            _record(watched, write)
        for day, counts in (*decision.finished_days, *decision.past_days):
            key = day.toordinal()
            watched.past[key] = sum_counts([watched.past.get(key, Counts()), counts])
        watched.cron = decision.cron._replace(version=watched.cron.version + 1)
        self._plan(number)


def _recent_days(watched: _Watched) -> tuple[DailyCounts, ...]:
    return tuple(DailyCounts(date.fromordinal(day), watched.past[day]) for day in sorted(watched.past))


def _record(watched: _Watched, write: RunWrite) -> None:
    run = write.run
    if write.removed:
        del watched.runs[run.id]
    elif write.new:
        watched.runs[run.id] = run
        if run.key is not None and run.status.value not in ("log", "blocked"):
            watched.claims[run.key] = run.id
    else:
        given = {name: value for name, value in run._asdict().items() if value is not None}
        watched.runs[run.id] = watched.runs[run.id]._replace(**given)


def _known(watched: _Watched, key: str | None) -> Run | None:
    if key is None or any(run.answers_to(key) for run in watched.cron.open_runs):
        return None
    return watched.runs.get(watched.claims.get(key, key))


def _alert(alert: Told, cron: Cron) -> Alert:
    kind = alert.kind.value
    says_down = True if kind in _DOWN else False if kind in ("recovered", "resolved") else None
    if kind == "flapping":
        says_down = cron.status is Status.DOWN
    about = None if alert.about is None else _ms(alert.about)
    return Alert(_ms(alert.send_at), kind, says_down, about, alert.run_id, alert.detail)


def _outcome(watched: _Watched) -> Outcome:
    runs = {
        run.id: Recorded(
            run.id,
            run.status.value,
            None if run.scheduled_at is None else _ms(run.scheduled_at),
            run.duration_ms,
        )
        for run in watched.runs.values()
    }
    days = dict(watched.past)
    if watched.cron.today is not None:
        key = watched.cron.today.day.toordinal()
        days[key] = watched.cron.today.counts
    figures = {day - _EPOCH.toordinal(): _figures(counts) for day, counts in days.items()}
    down = watched.cron.status is Status.DOWN
    return Outcome(watched.alerts, watched.heard, runs, figures, down, watched.looked)


def _figures(counts: Counts) -> Figures:
    return Figures(counts.expected, counts.met, counts.missed, counts.failed, counts.timed_out, counts.excused)


def _time(at: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=at)


def _ms(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(milliseconds=1)
