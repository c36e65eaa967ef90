"""How often a healthy job alerts people about its run times, and what is still found: `make bench-noise`.

Simulated years of healthy jobs, with default settings, drive the rules themselves. It exits with 1 where a shape
makes more than 12 alerts per job-year, or where too little of what is planted is found.
"""

import copy
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import NamedTuple

from chalicelib.domain.ids import cron_id
from chalicelib.domain.monitor.context import RECENT_DAYS, Context
from chalicelib.domain.monitor.cron import Cron, Settings
from chalicelib.domain.monitor.deadlines import due_at
from chalicelib.domain.monitor.decision import Decision
from chalicelib.domain.monitor.event import EventKind
from chalicelib.domain.monitor.on_request import CronNames, create
from chalicelib.domain.monitor.on_signal import apply
from chalicelib.domain.monitor.on_tick import evaluate
from chalicelib.domain.monitor.signal import Received, Signal, SignalKind
from chalicelib.domain.runs.counts import Counts, DailyCounts, sum_counts
from chalicelib.domain.times import DAY, HOUR, MILLISECOND, MINUTE

MOST_ALERTS = 12
LEAST_FOUND = 0.85
NOISE = (EventKind.ANOMALY, EventKind.OVERRUNNING, EventKind.DRIFT, EventKind.ON_SCHEDULE, EventKind.LATE)
# Beyond the question here, but nothing that a healthy job should make either.
FALSE = (EventKind.TIMEOUT, EventKind.MISSED, EventKind.FAILED)
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
ORG = "0123456789ab"
SEEDS = range(2)
SPIKES = 60

Durations = Callable[[random.Random, datetime], float]


class Shape(NamedTuple):
    """A healthy job."""

    name: str
    schedule: str
    #: Seconds that a run takes.
    takes: Durations
    #: Seconds after its occurrence at which a run begins.
    begins: Durations = lambda rng, _: rng.uniform(0, 2)
    style: str = "start"
    #: Whether planted spikes of ten times the duration must be found.
    spikes: bool = False


def log_normal(sigma: float, usual: float = 60) -> Durations:
    return lambda rng, _: usual * rng.lognormvariate(0, sigma)


def some(share: float, long: float = 120, short: float = 1) -> Durations:
    return lambda rng, _: (long if rng.random() < share else short) * rng.lognormvariate(0, 0.2)


def _times(number: float, when: Callable[[datetime], bool]) -> Durations:
    return lambda rng, at: 60 * rng.lognormvariate(0, 0.1) * (number if when(at) else 1)


def _growing(rng: random.Random, at: datetime) -> float:
    return 60 * (1 + 3 * ((at - SINCE) / (400 * DAY))) * rng.lognormvariate(0, 0.2)


HOURLY, DAILY = "0 * * * *", "0 2 * * *"
_DURATIONS: tuple[tuple[str, Durations, bool], ...] = (
    ("log-normal 0.3", log_normal(0.3), True),
    ("log-normal 0.5", log_normal(0.5), True),
    ("log-normal 0.7", log_normal(0.7), False),
    ("log-normal 1.0", log_normal(1.0), False),
    ("weekly full backup, 6 ×", _times(6, lambda at: at.weekday() == 6 and at.hour == 2), True),
    ("monthly report, 10 ×", _times(10, lambda at: at.day == 1 and at.hour == 2), False),
    ("queue, work in 5%", some(0.05), False),
    ("queue, work in 30%", some(0.3), False),
    ("night 5 × day", _times(5, lambda at: at.hour < 6), False),
    ("Pareto 1.5", lambda rng, _: 20 * rng.paretovariate(1.5), False),
    ("growing data", _growing, False),
    ("idle at weekends", _times(0.1, lambda at: at.weekday() >= 5), False),
)
SHAPES = [
    *(Shape(f"hourly, {name}", HOURLY, takes, spikes=spikes) for name, takes, spikes in _DURATIONS),
    *(Shape(f"daily, {name}", DAILY, takes, spikes=spikes) for name, takes, spikes in _DURATIONS),
    *(
        Shape(f"hourly heartbeat, {name}", HOURLY, takes, style="heartbeat")
        for name, takes in (("log-normal 0.5", log_normal(0.5, 20)), ("log-normal 0.7", log_normal(0.7, 10)))
    ),
    Shape("daily, 20 min, pings at its end", DAILY, log_normal(0.1, 1200), style="end"),
    Shape("hourly, 200 s late", HOURLY, log_normal(0.2), lambda rng, _: 200 + rng.uniform(-5, 5)),
    Shape("minutely, 35 s late", "* * * * *", log_normal(0.2, 5), lambda rng, _: 35 + rng.uniform(-2, 2)),
    Shape("daily, random delay of 30 min", DAILY, log_normal(0.2), lambda rng, _: rng.uniform(0, 1800)),
]


class Book:
    """Keeps one cron and its daily counts, as the store would."""

    def __init__(self, schedule: str) -> None:
        self.cron: Cron = create(cron_id(ORG, bytes(10)), CronNames("a", "b", "c"), Settings(schedule), SINCE)
        self.days: dict[date, Counts] = {}
        self.told: list[tuple[datetime, EventKind]] = []
        self.loads = 0

    def copy(self) -> "Book":
        copied = copy.copy(self)
        copied.days, copied.told = dict(self.days), list(self.told)
        return copied

    def signal(self, signal: Signal, at: datetime, number: int) -> None:
        received = Received(signal, at, number.to_bytes(10, "big"))
        self._decide(lambda context: apply(self.cron, received, context))

    def tick_until(self, end: datetime) -> None:
        """The clock ticks at full minutes, and looks at the cron when it is due."""
        while (due := due_at(self.cron)) is not None and due < end:
            tick = due + (-(due - SINCE) % MINUTE)
            if tick >= end:
                return
            self._decide(lambda context, tick=tick: evaluate(self.cron, tick, context))  # type: ignore[misc]

    def _decide(self, decide: Callable[[Context], Decision]) -> None:
        context = Context((), (), ())
        decision = decide(context)
        if decision.not_loaded.recent_days:
            self.loads += 1
            decision = decide(context._replace(recent_days=self._recent_days()))
        self.cron = decision.cron
        self.told += [(event.at, event.kind) for event in decision.events]
        for day, counts in (*decision.finished_days, *decision.past_days):
            self.days[day] = sum_counts([self.days.get(day, Counts()), counts])

    def _recent_days(self) -> tuple[DailyCounts, ...]:
        return tuple(DailyCounts(day, counts) for day, counts in list(self.days.items())[-RECENT_DAYS:])


class Report(NamedTuple):
    name: str
    first_year: Counter[EventKind]
    second_year: Counter[EventKind]
    spikes: int
    found: int
    loads: int


def runs_of(shape: Shape, rng: random.Random, days: int) -> Iterator[tuple[datetime, float, float]]:
    """The occurrences, with how late each run begins and how long it takes."""
    step = {HOURLY: HOUR, DAILY: DAY}.get(shape.schedule, MINUTE)
    at = SINCE + (2 * HOUR if step is DAY else step)
    while at < SINCE + days * DAY:
        yield at, shape.begins(rng, at), shape.takes(rng, at)
        at += step


def run(book: Book, shape: Shape, number: int, at: datetime, seconds: float) -> None:
    """One run as a job of this style reports it."""
    end = at + round(seconds * 1000) * MILLISECOND
    book.tick_until(at)
    if shape.style == "start":
        book.signal(Signal(SignalKind.START), at, 2 * number)
    book.tick_until(end)
    duration = round(seconds * 1000) if shape.style == "heartbeat" else None
    book.signal(Signal(SignalKind.SUCCESS, duration_ms=duration), end, 2 * number + 1)


def simulate(shape: Shape, seed: int) -> Report:
    """Two years of a healthy job, and then spikes, one every few days."""
    rng, book = random.Random(f"{shape.name} {seed}"), Book(shape.schedule)
    days = 120 if shape.schedule == "* * * * *" else 730
    number = 0
    for number, (at, late, seconds) in enumerate(runs_of(shape, rng, days)):
        run(book, shape, number, at + late * timedelta(seconds=1), seconds)
    half = SINCE + days * DAY / 2
    first = Counter(kind for at, kind in book.told if at < half)
    second = Counter(kind for at, kind in book.told if at >= half)
    loads = book.loads
    found = _plant(book, shape, rng, number) if shape.spikes else 0
    return Report(shape.name, first, second, SPIKES * shape.spikes, found, loads)


def _plant(book: Book, shape: Shape, rng: random.Random, number: int) -> int:
    """Plants single spikes, each into a copy of the job as it was; returns how many were told."""
    found, gap = 0, 60 if shape.schedule == HOURLY else 5
    runs = islice(runs_of(shape, rng, 3000), number + 1, None)
    for place, (at, late, seconds) in enumerate(islice(runs, gap * SPIKES)):
        begins = at + late * timedelta(seconds=1)
        if place % gap == gap - 1:
            spiked = book.copy()
            run(spiked, shape, number + 1 + place, begins, seconds * 10)
            kinds = {kind for _, kind in spiked.told[len(book.told) :]}
            found += bool(kinds & {EventKind.ANOMALY, EventKind.OVERRUNNING, EventKind.TIMEOUT})
        run(book, shape, number + 1 + place, begins, seconds)
    return found


class Part(NamedTuple):
    """A job that from some run on does only a third of its work."""

    name: str
    found_after: list[int | None]
    false: int


def simulate_part(name: str, schedule: str, sigma: float) -> Part:
    shape = Shape(name, schedule, log_normal(sigma, 600))
    found_after: list[int | None] = []
    false = 0
    for seed in SEEDS:
        rng, book = random.Random(f"{name} {seed}"), Book(schedule)
        runs = list(runs_of(shape, rng, 200))
        for number, (at, late, seconds) in enumerate(runs[:-10]):
            run(book, shape, number, at + late * timedelta(seconds=1), seconds)
        false += sum(kind is EventKind.ANOMALY for _, kind in book.told)
        found: int | None = None
        for place, (at, late, seconds) in enumerate(runs[-10:], 1):
            before = len(book.told)
            run(book, shape, len(runs) + place, at + late * timedelta(seconds=1), seconds * 0.35)
            if found is None and any(kind is EventKind.ANOMALY for _, kind in book.told[before:]):
                found = place
        found_after.append(found)
    return Part(name, found_after, false)


def _one(task: tuple[int, int]) -> Report:
    return simulate(SHAPES[task[0]], task[1])


def main() -> int:
    print(
        f"{'alerts per healthy job-year':36}{'1st year':>10}{'2nd year':>10}{'false down':>12}{'spikes found':>14}"
    )
    is_wrong = False
    with ProcessPoolExecutor() as pool:
        tasks = [(place, seed) for place in range(len(SHAPES)) for seed in SEEDS]
        reports = list(pool.map(_one, tasks))
    for place, shape in enumerate(SHAPES):
        ours = reports[place * len(SEEDS) : (place + 1) * len(SEEDS)]
        scale = (365 / 60 if shape.schedule == "* * * * *" else 1) / len(SEEDS)
        first, second = (
            scale * sum(counts[kind] for counts in column for kind in NOISE)
            for column in ([one.first_year for one in ours], [one.second_year for one in ours])
        )
        false = scale / 2 * sum((one.first_year + one.second_year)[kind] for one in ours for kind in FALSE)
        spikes, found = sum(one.spikes for one in ours), sum(one.found for one in ours)
        share = f"{found / spikes:.0%}" if spikes else ""
        is_wrong |= max(first, second) > MOST_ALERTS or (spikes > 0 and found / spikes < LEAST_FOUND)
        print(f"{shape.name:36}{first:10.1f}{second:10.1f}{false:12.1f}{share:>14}")
    for name, schedule, sigma in (("hourly", HOURLY, 0.1), ("daily", DAILY, 0.1), ("hourly", HOURLY, 0.3)):
        part = simulate_part(f"{name}, sigma {sigma}, 35% of its length", schedule, sigma)
        is_wrong |= any(found is None or found > 3 for found in part.found_after) or part.false > len(SEEDS)
        print(f"{part.name:36} found after {part.found_after} runs, {part.false} false in {200 * len(SEEDS)} days")
    return int(is_wrong)


if __name__ == "__main__":
    sys.exit(main())
