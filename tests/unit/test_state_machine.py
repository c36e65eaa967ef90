"""The rules under arbitrary sequences of signals, looks and changes, against `slow_model.py`."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chalicelib.domain.monitor import on_request
from chalicelib.domain.monitor.cron import Cron, OpenRun, Settings, Status
from chalicelib.domain.monitor.deadlines import due_at, effective_grace, tolerance_of
from chalicelib.domain.monitor.decision import Decision
from chalicelib.domain.monitor.event import Event, EventKind
from chalicelib.domain.monitor.on_tick import evaluate
from chalicelib.domain.monitor.signal import Signal, SignalKind
from chalicelib.domain.runs.anomaly import AnomalyKind
from chalicelib.domain.runs.run import RunStatus
from chalicelib.store.cron_codec import to_cron, to_item
from chalicelib.store.tables import CronItem
from tests.unit.slow_model import TOLD_AS, Answer, SlowCron
from tests.unit.watched import Watched

MS = timedelta(milliseconds=1)
SECOND = timedelta(seconds=1)
FINISHES = (SignalKind.SUCCESS, SignalKind.FAIL)
UPS_AND_DOWNS = (
    *TOLD_AS.values(),
    EventKind.RECOVERED,
    EventKind.RESOLVED,
    EventKind.FLAPPING,
    EventKind.REMINDER,
)
DOWN_OR_UP = {
    **dict.fromkeys(TOLD_AS.values(), Status.DOWN),
    EventKind.REMINDER: Status.DOWN,
    EventKind.RECOVERED: Status.UP,
}
GIVEN_UP = (RunStatus.TIMEOUT, RunStatus.ABANDONED)

MOMENTS = [
    datetime(2026, 6, 15, 9, 58, 30, 250_000, tzinfo=UTC),
    datetime(2026, 3, 29, 0, 30, tzinfo=UTC),  # Berlin springs forward at 01:00 UTC
    datetime(2026, 10, 25, 0, 15, tzinfo=UTC),  # Berlin falls back at 01:00 UTC
    datetime(2026, 11, 1, 4, 50, tzinfo=UTC),  # New York falls back at 06:00 UTC
    datetime(2026, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC),
]
SCHEDULES = [
    "* * * * *",
    "*/5 * * * *",
    "*/7 * * * *",
    "0 * * * *",
    "0,1 10 * * *",
    "30 2 * * *",
    "0 9,10,17 * * 1-5",
    "*/30 1-3 * * *",
    "0 0 1 * *",
    "@every 30s",
    "@every 10m",
    "@every 1d",
    None,
]
KEYS = ["a", "b", "c"]
SHIFTS = [-70_000, -60_000, -6_000, -1, 0, 1, 999, 6_000, 29_999, 30_000, 60_000, 180_000, 900_000]


def span(most: timedelta) -> st.SearchStrategy[timedelta]:
    return st.integers(0, most // MS).map(lambda ms: ms * MS)


def usually_none(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), st.none(), values)


SETTINGS = st.builds(
    Settings,
    schedule=st.sampled_from(SCHEDULES),
    timezone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"]),
    grace_seconds=usually_none(st.sampled_from([0, 1, 45, 300, 7200])),
    max_runtime_seconds=usually_none(st.sampled_from([1, 90, 3600])),
    anomaly_factor=st.sampled_from([3.0, 1.1, 2.5]),
    failure_tolerance=st.sampled_from([0, 0, 1, 3]),
    recovery_threshold=st.sampled_from([1, 1, 2, 3]),
    description=st.sampled_from(["", "Löscht, was alt ist"]),
    tags=st.sampled_from([(), ("nightly", "db")]),
    sla_target=st.sampled_from([99.0, 0.0, 99.95]),
    reminder_seconds=st.sampled_from([None, None, 600]),
    project_id=st.sampled_from([None, "p1"]),
    resumes_on_signal=st.sampled_from([False, False, True]),
)


def ceil_ms(at: datetime) -> datetime:
    down = at.replace(microsecond=at.microsecond // 1000 * 1000)
    return down if down == at else down + MS


def stored_and_loaded(cron: Cron) -> Cron:
    """Through the very form in which the store keeps it."""
    return to_cron(CronItem.from_raw_data(to_item(cron).serialize()))


class CronUnderWatch(RuleBasedStateMachine):
    """`watched` is moved by the domain's rules, `slow` by the model's."""

    watched: Watched
    slow: SlowCron
    now: datetime

    @initialize(settings=SETTINGS, now=st.sampled_from(MOMENTS))
    def register(self, settings: Settings, now: datetime) -> None:
        self.now = now
        self.watched = Watched(now, **settings._asdict())
        self.slow = SlowCron(settings, now)

    @property
    def cron(self) -> Cron:
        return self.watched.cron

    # -- the clock

    def look(self) -> Decision:
        decision = self.watched.look(self.now)
        self.slow.tick(self.now)
        due = due_at(self.cron)
        assert due is None or due > self.now, "a cron that was looked at is not due again at once"
        return decision

    @precondition(lambda self: due_at(self.cron) is not None)
    @rule()
    def look_when_due(self) -> None:
        due = due_at(self.cron)
        assert due is not None
        self.now = max(self.now, ceil_ms(due))
        before = self.cron
        self.look()
        assert self.cron != before, "no cron is looked at for nothing"

    @rule(pause=span(timedelta(minutes=20)))
    def look_late_or_for_nothing(self, pause: timedelta) -> None:
        self.now += pause
        self.look()

    @rule()
    def look_twice(self) -> None:
        self.look()
        decision = evaluate(self.cron, self.now)
        assert decision == Decision(self.cron), "a second look sees nothing new"

    @rule(pause=span(timedelta(minutes=3)))
    def time_passes(self, pause: timedelta) -> None:
        self.now += pause

    @precondition(lambda self: self.cron.expected_at is not None)
    @rule(periods=st.sampled_from([0, 0, 0, 1, 2, 5]), shift=st.sampled_from(SHIFTS))
    def time_passes_to_about_an_occurrence(self, periods: int, shift: int) -> None:
        at = self.cron.expected_at
        for _ in range(periods):
            at = at and self.watched.following(at)
        if at is not None:
            self.now = max(self.now, at + shift * MS)

    @precondition(lambda self: self.cron.expected_at is not None)
    @rule(periods=st.sampled_from([20, 79, 80, 81, 120]))
    def a_long_time_passes(self, periods: int) -> None:
        assert self.cron.expected_at is not None
        following = self.watched.following(self.cron.expected_at)
        if following is not None:
            step = min(following - self.cron.expected_at, timedelta(hours=6))
            self.now += periods * step

    @rule()
    def a_quiet_quarter_of_an_hour(self) -> None:
        """Whatever came before, the last that people heard is true once things are quiet."""
        self.now += timedelta(minutes=15)
        self.look()
        changed_now = self.cron.noise.changes[-1:] == (self.now,)
        if self.cron.status is not Status.PAUSED and not changed_now:
            heard = [DOWN_OR_UP[event.stands_for or event.kind] for event in self.events_about_state()]
            assert (heard[-1:] == [Status.DOWN]) == (self.cron.status is Status.DOWN)

    def events_about_state(self) -> list[Event]:
        return [event for event in self.watched.events if (event.stands_for or event.kind) in DOWN_OR_UP]

    # -- signals

    def send(self, signal: Signal) -> None:
        decision = self.watched.send(signal, self.now)
        expected = self.slow.signal(signal, self.now)
        assert decision.run is not None
        expected.run.id = expected.run.id or decision.run.id
        self.compare_answer(decision, expected)
        if signal.kind in FINISHES:
            self.replaying_a_finish_changes_nothing(signal, decision.run.id)

    def replaying_a_finish_changes_nothing(self, signal: Signal, run_id: str) -> None:
        """Under the caller's own id of the run, and under the one that the answer gave."""
        for key in {signal.run_key, run_id} - {None}:
            replay = self.watched.decide(signal._replace(run_key=key), self.now)
            assert replay == Decision(self.cron, run=replay.run, anomaly=replay.anomaly, replay=True)
            assert replay.run is not None
            assert replay.run.id == run_id

    def compare_answer(self, decision: Decision, expected: Answer) -> None:
        run, slow = decision.run, expected.run
        assert run is not None
        assert run.id == slow.id
        assert decision.replay == expected.replay
        assert run.status == slow.status
        assert run.started_at == slow.started_at
        assert run.finished_at == slow.finished_at
        assert run.scheduled_at == slow.slot_at
        if not expected.judged:
            return
        assert run.duration_ms == slow.duration_ms
        assert run.offset_ms == slow.offset_ms
        assert run.late == slow.late
        if expected.anomaly is None and decision.anomaly is not None:
            # Judged by its last three runs together: test_judgement.py.
            assert (decision.anomaly.kind, decision.anomaly.alerted) == (AnomalyKind.SHORT, True)
        else:
            assert (decision.anomaly.kind.value if decision.anomaly else None) == expected.anomaly
        assert (decision.drift is not None) == expected.drift

    @rule(key=usually_none(st.sampled_from(KEYS)), ago=usually_none(span(timedelta(hours=2))))
    def a_job_starts(self, key: str | None, ago: timedelta | None) -> None:
        started_at = None if ago is None else self.now - ago
        self.send(Signal(SignalKind.START, key, started_at=started_at))

    @rule(kind=st.sampled_from([SignalKind.START, SignalKind.SUCCESS]), ahead=span(timedelta(minutes=5)))
    def a_host_whose_clock_is_ahead(self, kind: SignalKind, ahead: timedelta) -> None:
        self.send(Signal(kind, started_at=self.now + ahead))

    @rule(
        good=st.booleans(),
        key=usually_none(st.sampled_from(KEYS)),
        duration=usually_none(st.sampled_from([0, 10, 900, 1_000, 3_001, 20_000, 61_000, 7_200_000])),
        ago=usually_none(span(timedelta(hours=30))),
    )
    def a_job_ends(self, good: bool, key: str | None, duration: int | None, ago: timedelta | None) -> None:
        kind = SignalKind.SUCCESS if good else SignalKind.FAIL
        finished_at = None if ago is None else self.now - ago
        self.send(Signal(kind, key, duration_ms=duration, finished_at=finished_at))

    @rule(
        took=st.sampled_from([0, 1, 100, 1_000, 10_000, 12_000, 36_001]), good=st.sampled_from([True, True, False])
    )
    def a_job_runs(self, took: int, good: bool) -> None:
        self.send(Signal(SignalKind.START))
        self.now += took * MS
        self.send(Signal(SignalKind.SUCCESS if good else SignalKind.FAIL))

    @precondition(lambda self: self.cron.open_runs)
    @rule(data=st.data(), good=st.booleans())
    def an_open_run_ends_by_its_id(self, data: st.DataObject, good: bool) -> None:
        run: OpenRun = data.draw(st.sampled_from(self.cron.open_runs))
        self.send(Signal(SignalKind.SUCCESS if good else SignalKind.FAIL, run.id))

    @precondition(lambda self: any(run.status in GIVEN_UP for run in self.watched.runs.values()))
    @rule(data=st.data(), good=st.booleans())
    def a_run_given_up_ends_after_all(self, data: st.DataObject, good: bool) -> None:
        given_up = [run.id for run in self.watched.runs.values() if run.status in GIVEN_UP]
        run_id = data.draw(st.sampled_from(given_up))
        self.send(Signal(SignalKind.SUCCESS if good else SignalKind.FAIL, run_id))

    @rule(number=st.integers(1, 23))
    def many_runs_overlap(self, number: int) -> None:
        for place in range(number):
            self.now += MS
            self.send(Signal(SignalKind.START, message=f"run {place}"))

    @rule(key=usually_none(st.sampled_from(KEYS)))
    def a_job_says_that_it_is_running(self, key: str | None) -> None:
        self.send(Signal(SignalKind.RUNNING, key))

    @rule(key=usually_none(st.sampled_from(KEYS)))
    def a_job_logs(self, key: str | None) -> None:
        self.send(Signal(SignalKind.LOG, key, message="three rows"))

    # -- people

    @precondition(lambda self: self.cron.incident is not None)
    @rule()
    def resolve_by_hand(self) -> None:
        self.watched.resolve(self.now)
        self.slow.resolve(self.now)

    @precondition(lambda self: self.cron.status is not Status.PAUSED)
    @rule()
    def pause(self) -> None:
        self.watched.commit(on_request.pause(self.cron, self.now))
        self.slow.pause(self.now)

    @precondition(lambda self: self.cron.status is Status.PAUSED)
    @rule()
    def resume(self) -> None:
        self.watched.commit(on_request.resume(self.cron, self.now))
        self.slow.resume(self.now)

    @rule(settings=SETTINGS, same_times=st.booleans())
    def change(self, settings: Settings, same_times: bool) -> None:
        if same_times:
            old = self.cron.settings
            settings = settings._replace(schedule=old.schedule, timezone=old.timezone)
        self.watched.commit(on_request.change(self.cron, settings, self.now))
        self.slow.change(settings, self.now)

    # -- what always holds

    @invariant()
    def stands_as_the_model_says(self) -> None:
        cron, slow = self.cron, self.slow
        assert cron.status == slow.status
        assert cron.reason == slow.down
        assert cron.expected_at == slow.expected_at
        assert cron.late_alerted == slow.late_alerted
        assert {run.id for run in cron.open_runs} == {run.id for run in slow.open}
        # When a run is called overrunning is tested in test_judgement.py.
        told = tuple(run._replace(overran=True) for run in cron.open_runs)
        assert due_at(cron._replace(open_runs=told)) == slow.due_at()
        if cron.status in (Status.NEW, Status.UP):  # else nobody asks
            assert cron.failure_streak == slow.failure_streak
        assert cron.success_streak == slow.success_streak

    @invariant()
    def every_missed_occurrence_is_recorded_exactly_once(self) -> None:
        assert sorted(self.watched.missed) == sorted(set(self.watched.missed))
        assert self.watched.missed == self.slow.missed()

    @invariant()
    def one_incident_is_open_while_down_and_none_else(self) -> None:
        resolved = [one for one in self.watched.incidents.values() if one.resolved_at is not None]
        open_ones = [one for one in self.watched.incidents.values() if one.resolved_at is None]
        assert len(open_ones) == (self.cron.status is Status.DOWN)
        assert len(resolved) == self.slow.resolved
        assert len(self.watched.incidents) == self.slow.opened
        assert (self.cron.incident is not None) == bool(open_ones)
        for one in open_ones:
            assert self.cron.incident is not None
            assert one.id == self.cron.incident.id
            assert one.missed == self.cron.incident.missed == self.slow.missed_in_incident

    @invariant()
    def people_are_told_what_the_model_says(self) -> None:
        assert [kind for kind in self.watched.told if kind in UPS_AND_DOWNS] == self.slow.told

    @invariant()
    def at_most_twenty_runs_are_open_and_each_is_recorded_as_running(self) -> None:
        assert len(self.cron.open_runs) <= 20
        running = {run.id for run in self.watched.runs.values() if run.status is RunStatus.RUNNING}
        assert running == {run.id for run in self.cron.open_runs}

    @invariant()
    def any_state_comes_back_from_the_store_as_it_was(self) -> None:
        assert stored_and_loaded(self.cron) == self.cron


TestCronUnderWatch = CronUnderWatch.TestCase
TestCronUnderWatch.settings = settings(derandomize=True, deadline=None, max_examples=100, stateful_step_count=40)


def arrivals(watched: Watched, occurrence: datetime) -> st.SearchStrategy[datetime]:
    """When the run of an occurrence may begin to be in time: neither too early nor late."""
    following = watched.following(occurrence)
    assert following is not None
    early = min((following - occurrence) / 10, timedelta(minutes=1))
    expecting = watched.cron._replace(expected_at=occurrence)
    grace = effective_grace(expecting)
    assert grace is not None
    late = min(tolerance_of(expecting), grace, following - occurrence - early)
    return st.integers(-(early // MS), late // MS - 1).map(lambda ms: occurrence + ms * MS)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(
    data=st.data(),
    wanted=SETTINGS.filter(lambda one: one.schedule is not None),
    since=st.sampled_from(MOMENTS),
    took_ms=st.integers(0, 80_000),
)
def test_no_healthy_cron_is_ever_due(data: st.DataObject, wanted: Settings, since: datetime, took_ms: int) -> None:
    if wanted.max_runtime_seconds is not None:
        took_ms = min(took_ms, wanted.max_runtime_seconds * 1000 - 1)
    watched = Watched(since, **wanted._asdict())
    running: list[tuple[datetime, str]] = []
    begins = since

    def send_in_time(kind: SignalKind, key: str, now: datetime) -> None:
        due = due_at(watched.cron)
        assert due is None or due > now
        watched.send(Signal(kind, key), now)

    for number in range(14):
        occurrence = watched.cron.expected_at
        assert occurrence is not None
        begins = max(begins, data.draw(arrivals(watched, occurrence)))
        while running and running[0][0] <= begins:
            ends, key = running.pop(0)
            send_in_time(SignalKind.SUCCESS, key, ends)
        send_in_time(SignalKind.START, f"run {number}", begins)
        running.append((begins + took_ms * MS, f"run {number}"))

    assert set(watched.told) <= {EventKind.DRIFT}
    assert watched.missed == []
