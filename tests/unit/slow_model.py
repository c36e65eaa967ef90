"""The state machine once more, slow and obvious: the design's sentences as lists and loops.

It shares with the domain only the words (settings, statuses, reasons) and `schedule.next`, which
has tests of its own. Every occurrence and every run is kept in a list and walked through.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum

from chalicelib.domain.monitor.cron import Reason, Settings, Status
from chalicelib.domain.monitor.event import EventKind
from chalicelib.domain.monitor.signal import Signal, SignalKind
from chalicelib.domain.runs.run import RunStatus
from chalicelib.domain.schedule.schedule import Interval, Schedule, parse_schedule

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
    late: bool = False
    arrived_at: datetime | None = None
    sender_start: bool = False
    heard_at: datetime | None = None
    overtaken: bool = False
    uncertain: bool = False
    superseded: bool = False
    history: bool = False


@dataclass
class Answer:
    """What a signal is answered with; `judged`: whether durations and offsets are in the answer."""

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
    told: list[EventKind] = field(default_factory=list)
    changes: list[datetime] = field(default_factory=list)
    flapping_since: datetime | None = None
    unannounced: int = 0
    remembered_at: datetime | None = None
    heard: Status | None = None
    opened_at: datetime | None = None
    created_at: datetime | None = None
    last: SlowRun | None = None
    last_unstarted: bool = False
    last_unfinished: bool = False
    last_finished_at: datetime | None = None
    last_signal: Signal | None = None
    last_signal_at: datetime | None = None
    last_signal_run: SlowRun | None = None

    def __post_init__(self) -> None:
        self.created_at = self.now
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
        if expected is not None and not self._holding():
            missed_at = expected + self._grace(expected)
            if self.down is None and not self.late_alerted:
                moments.append(self._late_alert_at(expected))
            if self.down is not None and self.counted_at is not None:
                moments.append(max(missed_at, self.counted_at + HOUR))
            else:
                moments.append(missed_at)
        for run in self.open:
            moments += self._moments_of(run)
        if self.flapping_since is not None:
            moments.append(self.flapping_since + HOUR)
            moments.append(self.changes[-1] + 10 * MINUTE)
        reminder_at = self._reminder_at()
        if reminder_at is not None:
            moments.append(reminder_at)
        return min(moments, default=None)

    def _moments_of(self, run: SlowRun) -> list[datetime]:
        return [self._limit_at(run)]

    def _holding(self) -> list[SlowRun]:
        """The open runs that the next occurrence waits for."""
        return [run for run in self.open if not (run.overtaken or run.superseded or run.uncertain)]

    def _limit_at(self, run: SlowRun) -> datetime:
        """When a run is over, finished or not."""
        if self.settings.max_runtime_seconds is not None:
            return run.seen_at + self.settings.max_runtime_seconds * SECOND
        known = self.ordinary[-50:]
        if len(known) >= 3:
            expected = self.expected_at
            occurrence = run.slot_at or expected
            if self.settings.schedule is None or occurrence is None:
                grace = HOUR if self.settings.grace_seconds is None else self.settings.grace_seconds * SECOND
            else:
                grace = self._grace(occurrence)
            return run.seen_at + max(30 * SECOND, grace, timedelta(milliseconds=3 * max(known)))
        schedule = self._schedule()
        if schedule is None:
            return run.seen_at + 24 * HOUR
        if isinstance(schedule, Interval):
            following = run.seen_at + schedule.seconds * SECOND
        else:
            found = schedule.next(max(run.slot_at or run.seen_at, run.seen_at))
            if found is None:
                return run.seen_at + 24 * HOUR
            following = found
        return max(following + self._grace(following), run.seen_at + HOUR)

    # -- the schedule

    def _schedule(self) -> Schedule | None:
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

    def _late_alert_at(self, at: datetime) -> datetime:
        """Later than the tolerance for a job that is late by habit, or heard only at its end."""
        habit = max(self.offsets[-10:], default=0)
        if self.last_unstarted:
            habit += max(self.ordinary[-50:], default=0)
        return at + max(self._tolerance(at), habit * 1.25 * timedelta(milliseconds=1))

    def _early(self, at: datetime) -> timedelta:
        schedule = self._schedule()
        if isinstance(schedule, Interval):
            return min(schedule.seconds * SECOND / 2, 60 * SECOND)
        assert schedule is not None
        before = schedule.latest(at - timedelta(microseconds=1))
        return min((self._period(at) if before is None else at - before) / 2, 60 * SECOND)

    # -- the clock

    def tick(self, now: datetime) -> None:
        self.now = now
        if self.paused:
            return
        for run in sorted(self.open, key=self._limit_at):
            self._look_at(run)
        self._miss_what_is_over()
        expected = self.expected_at
        if expected is not None and self.down is None and not self._holding():
            self.late_alerted = self.late_alerted or self._late_alert_at(expected) <= now
        self._settle()
        self._sum_up()
        reminder_at = self._reminder_at()
        if reminder_at is not None and reminder_at <= now:
            self.remembered_at = now
            self.told.append(EventKind.REMINDER)

    def _reminder_at(self) -> datetime | None:
        if self.down is None or self.settings.reminder_seconds is None or self.remembered_at is None:
            return None
        return self.remembered_at + self.settings.reminder_seconds * SECOND

    def _settle(self) -> None:
        """Ten minutes without a change: people hear the state that it is in, if they heard another last."""
        if self.flapping_since is None or self.now < self.changes[-1] + 10 * MINUTE:
            return
        if self.heard is not self.status:
            self.told.append(TOLD_AS[self.down] if self.down else EventKind.RECOVERED)
            self.heard = self.status
        self.changes, self.flapping_since, self.unannounced = [], None, 0

    def _sum_up(self) -> None:
        if self.flapping_since is None or self.now < self.flapping_since + HOUR:
            return
        self.told.append(EventKind.FLAPPING)
        self.heard = self.status
        self.flapping_since = self.now
        self.unannounced = 0

    def _changed(self, kind: EventKind) -> None:
        """It went down or up: told, unless it did so five times in the last hour."""
        self.changes.append(self.now)
        if self.flapping_since is not None:
            self.unannounced += 1
            return
        self.heard = self.status
        if sum(self.now - at < HOUR for at in self.changes) >= 5:
            self.flapping_since = self.now
            self.told.append(EventKind.FLAPPING)
        else:
            self.told.append(kind)

    def _is_calm(self) -> None:
        self.changes, self.flapping_since, self.unannounced, self.heard = [], None, 0, None

    def _miss_what_is_over(self) -> None:
        """An occurrence whose grace is over is missed, unless a run is open."""
        if self.paused or self.expected_at is None or self._holding():
            return
        now = self.now
        self._extend(now)
        any_missed = False
        for slot in self._waiting():
            if slot.at + self._grace(slot.at) > now:
                break
            if self._came_while_running(slot.at):
                self._pass_over(slot)
                continue
            self._miss(slot)
            any_missed = True
        if any_missed:
            self.late_alerted = False
            self.counted_at = now if self.down else None

    def _came_while_running(self, at: datetime) -> bool:
        """Whether it came while the last run was going on, as for a job that skips a run under a lock."""
        run, ended_at = self.last, self.last_finished_at
        if run is None or run.started_at is None or ended_at is None or isinstance(self._schedule(), Interval):
            return False
        first = self._waiting()[0].at
        return run.started_at < first <= at <= ended_at

    def _miss_quietly(self, until: datetime) -> None:
        """What ran out while a run was open is missed in the figures, and opens nothing."""
        if self.paused or self.expected_at is None or self._holding():
            return
        self._extend(until)
        for slot in self._waiting():
            if slot.at + self._grace(slot.at) > until:
                break
            self._pass_over(slot)

    def _pass_over(self, slot: Slot) -> None:
        slot.fate = Fate.MISSED
        self.late_alerted = False
        if self.down:
            self.missed_in_incident += 1

    def _look_at(self, run: SlowRun) -> None:
        limit_at = self._limit_at(run)
        if limit_at <= self.now:
            self._end_by_clock(run, limit_at)

    def _end_by_clock(self, run: SlowRun, limit_at: datetime) -> None:
        self.open.remove(run)
        if run.overtaken:
            self.runs.remove(run)
            return
        if run.uncertain:
            run.status = RunStatus.ABANDONED
            return
        run.status = RunStatus.TIMEOUT
        if not run.superseded:
            self._is_last(run, limit_at)
            self.last_unfinished = run.key is None
        self._bad(Reason.TIMEOUT, limit_at)
        self._miss_quietly(limit_at)

    def _is_last(self, run: SlowRun, finished_at: datetime) -> None:
        self.last = run
        self.last_finished_at = finished_at
        self.last_unstarted = self.last_unfinished = False

    # -- good and bad

    def _miss(self, slot: Slot) -> None:
        slot.fate = Fate.MISSED
        self._bad(Reason.MISSED, slot.at + self._grace(slot.at))
        if self.down:
            self.missed_in_incident += 1

    def _bad(self, reason: Reason, at: datetime) -> None:
        if self.paused:
            return
        self.failure_streak += 1
        self.success_streak = 0
        if self.down is None and self.failure_streak > self.settings.failure_tolerance:
            self.down = reason
            self.opened += 1
            self.missed_in_incident = 0
            self.opened_at = self.remembered_at = min(at, self.now)
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
        again = self._sent_before(signal)
        if again is not None:
            return Answer(again, replay=True)
        known = self._known(signal)
        answer = self._count(signal, known)
        self.last_signal = signal if signal.run_key is None else None
        self.last_signal_run = answer.run
        self.last_signal_at = now
        return answer

    def _count(self, signal: Signal, known: SlowRun | None) -> Answer:
        now = self.now
        if signal.kind is SignalKind.LOG:
            return Answer(SlowRun(RunStatus.LOG, now, now, key=signal.run_key, finished_at=now))
        if known is None and self._is_past(signal):
            return self._remember(signal)
        if self.paused and self.settings.resumes_on_signal:
            self.resume(now)
        self.signalled = True
        meant = self._meant(signal)
        for one in sorted(self.open, key=self._limit_at):
            if one is not meant and not self.paused and self._limit_at(one) <= now:
                self._end_by_clock(one, self._limit_at(one))
        self._miss_what_is_over()
        if signal.kind in (SignalKind.SUCCESS, SignalKind.FAIL):
            return self._count_end(signal, known)
        run = self._meant(signal)
        if run is None:
            return self._start(signal)
        run.seen_at = run.heard_at = now
        run.overtaken = run.superseded = run.uncertain = False
        return self._answer(run)

    def _count_end(self, signal: Signal, known: SlowRun | None) -> Answer:
        if known is not None and known.status in (RunStatus.SUCCESS, RunStatus.FAILED):
            return self._correct(signal, known)
        run = self._meant(signal)
        over = known or (self._last_timeout(signal) if run is None else None)
        return self._finish(signal, run) if over is None else self._end_late(signal, over)

    def _sent_before(self, signal: Signal) -> SlowRun | None:
        """The run of a signal that changes nothing, as it was counted before."""
        if signal.run_key is None:
            if signal != self.last_signal or signal.kind is SignalKind.RUNNING or self.last_signal_at is None:
                return None
            is_new = self.now - self.last_signal_at >= self._retry_window() or self._another_may_end(signal)
            return None if is_new else self.last_signal_run
        if signal.kind is SignalKind.LOG:
            return None
        named = [run for run in self.open if signal.run_key in (run.id, run.key)]
        if named:
            run = named[-1]
            assert run.arrived_at is not None
            reused = signal.run_key != run.id and self.now - run.arrived_at > HOUR
            return run if signal.kind is SignalKind.START and not reused else None
        before = self._recorded(signal.run_key)
        return None if before is None or self._known(signal) is before or self._reused(signal, before) else before

    def _another_may_end(self, signal: Signal) -> bool:
        usual = self._usual(Signal(signal.kind))
        if signal.kind not in (SignalKind.SUCCESS, SignalKind.FAIL) or usual is None:
            return False
        unnamed = [run for run in self._holding() if run.key is None]
        return any(abs(self.now - _arrival_of(run) - usual) <= usual / 2 for run in unnamed)

    def _retry_window(self) -> timedelta:
        schedule = self._schedule()
        if schedule is None:
            return 5 * SECOND
        if isinstance(schedule, Interval):
            return min(60 * SECOND, schedule.seconds * SECOND / 2)
        window = 60 * SECOND
        for moment in (self.now, self.last_signal_at):
            assert moment is not None
            before, after = schedule.latest(moment), schedule.next(moment)
            if before is not None and after is not None:
                window = min(window, (after - before) / 2)
        return window

    def _recorded(self, key: str) -> SlowRun | None:
        named = [run for run in self.runs if key in (run.id, run.key) and run not in self.open]
        return named[-1] if named else None

    def _known(self, signal: Signal) -> SlowRun | None:
        """The run that is over and that a signal says more about."""
        if signal.run_key is None or any(signal.run_key in (run.id, run.key) for run in self.open):
            return None
        run = self._recorded(signal.run_key)
        if run is None or signal.kind not in (SignalKind.SUCCESS, SignalKind.FAIL) or self._reused(signal, run):
            return None
        if run.status in (RunStatus.TIMEOUT, RunStatus.ABANDONED):
            return run if run.finished_at is None else None
        good = signal.kind is SignalKind.SUCCESS
        other = run.status is (RunStatus.FAILED if good else RunStatus.SUCCESS)
        assert run.heard_at is not None
        return run if other and self.now - run.heard_at <= HOUR else None

    def _reused(self, signal: Signal, run: SlowRun) -> bool:
        """An id that comes again after more than an hour is another run's."""
        assert run.heard_at is not None
        if signal.run_key == run.id or run.key is None or self.now - run.heard_at <= HOUR:
            return False
        ends = signal.kind in (SignalKind.SUCCESS, SignalKind.FAIL)
        given_up = run.status in (RunStatus.TIMEOUT, RunStatus.ABANDONED) and run.finished_at is None
        is_due = self.expected_at is not None and self.expected_at <= self.now
        return is_due or not (ends and given_up)

    def _is_past(self, signal: Signal) -> bool:
        """Whether it tells of a run that was over before the last one, or before the cron was there."""
        if signal.kind not in (SignalKind.SUCCESS, SignalKind.FAIL) or signal.finished_at is None:
            return False
        if self.now - signal.finished_at <= MINUTE:
            return False
        if signal.run_key is not None and any(signal.run_key in (run.id, run.key) for run in self.open):
            return False
        if signal.run_key is not None and self._recorded(signal.run_key) is not None:
            return False
        assert self.created_at is not None
        return signal.finished_at < self.created_at or (
            self.last_finished_at is not None and signal.finished_at < self.last_finished_at
        )

    def _remember(self, signal: Signal) -> Answer:
        began_at = self._began_at(signal)
        run = SlowRun(RunStatus.RUNNING, began_at, self.now, key=signal.run_key, history=True)
        self._end(run, signal, None)
        good = signal.kind is SignalKind.SUCCESS
        run.status = RunStatus.SUCCESS if good else RunStatus.FAILED
        if self.status is Status.NEW and good and run.duration_ms is not None:
            self.ordinary.append(run.duration_ms)
        assert run.finished_at is not None
        if self.last_finished_at is None or self.last_finished_at < run.finished_at:
            self._is_last(run, run.finished_at)
        self.runs.append(run)
        return Answer(run)

    def _meant(self, signal: Signal) -> SlowRun | None:
        if signal.run_key is not None:
            named = [run for run in self.open if signal.run_key in (run.id, run.key)]
            if named and signal.kind is SignalKind.START:
                return None
            return named[-1] if named else None
        candidates = [run for run in self.open if run.key is None] or self.open
        if signal.kind is SignalKind.START or not candidates:
            return None
        latest = max(reversed(candidates), key=_arrival_of)
        if signal.kind is SignalKind.RUNNING:
            return latest
        usual = self._usual(signal)
        if usual is None:
            return latest
        nearest = min(reversed(candidates), key=lambda run: abs(self.now - _arrival_of(run) - usual))
        is_due = self.expected_at is not None and self.expected_at <= self.now
        return None if is_due and self._is_anomaly(_ms(self.now - _arrival_of(nearest))) else nearest

    def _usual(self, signal: Signal) -> timedelta | None:
        began_at = self._began_at(signal)
        if began_at is not None:
            return (signal.finished_at or self.now) - began_at
        last = sorted(self.ordinary[-50:])
        if not last:
            return None
        half = len(last) // 2
        middle = last[half] if len(last) % 2 else (last[half - 1] + last[half]) / 2
        return middle * timedelta(milliseconds=1)

    def _began_at(self, signal: Signal) -> datetime | None:
        if signal.started_at is not None:
            return signal.started_at
        if signal.duration_ms is None:
            return None
        return (signal.finished_at or self.now) - timedelta(milliseconds=signal.duration_ms)

    def _slot_for(self, at: datetime) -> Slot | None:
        """The occurrence that a run at this time satisfies."""
        expected = self.expected_at
        if self.paused or expected is None:
            return None
        if isinstance(self._schedule(), Interval):
            return self._waiting()[0] if at >= expected - self._early(expected) else None
        self._extend(max(at, expected))
        begun = [slot for slot in self._waiting() if slot.at <= at]
        latest = begun[-1] if begun else None
        coming = [slot for slot in self._waiting() if slot.at > at]
        early = coming[0] if coming and at >= coming[0].at - self._early(coming[0].at) else None
        if latest is None or early is None:
            return latest or early
        offsets = sorted(self.offsets[-10:])
        if len(offsets) < 3:
            return latest
        half = len(offsets) // 2
        usual = offsets[half] if len(offsets) % 2 else (offsets[half - 1] + offsets[half]) / 2
        to_early = abs((at - early.at) / timedelta(milliseconds=1) - usual)
        to_latest = abs((at - latest.at) / timedelta(milliseconds=1) - usual)
        return early if usual < -1_000 and to_early < to_latest and to_early <= 5_000 else latest

    def _arrive(self, times: list[datetime]) -> datetime | None:
        """A start, or an end without a start: which occurrence does it satisfy?"""
        found = None
        for at in times:
            slot = self._slot_for(at)
            if slot is not None:
                found = slot
                break
        if found is not None:
            for other in self._waiting():
                if other.at < found.at:
                    self._pass_over(other)
            self._extend(found.at)
            found.fate = Fate.SATISFIED
            self.late_alerted = False
            self.offsets.append(_ms(at - found.at))
        self._count_anew()
        return found.at if found else None

    def _count_anew(self) -> None:
        if isinstance(self._schedule(), Interval) and self.expected_at is not None:
            # An interval counts from the last start or end.
            self._start_afresh()

    def _start(self, signal: Signal) -> Answer:
        now = self.now
        started_at = signal.started_at or now
        run = SlowRun(RunStatus.RUNNING, started_at, now, key=signal.run_key)
        run.arrived_at = run.heard_at = now
        run.sender_start = signal.started_at is not None
        after_an_end = (
            self.last_unstarted and self.last_finished_at is not None and now - self.last_finished_at <= MINUTE
        )
        trusted = signal.started_at is not None and abs(now - signal.started_at) <= MINUTE
        run.slot_at = self._arrive([started_at if trusted else now])
        run.overtaken = run.slot_at is None and signal.run_key is None and after_an_end
        self._compare_with_its_time(run, started_at)
        if len(self.open) == 20:
            oldest = min(self.open, key=_start_of)
            oldest.status = RunStatus.ABANDONED
            self.open.remove(oldest)
        for other in self.open:
            if run.key is not None and other.key == run.key:
                other.key = None
        self.open.append(run)
        self.runs.append(run)
        return self._answer(run)

    def _finish(self, signal: Signal, run: SlowRun | None) -> Answer:
        started = run is not None
        unnamed = [one for one in self.open if one.key is None]
        uncertain = started and signal.run_key is None and len(unnamed) > 1 and self._usual(signal) is None
        if run is not None:
            self.open.remove(run)
            self._end(run, signal, run)
            for other in unnamed:
                other.uncertain = other.uncertain or (uncertain and other is not run)
        else:
            began_at, ended_at = self._began_at(signal), signal.finished_at or self.now
            run = SlowRun(RunStatus.RUNNING, began_at, self.now, key=signal.run_key)
            capped = min(ended_at, self.now) if abs(self.now - ended_at) <= MINUTE else ended_at
            times = [capped] if began_at is None else [min(began_at, capped), capped]
            run.slot_at = self._arrive(times)
            self._compare_with_its_time(run, began_at or ended_at)
            self.runs.append(run)
            self._end(run, signal, None)
        good = signal.kind is SignalKind.SUCCESS
        run.status = RunStatus.SUCCESS if good else RunStatus.FAILED
        anomaly = None
        if good and run.duration_ms is not None and not self.paused and not uncertain:
            anomaly = self._judge(run.duration_ms)
        if started:
            self._count_anew()
            self._miss_quietly(self.now)
        self._settled(run, unstarted=not started)
        answer = self._answer(run)
        answer.anomaly = anomaly
        return answer

    def _settled(self, run: SlowRun, unstarted: bool = False) -> None:
        assert run.finished_at is not None
        self._is_last(run, run.finished_at)
        self.last_unstarted = unstarted
        if run.status is RunStatus.SUCCESS:
            for other in self.open:
                if _start_of(other) < (run.started_at or run.finished_at):
                    other.superseded = True
            self._good()
        else:
            self._bad(Reason.FAILED, self.now)

    def _compare_with_its_time(self, run: SlowRun, began_at: datetime) -> None:
        if run.slot_at is not None:
            run.offset_ms = _ms(began_at - run.slot_at)
            run.late = began_at - run.slot_at > self._tolerance(run.slot_at)

    def _end(self, run: SlowRun, signal: Signal, started: SlowRun | None) -> None:
        """Its duration never takes one time of the job's clock and one of ours."""
        by_job = signal.started_at or (started.started_at if started and started.sender_start else None)
        if signal.duration_ms is not None:
            run.duration_ms = signal.duration_ms
        elif by_job is not None and signal.finished_at is not None:
            run.duration_ms = max(0, _ms(signal.finished_at - by_job))
        elif started is not None:
            run.duration_ms = _ms(self.now - _arrival_of(started))
        run.finished_at = signal.finished_at or self.now
        run.started_at = signal.started_at or run.started_at
        run.heard_at = self.now

    def _last_timeout(self, signal: Signal) -> SlowRun | None:
        """The run that timed out last, which an end without an id ends after all."""
        is_due = self.expected_at is not None and self.expected_at <= self.now
        if signal.run_key is not None or not self.last_unfinished or self.open or is_due:
            return None
        return self.last

    def _end_late(self, signal: Signal, run: SlowRun) -> Answer:
        began_at = run.started_at
        self._end(run, signal, None)
        run.started_at = began_at or run.started_at
        if run.duration_ms is None and began_at is not None:
            run.duration_ms = max(0, _ms(self.now - began_at))
        self._count_anew()
        good = signal.kind is SignalKind.SUCCESS
        if run.status is not RunStatus.TIMEOUT:
            run.status = RunStatus.SUCCESS if good else RunStatus.FAILED
            self._settled(run)
            return Answer(run)
        # It was bad once already.
        assert run.finished_at is not None
        if self.last is None or self.last is run or _before(self.last_finished_at, run.finished_at):
            self._is_last(run, run.finished_at)
        if good:
            if run.duration_ms is not None and not self.paused:
                self._judge(run.duration_ms)
            self._good()
        return Answer(run)

    def _correct(self, signal: Signal, run: SlowRun) -> Answer:
        before = replace(run)
        self._end(run, signal, None)
        run.duration_ms = signal.duration_ms or before.duration_ms
        run.started_at, run.finished_at = before.started_at, before.finished_at
        good = signal.kind is SignalKind.SUCCESS
        run.status = RunStatus.SUCCESS if good else RunStatus.FAILED
        if self.last is None or self.last is run:
            self._settled(run, self.last_unstarted)
        elif not good:
            self._bad(Reason.FAILED, self.now)
        return Answer(run)

    def _answer(self, run: SlowRun) -> Answer:
        tolerance_ms = _ms(self._tolerance(run.slot_at or self.expected_at))
        offset = run.offset_ms
        if run.started_at is None:
            # Only its end is known: its offset tells nothing unless it changes.
            return Answer(run, judged=True, drift=_moved(self.offsets[-10:]) > tolerance_ms)
        beyond = offset is not None and abs(offset) > tolerance_ms
        drifting = _drifts(self.offsets[-10:], tolerance_ms)
        return Answer(run, judged=True, drift=beyond or drifting)

    # -- durations

    def _average(self) -> float | None:
        last = self.ordinary[-50:]
        return sum(last) / len(last) if len(last) >= 3 else None

    def _is_anomaly(self, duration: int) -> str | None:
        average = self._average()
        if average is not None and duration > self.settings.anomaly_factor * average:
            return "long"
        if average is not None and average >= 10_000 and duration < average / 10:
            return "short"
        return None

    def _judge(self, duration: int) -> str | None:
        kind = self._is_anomaly(duration)
        self.ordinary.append(duration)
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
        self.told.append(EventKind.RESOLVED)
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
            self.told.append(EventKind.RESOLVED)
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
            run.seen_at = run.heard_at = now
        self._start_afresh()


def _start_of(run: SlowRun) -> datetime:
    assert run.started_at is not None
    return run.started_at


def _arrival_of(run: SlowRun) -> datetime:
    assert run.arrived_at is not None
    return run.arrived_at


def _before(one: datetime | None, other: datetime) -> bool:
    return one is not None and one < other


def _ms(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)


def _moved(offsets: list[int]) -> float:
    return abs(sorted(offsets[5:])[2] - sorted(offsets[:5])[2]) if len(offsets) == 10 else 0


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
    return (ups >= 8 or downs >= 8) and _moved(offsets) > tolerance_ms / 2
