"""The state machine once more, slow and obvious: the design's sentences as lists and loops.

It shares with the domain only the words (settings, statuses, reasons) and `schedule.next`, which
has tests of its own. Every occurrence and every run is kept in a list and walked through.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from chalicelib.domain.monitor.cron import Reason, Settings, Status
from chalicelib.domain.monitor.event import EventKind
from chalicelib.domain.monitor.signal import Signal, SignalKind
from chalicelib.domain.runs.run import RunStatus
from chalicelib.domain.schedule.schedule import CronSchedule, Interval, parse_schedule

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
YEAR = timedelta(days=366)
TOLD_AS = {
    Reason.MISSED: EventKind.MISSED,
    Reason.FAILED: EventKind.FAILED,
    Reason.TIMEOUT: EventKind.TIMEOUT,
}


class Fate(Enum):
    WAITING = "waiting"
    SATISFIED = "satisfied"
    MISSED = "missed"
    FORGOTTEN = "forgotten"


@dataclass
class Slot:
    """An occurrence and what became of it."""

    at: datetime
    fate: Fate = Fate.WAITING


@dataclass
class SlowRun:
    """`id` is the one that the domain gave it, for telling which is which; `late` as it began."""

    status: RunStatus
    started_at: datetime | None
    seen_at: datetime
    key: str | None = None
    id: str = ""
    slot_at: datetime | None = None
    offset_ms: int | None = None
    finished_at: datetime | None = None
    duration_ms: int | None = None
    overran: bool = False
    late: bool = False


@dataclass
class Answer:
    """What a signal is answered with; `judged`: whether durations and offsets are told of."""

    run: SlowRun
    judged: bool = False
    replay: bool = False
    anomaly: str | None = None
    drift: bool = False


@dataclass
class SlowCron:
    settings: Settings
    now: datetime
    paused: bool = False
    signalled: bool = False
    down: Reason | None = None
    opened: int = 0
    resolved: int = 0
    missed_in_incident: int = 0
    success_streak: int = 0
    failure_streak: int = 0
    late_alerted: bool = False
    counted_at: datetime | None = None
    slots: list[Slot] = field(default_factory=list)
    runs: list[SlowRun] = field(default_factory=list)
    open: list[SlowRun] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    ordinary: list[int] = field(default_factory=list)
    unusual: list[int] = field(default_factory=list)
    told: list[EventKind] = field(default_factory=list)
    changes: list[datetime] = field(default_factory=list)
    flapping_since: datetime | None = None
    unannounced: int = 0
    remembered_at: datetime | None = None

    def __post_init__(self) -> None:
        self._start_afresh()

    # -- what can be seen

    @property
    def status(self) -> Status:
        if self.paused:
            return Status.PAUSED
        if self.down:
            return Status.DOWN
        return Status.UP if self.signalled else Status.NEW

    @property
    def expected_at(self) -> datetime | None:
        return next((slot.at for slot in self.slots if slot.fate is Fate.WAITING), None)

    def missed(self) -> list[datetime]:
        return [slot.at for slot in self.slots if slot.fate is Fate.MISSED]

    def due_at(self) -> datetime | None:
        if self.paused:
            return None
        moments = []
        expected = self.expected_at
        if expected is not None:
            late_at, missed_at = expected + self._tolerance(expected), expected + self._grace(expected)
            if self.down is None and not self.late_alerted:
                moments.append(late_at)
            if self.down is not None and self.counted_at is not None:
                moments.append(max(missed_at, self.counted_at + HOUR))
            else:
                moments.append(missed_at)
        for run in self.open:
            moments += self._moments_of(run)
        if self.flapping_since is not None:
            moments.append(self.flapping_since + HOUR)
        reminder_at = self._reminder_at()
        if reminder_at is not None:
            moments.append(reminder_at)
        return min(moments, default=None)

    def _moments_of(self, run: SlowRun) -> list[datetime]:
        moments = []
        if self.settings.max_runtime_seconds is not None:
            moments.append(run.seen_at + self.settings.max_runtime_seconds * SECOND)
        overrun_at = self._overrun_at(run)
        if overrun_at is not None and not run.overran:
            moments.append(overrun_at)
        return moments

    # -- the schedule

    def _schedule(self) -> CronSchedule | Interval | None:
        if self.settings.schedule is None:
            return None
        return parse_schedule(self.settings.schedule, self.settings.timezone)

    def _start_afresh(self) -> None:
        for slot in self._waiting():
            slot.fate = Fate.FORGOTTEN
        self.late_alerted = False
        schedule = self._schedule()
        if isinstance(schedule, Interval):
            self.slots.append(Slot(self.now + schedule.seconds * SECOND))
        elif schedule is not None:
            first = schedule.next(self.now)
            assert first is not None
            self.slots.append(Slot(first))

    def _after(self, at: datetime) -> datetime:
        schedule = self._schedule()
        if isinstance(schedule, Interval):
            return at + schedule.seconds * SECOND
        assert schedule is not None
        following = schedule.next(at)
        return at + YEAR if following is None else following

    def _extend(self, until: datetime) -> None:
        """Writes down all occurrences until then, and one more."""
        while self.expected_at is not None and self.slots[-1].at <= until:
            self.slots.append(Slot(self._after(self.slots[-1].at)))

    def _waiting(self) -> list[Slot]:
        return [slot for slot in self.slots if slot.fate is Fate.WAITING]

    def _period(self, at: datetime) -> timedelta:
        return self._after(at) - at

    def _grace(self, at: datetime) -> timedelta:
        if self.settings.grace_seconds is not None:
            return self.settings.grace_seconds * SECOND
        return min(max(self._period(at) / 10, 60 * SECOND), 3600 * SECOND)

    def _tolerance(self, at: datetime | None) -> timedelta:
        if at is None or self.settings.schedule is None:
            return 30 * SECOND
        return min(max(self._grace(at) / 2, 30 * SECOND), 15 * MINUTE)

    def _early(self, at: datetime) -> timedelta:
        return min(self._period(at) / 10, 60 * SECOND)

    # -- the clock

    def tick(self, now: datetime) -> None:
        self.now = now
        if self.paused:
            return
        self._miss_what_is_over()
        expected = self.expected_at
        if expected is not None and self.down is None and expected + self._tolerance(expected) <= now:
            self.late_alerted = True
        for run in list(self.open):
            self._look_at(run)
        self._sum_up()
        reminder_at = self._reminder_at()
        if reminder_at is not None and reminder_at <= now:
            self.remembered_at = now
            self.told.append(EventKind.REMINDER)

    def _reminder_at(self) -> datetime | None:
        if self.down is None or self.settings.reminder_seconds is None or self.remembered_at is None:
            return None
        return self.remembered_at + self.settings.reminder_seconds * SECOND

    def _sum_up(self) -> None:
        if self.flapping_since is None or self.now < self.flapping_since + HOUR:
            return
        self.told.append(EventKind.FLAPPING)
        self.flapping_since = self.now if self.unannounced else None
        self.changes = self.changes if self.unannounced else []
        self.unannounced = 0

    def _changed(self, kind: EventKind) -> None:
        """It went down or up: told, unless it did so five times in the last hour."""
        self.changes.append(self.now)
        if self.flapping_since is not None:
            self.unannounced += 1
        elif sum(self.now - at < HOUR for at in self.changes) >= 5:
            self.flapping_since = self.now
            self.told.append(EventKind.FLAPPING)
        else:
            self.told.append(kind)

    def _is_calm(self) -> None:
        self.changes, self.flapping_since, self.unannounced = [], None, 0

    def _miss_what_is_over(self) -> None:
        now = self.now
        self._extend(now)
        any_missed = False
        for slot in self._waiting():
            if slot.at + self._grace(slot.at) > now:
                break
            self._miss(slot)
            any_missed = True
        if any_missed:
            self.late_alerted = False
            self.counted_at = now if self.down else None

    def _look_at(self, run: SlowRun) -> None:
        longest = self.settings.max_runtime_seconds
        if longest is not None and run.seen_at + longest * SECOND <= self.now:
            run.status = RunStatus.TIMEOUT
            self.open.remove(run)
            self._bad(Reason.TIMEOUT)
            return
        overrun_at = self._overrun_at(run)
        if overrun_at is not None and overrun_at <= self.now:
            run.overran = True

    def _overrun_at(self, run: SlowRun) -> datetime | None:
        average = self._average()
        if average is None:
            return None
        longest = max(self.settings.anomaly_factor * average, average + 1000)
        return run.seen_at + timedelta(milliseconds=longest)

    # -- good and bad

    def _miss(self, slot: Slot) -> None:
        slot.fate = Fate.MISSED
        self._bad(Reason.MISSED)
        if self.down:
            self.missed_in_incident += 1

    def _bad(self, reason: Reason) -> None:
        if self.paused:
            return
        self.failure_streak += 1
        self.success_streak = 0
        if self.down is None and self.failure_streak > self.settings.failure_tolerance:
            self.down = reason
            self.opened += 1
            self.missed_in_incident = 0
            self.remembered_at = self.now
            self._changed(TOLD_AS[reason])

    def _good(self) -> None:
        if self.paused:
            return
        self.success_streak += 1
        self.failure_streak = 0
        if self.down and self.success_streak >= self.settings.recovery_threshold:
            self.down = None
            self.resolved += 1
            self._changed(EventKind.RECOVERED)
        if self.down is None:
            self.counted_at = None

    # -- signals

    def signal(self, signal: Signal, now: datetime) -> Answer:
        self.now = now
        if signal.kind is SignalKind.LOG:
            return Answer(SlowRun(RunStatus.LOG, now, now, key=signal.run_key, finished_at=now))
        run = self._meant(signal)
        if run is None:
            before = self._known(signal.run_key)
            if before is not None:
                return self._again(signal, before)
        self.signalled = True
        if signal.kind in (SignalKind.SUCCESS, SignalKind.FAIL):
            return self._finish(signal, run)
        if run is None:
            return self._start(signal)
        if signal.kind is SignalKind.START:
            return Answer(run, replay=True)
        run.seen_at = now
        run.overran = False
        return self._answer(run)

    def _meant(self, signal: Signal) -> SlowRun | None:
        if signal.run_key is not None:
            named = [run for run in self.open if signal.run_key in (run.id, run.key)]
            return named[0] if named else None
        if signal.kind is SignalKind.START or not self.open:
            return None
        return self._open_by_start()[-1]

    def _open_by_start(self) -> list[SlowRun]:
        return sorted(self.open, key=_start_of)

    def _known(self, key: str | None) -> SlowRun | None:
        named = [run for run in self.runs if key is not None and key in (run.id, run.key)]
        return named[0] if named else None

    def _arrive(self, began_at: datetime, ended_at: datetime) -> datetime | None:
        """A start, or an end without a start: which occurrence does it satisfy?"""
        if self.paused or self.expected_at is None:
            return None
        early = self._early(self.expected_at)
        found = None
        for at in (min(began_at, self.now), min(ended_at, self.now)):
            self._extend(at + early)
            before = [slot for slot in self.slots if slot.at <= at + early and slot.fate is not Fate.FORGOTTEN]
            if before and before[-1].fate is Fate.WAITING:
                found = before[-1]
                break
        if found is not None:
            for slot in self._waiting():
                if slot.at < found.at:
                    self._miss(slot)
            found.fate = Fate.SATISFIED
            self.late_alerted = False
            self._extend(found.at)
            self.offsets.append(_ms(began_at - found.at))
        schedule = self._schedule()
        if isinstance(schedule, Interval):
            # A plain interval since the last run.
            self._start_afresh()
        return found.at if found else None

    def _start(self, signal: Signal) -> Answer:
        started_at = signal.started_at or self.now
        run = SlowRun(RunStatus.RUNNING, started_at, self.now, key=signal.run_key)
        run.slot_at = self._arrive(started_at, self.now)
        self._compare_with_its_time(run, started_at)
        if len(self.open) == 20:
            oldest = self._open_by_start()[0]
            oldest.status = RunStatus.ABANDONED
            self.open.remove(oldest)
        self.open.append(run)
        self.runs.append(run)
        return self._answer(run)

    def _finish(self, signal: Signal, run: SlowRun | None) -> Answer:
        finished_at = signal.finished_at or self.now
        if run is not None:
            self.open.remove(run)
        else:
            began_at = signal.started_at
            if began_at is None and signal.duration_ms is not None:
                began_at = finished_at - timedelta(milliseconds=signal.duration_ms)
            run = SlowRun(RunStatus.RUNNING, began_at, self.now, key=signal.run_key)
            run.slot_at = self._arrive(began_at or finished_at, finished_at)
            self._compare_with_its_time(run, began_at or finished_at)
            self.runs.append(run)
        self._end(run, signal)
        good = signal.kind is SignalKind.SUCCESS
        run.status = RunStatus.SUCCESS if good else RunStatus.FAILED
        answer = self._answer(run)
        if good and run.duration_ms is not None and not self.paused:
            answer.anomaly = self._judge(run.duration_ms)
        if good:
            self._good()
        else:
            self._bad(Reason.FAILED)
        return answer

    def _compare_with_its_time(self, run: SlowRun, began_at: datetime) -> None:
        if run.slot_at is not None:
            run.offset_ms = _ms(began_at - run.slot_at)
            run.late = began_at - run.slot_at > self._tolerance(run.slot_at)

    def _end(self, run: SlowRun, signal: Signal) -> None:
        run.finished_at = signal.finished_at or self.now
        run.started_at = signal.started_at or run.started_at
        if signal.duration_ms is not None:
            run.duration_ms = signal.duration_ms
        elif run.started_at is not None:
            run.duration_ms = max(0, _ms(run.finished_at - run.started_at))

    def _again(self, signal: Signal, run: SlowRun) -> Answer:
        given_up = run.status in (RunStatus.TIMEOUT, RunStatus.ABANDONED) and run.finished_at is None
        if not given_up or signal.kind not in (SignalKind.SUCCESS, SignalKind.FAIL):
            return Answer(run, replay=True)
        self.signalled = True
        self._end(run, signal)
        good = signal.kind is SignalKind.SUCCESS
        if run.status is RunStatus.TIMEOUT:
            # It was bad once already.
            if good:
                self._good()
        else:
            run.status = RunStatus.SUCCESS if good else RunStatus.FAILED
            self._good() if good else self._bad(Reason.FAILED)
        return Answer(run)

    def _answer(self, run: SlowRun) -> Answer:
        tolerance_ms = _ms(self._tolerance(run.slot_at or self.expected_at))
        offset = run.offset_ms
        beyond = offset is not None and abs(offset) > tolerance_ms
        drifting = _drifts(self.offsets[-10:], tolerance_ms)
        return Answer(run, judged=True, drift=beyond or drifting)

    # -- durations

    def _average(self) -> float | None:
        last = self.ordinary[-50:]
        return sum(last) / len(last) if len(last) >= 3 else None

    def _judge(self, duration: int) -> str | None:
        average = self._average()
        kind = None
        if average is not None and duration > self.settings.anomaly_factor * average:
            kind = "long"
        elif average is not None and average >= 10_000 and duration < average / 10:
            kind = "short"
        if kind is None or average is None:
            self.ordinary.append(duration)
            self.unusual = []
            return None
        if self.unusual and (self.unusual[-1] > average) != (kind == "long"):
            self.unusual = []
        self.unusual.append(duration)
        if len(self.unusual) == 5:
            self.ordinary, self.unusual = self.unusual, []
        return kind

    # -- people

    def change(self, settings: Settings, now: datetime) -> None:
        self.now = now
        before, self.settings = self.settings, settings
        if self.paused or (before.schedule, before.timezone) == (settings.schedule, settings.timezone):
            return
        self._start_afresh()
        self.offsets = []

    def resolve(self, now: datetime) -> None:
        """A person says that it is over: what was missed until now is missed, and it starts afresh."""
        self.now = now
        self._miss_what_is_over()
        self.down = None
        self.resolved += 1
        self.success_streak = self.failure_streak = 0
        self.late_alerted = False
        self.counted_at = None
        self._is_calm()

    def pause(self, now: datetime) -> None:
        self.now = now
        for slot in self._waiting():
            slot.fate = Fate.FORGOTTEN
        if self.down:
            self.resolved += 1
        self.down = None
        self.late_alerted = False
        self.counted_at = None
        self._is_calm()
        self.paused = True

    def resume(self, now: datetime) -> None:
        self.now = now
        self.paused = False
        self.success_streak = self.failure_streak = 0
        for run in self.open:
            run.seen_at = now
            run.overran = False
        self._start_afresh()


def _start_of(run: SlowRun) -> datetime:
    assert run.started_at is not None
    return run.started_at


def _ms(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)


def _drifts(offsets: list[int], tolerance_ms: int) -> bool:
    if len(offsets) < 10:
        return False
    ordered = sorted(offsets)
    if abs((ordered[4] + ordered[5]) / 2) > tolerance_ms:
        return True
    ups = downs = 0
    for i in range(9):
        ups += offsets[i + 1] > offsets[i]
        downs += offsets[i + 1] < offsets[i]
    moved = abs(sorted(offsets[5:])[2] - sorted(offsets[:5])[2])
    return (ups >= 8 or downs >= 8) and moved > tolerance_ms / 2
