"""Rollups say what the records of single runs say, whatever happened in between."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.monitor import on_request
from chalicelib.domain.monitor.blackout import Blackout
from chalicelib.domain.monitor.context import Context
from chalicelib.domain.monitor.cron import Cron, Settings, Status
from chalicelib.domain.monitor.maintenance import MaintenanceWindow
from chalicelib.domain.monitor.on_signal import apply
from chalicelib.domain.monitor.on_tick import evaluate
from chalicelib.domain.monitor.signal import Received, Signal, SignalKind
from chalicelib.domain.runs.counts import counts_of, outcome_of, sum_counts, sum_of_outcomes
from chalicelib.domain.runs.run import Excuse, Run, RunStatus
from chalicelib.domain.schedule.schedule import CronSchedule, parse_schedule
from tests.unit.book import Book, at

START = at("2026-03-28T12:00:00")
ORG, CRON = "0123456789ab", "01234567-89ab-8000-8000-000000000001"
SCHEDULES = ["0 2 * * *", "30 */6 * * *", "*/45 * * * *", "0 0 * * *", "59 23 * * 1-5", "@every 7h", None]
Step = tuple[str, int, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["start", "success", "fail", "late finish", "tick", "pause", "resume", "lone"]),
        st.integers(0, 60 * 30),
        st.integers(0, 7),
    ),
    max_size=40,
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.sampled_from(SCHEDULES),
    st.sampled_from([None, 3600]),
    st.sampled_from([None, "maintenance", "dependency", "gaps"]),
    STEPS,
)
def test_every_figure_is_what_the_run_records_add_up_to(
    schedule: str | None, max_runtime: int | None, context: str | None, steps: list[Step]
) -> None:
    settings_ = Settings(schedule, "Europe/Paris", max_runtime_seconds=max_runtime)
    cron = on_request.create(CRON, on_request.CronNames("shop", "nightly", "backup"), settings_, START)
    book = _lived(Book(cron._replace(depends_on=("other",))), _surroundings(context), steps)

    assert {day: counts.numbers for day, counts in book.days().items()} == _recounted(book)
    assert _durations(book) == sorted(
        run.duration_ms
        for run in book.runs.values()
        if run.status in (RunStatus.SUCCESS, RunStatus.TIMEOUT) and run.duration_ms is not None
    )


_RUNS = st.builds(
    Run,
    st.just(CRON),
    st.just("run"),
    st.sampled_from(list(RunStatus)),
    scheduled_at=st.sampled_from([None, START]),
    occurrences=st.integers(1, 3),
    duration_ms=st.none() | st.integers(0, 90_000),
    late=st.booleans(),
    excused=st.none() | st.sampled_from(list(Excuse)),
)


@given(st.lists(_RUNS, max_size=30))
def test_many_runs_add_up_to_what_each_adds(runs: list[Run]) -> None:
    assert sum_of_outcomes(map(outcome_of, runs)) == sum_counts(counts_of(run) for run in runs)


def _surroundings(kind: str | None) -> Context:
    windows = MaintenanceWindow(ORG, "w", "nights", START, schedule="0 0 * * *", duration_minutes=360)
    other = on_request.create("other", on_request.CronNames("shop", "nightly", "other"), Settings(), START)
    down = other._replace(status=Status.UP, blamed_on="an incident")
    return Context(
        (windows,) if kind == "maintenance" else (),
        (down,) if kind == "dependency" else (),
        _NIGHTS_UNSEEN if kind == "gaps" else (),
    )


# Nobody looks from midnight to six.
_NIGHTS_UNSEEN = tuple(
    Blackout(START + timedelta(days=day, hours=12), START + timedelta(days=day, hours=18)) for day in range(60)
)


def _lived(book: Book, context: Context, steps: list[Step]) -> Book:
    now, numbers = START, count(1)
    keys: list[str] = []
    for what, minutes, choice in steps:
        now += timedelta(minutes=minutes)
        random = next(numbers).to_bytes(10, "big")
        key = keys[-1 - choice % len(keys)] if keys else "none"
        if what == "start":
            keys.append(f"run {len(keys)}")
            key = keys[-1]
        _STEPS[what](book, now, random, key, _known_at(now, context))
    now += timedelta(days=2)
    book.commit(evaluate(book.cron, now, _known_at(now, context)))
    return book


def _known_at(now: datetime, context: Context) -> Context:
    return context._replace(blackouts=tuple(one for one in context.blackouts or () if one.until <= now))


def _signal(kind: SignalKind, key: bool, late: bool = False) -> Callable[..., None]:
    def send(book: Book, now: datetime, random: bytes, run_key: str, context: Context) -> None:
        sent = Signal(kind, run_key if key else None, finished_at=now - timedelta(hours=30) if late else None)
        if late and sent.finished_at is not None and sent.finished_at < START:
            sent = sent._replace(finished_at=None)
        is_open = any(run.answers_to(run_key) for run in book.cron.open_runs)
        known = book.find(sent.run_key) if sent.run_key and not is_open else None
        if known is not None and known.status is RunStatus.BLOCKED:
            known = None
        book.commit(apply(book.cron, Received(sent, now, random, known), context))

    return send


def _tick(book: Book, now: datetime, _random: bytes, _key: str, context: Context) -> None:
    book.commit(evaluate(book.cron, now, context))


def _pause(book: Book, now: datetime, *_: object) -> None:
    if book.cron.status is not Status.PAUSED:
        book.commit(on_request.pause(book.cron, now))


def _resume(book: Book, now: datetime, *_: object) -> None:
    if book.cron.status is Status.PAUSED:
        book.commit(on_request.resume(book.cron, now))


_STEPS: dict[str, Callable[..., None]] = {
    "start": _signal(SignalKind.START, key=True),
    "success": _signal(SignalKind.SUCCESS, key=True),
    "fail": _signal(SignalKind.FAIL, key=True),
    "late finish": _signal(SignalKind.SUCCESS, key=False, late=True),
    "lone": _signal(SignalKind.SUCCESS, key=False),
    "tick": _tick,
    "pause": _pause,
    "resume": _resume,
}


def _recounted(book: Book) -> dict[date, tuple[int, ...]]:
    """Each record on its day, each occurrence of an aggregated one on its own."""
    days: dict[date, list[int]] = {}
    for run in book.runs.values():
        for moment in _moments(book.cron, run):
            counts = _counts(run)
            if any(counts):
                sums = days.setdefault(moment.date(), [0] * len(counts))
                days[moment.date()] = [a + b for a, b in zip(sums, counts, strict=True)]
    return {day: tuple(counts) for day, counts in days.items()}


def _moments(cron: Cron, run: Run) -> list[datetime]:
    if run.scheduled_until is None:
        moment = run.scheduled_at or run.started_at or run.finished_at
        assert moment is not None
        return [moment]
    assert run.scheduled_at is not None
    if cron.settings.schedule == "@every 7h":
        return [run.scheduled_at + i * timedelta(hours=7) for i in range(run.occurrences)]
    schedule = parse_schedule(str(cron.settings.schedule), cron.settings.timezone)
    assert isinstance(schedule, CronSchedule)
    found = [run.scheduled_at]
    while len(found) < run.occurrences:
        following = schedule.next(found[-1])
        assert following is not None
        found.append(following)
    assert found[-1] == run.scheduled_until
    return found


def _counts(run: Run) -> list[int]:
    """expected, met, missed, excused, runs, ok, failed, timed out, late"""
    status, scheduled = run.status, int(run.scheduled_at is not None)
    ended = int(status in {RunStatus.SUCCESS, RunStatus.FAILED, RunStatus.TIMEOUT, RunStatus.ABANDONED})
    skipped = int(status is RunStatus.PAUSED or (status is RunStatus.UNKNOWN and scheduled))
    missed = int(status is RunStatus.MISSED)
    ok = int(status is RunStatus.SUCCESS)
    return [
        scheduled * (ended or missed or skipped),
        scheduled * ok,
        missed,
        skipped or scheduled * (ended or missed) * (not ok) * int(run.excused is not None),
        ended,
        ok,
        int(status is RunStatus.FAILED),
        int(status is RunStatus.TIMEOUT),
        ended * int(run.late),
    ]


def _durations(book: Book) -> list[int]:
    """Counts and extremes of the days' durations, as one list to compare: checked by sum and number."""
    runs = [
        run.duration_ms
        for run in book.runs.values()
        if run.status in (RunStatus.SUCCESS, RunStatus.TIMEOUT) and run.duration_ms is not None
    ]
    parts = [counts.durations for counts in book.days().values() if counts.durations.runs]
    assert sum(part.runs for part in parts) == len(runs)
    assert sum(part.sum_ms for part in parts) == sum(runs)
    if runs:
        assert min(part.min_ms for part in parts) == min(runs)
        assert max(part.max_ms for part in parts) == max(runs)
    return sorted(runs)


def test_a_long_outage_is_counted_on_each_of_its_days() -> None:
    cron = on_request.create(CRON, on_request.CronNames("a", "b", "c"), Settings("0 * * * *"), START)
    book = Book(cron)

    book.commit(evaluate(cron, START + timedelta(days=10, minutes=30), Context((), (), ())))

    assert sum(counts.missed for counts in book.days().values()) == 240
    assert book.days()[date(2026, 3, 30)].missed == 24
    assert len(book.runs) == 25


def test_an_outage_of_months_fits_a_transaction() -> None:
    cron = on_request.create(CRON, on_request.CronNames("a", "b", "c"), Settings("0 0 * * *"), START)

    decision = evaluate(cron, START + timedelta(days=300), Context((), (), ()))

    assert len(decision.writes) + len(decision.finished_days) <= 95
    counted = [counts.missed for _, counts in decision.finished_days]
    assert decision.cron.today is not None
    assert sum(counted) + decision.cron.today.counts.missed == 300


def test_paused_occurrences_are_excused() -> None:
    cron = on_request.create(CRON, on_request.CronNames("a", "b", "c"), Settings("0 2 * * *"), START)
    paused = on_request.pause(cron, START).cron

    resumed = on_request.resume(paused, START + timedelta(days=3))

    assert [(one.run.status, one.run.occurrences) for one in resumed.writes] == [(RunStatus.PAUSED, 3)]
    assert resumed.cron.today is not None
    assert resumed.cron.today.day == date(2026, 3, 31)
    assert datetime(2026, 4, 1, 2, tzinfo=UTC) == resumed.cron.expected_at


def test_of_a_long_outage_those_inside_a_window_are_excused() -> None:
    cron = on_request.create(CRON, on_request.CronNames("a", "b", "c"), Settings("* * * * *"), START)
    window = MaintenanceWindow(
        ORG, "w", "lunch", START, START + timedelta(minutes=30), START + timedelta(minutes=50)
    )
    book = Book(cron)

    book.commit(evaluate(cron, START + timedelta(hours=5, seconds=30), Context((window,), (), ())))

    assert book.cron.today is not None
    assert book.cron.today.counts.missed == 299  # the last one is still within its grace
    assert book.cron.today.counts.excused == 20
    excused = [(run.scheduled_at, run.occurrences) for run in book.runs.values() if run.excused]
    assert excused == [(START + timedelta(minutes=30), 20)]
