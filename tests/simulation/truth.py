"""What a perfect observer would say of a world: written from the design, not from the code.

It sees the signals that arrive, and knows which run each is about.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from enum import StrEnum

from tests.simulation.world import DAY, HOUR, MINUTE, SECOND, Execution, Job, World

# By the design a run without a limit of its own has three times the longest of the recent ones. How many
# are recent it does not say: any number from the first to the last of these is right.
_RECENT = (3, 60)
_FACTOR = 3
_KNOWN_ENOUGH = 3
FOREVER = 1 << 62


class Verdict(StrEnum):
    MET = "met"
    MISSED = "missed"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    EXCUSED = "excused"
    # Missed in the figures, but nobody is told: a later run came within its grace.
    SUPERSEDED = "superseded"
    # Missed in the figures, but nobody is told: it passed while a run was going on.
    WAITED = "waited"

    @property
    def in_figures(self) -> "Verdict":
        return Verdict.MISSED if self in (Verdict.SUPERSEDED, Verdict.WAITED) else self


@dataclass
class Judged:
    """An occurrence."""

    at: int
    verdict: Verdict
    #: When its verdict is final.
    settled_at: int
    run: Execution | None = None
    #: Where even a perfect observer could not decide, with the reason.
    may_be: frozenset[Verdict] = frozenset()
    reason: str = ""

    @property
    def allowed(self) -> set[Verdict]:
        return {verdict.in_figures for verdict in (self.verdict, *self.may_be)}


@dataclass
class Trouble:
    """Something bad."""

    #: The deadline that was broken, or when the failure was heard of.
    at: int
    kind: Verdict
    occurrence: int | None
    #: From when it has to be told, where the design leaves the deadline open.
    surely_at: int
    #: Why nobody need be told.
    optional: str = ""


@dataclass
class Truth:
    judged: list[Judged] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    #: When successful ends were heard of.
    goods: list[int] = field(default_factory=list)
    ambiguous: dict[str, int] = field(default_factory=dict)


@dataclass
class _Span:
    """A run as it is known to CronHub: open from its start until its end or its time limit."""

    run: Execution
    opened_at: int
    closed_at: int
    earliest_limit: int
    latest_limit: int


def truth_of(world: World, job: Job) -> Truth:
    return _Observer(world, job).truth()


class _Observer:
    def __init__(self, world: World, job: Job) -> None:
        self.world = world
        self.until = world.until
        self.job = job
        self.runs = {run.occurrence: run for run in job.executions if run.occurrence is not None}
        self.spans: list[_Span] = []
        self.found = Truth()

    def truth(self) -> Truth:
        self._follow_runs()
        for index, occurrence in enumerate(self.job.occurrences[:-1]):
            if occurrence < self.until:
                self._judge(index, occurrence)
        self.found.judged.sort(key=lambda judged: judged.at)
        for trouble in self.found.troubles:
            self._delay(trouble)
        self.found.troubles.sort(key=lambda trouble: trouble.at)
        self.found.goods.sort()
        for judged in self.found.judged:
            if judged.reason:
                self.found.ambiguous[judged.reason] = self.found.ambiguous.get(judged.reason, 0) + 1
        return self.found

    def _delay(self, trouble: Trouble) -> None:
        """In maintenance it is told at its end, if it is still so; without ticks, with the next one."""
        window = self.world.window_at(trouble.at) or self.world.window_at(trouble.surely_at)
        if window is not None:
            trouble.surely_at = max(trouble.surely_at, window[1])
        if trouble.kind is not Verdict.FAILED:
            trouble.surely_at = self.world.ticking_at(trouble.surely_at)

    # Runs and their time limits

    def _follow_runs(self) -> None:
        durations: list[tuple[int, int]] = []
        for run in self.job.executions:
            started, ended = run.started_at, run.ended_at
            if started is not None and (ended is None or ended > started):
                self.spans.append(self._span(run, started, durations))
            if ended is not None:
                if started is not None and ended > started:
                    durations.append((ended, ended - started))
                elif self.job.style.has_start is False and run.duration is not None:
                    durations.append((ended, run.duration))
                if run.succeeded:
                    self.found.goods.append(ended)

    def _span(self, run: Execution, started: int, durations: list[tuple[int, int]]) -> _Span:
        earliest, latest = self._limits(run, started, durations)
        ended = run.ended_at if run.ended_at is not None else FOREVER
        return _Span(run, started, min(ended, latest), earliest, latest)

    def _limits(self, run: Execution, started: int, durations: list[tuple[int, int]]) -> tuple[int, int]:
        """The earliest and the latest time at which it is right to say that a run has timed out."""
        job = self.job
        if job.max_runtime_s is not None:
            limit = started + job.max_runtime_s * SECOND
            return limit, limit
        index = self._index_for(run, started)
        following = job.occurrences[index + 1] + job.grace_after(index + 1)
        unknown = max(following, started + HOUR)
        # Those that end meanwhile may be taken in, or not.
        before = [duration for ended, duration in durations if ended <= started]
        limits = [self._limit(index, started, before, unknown, recent) for recent in _RECENT]
        meanwhile = [duration for ended, duration in durations if ended <= max(limits)]
        limits += [self._limit(index, started, meanwhile, unknown, recent) for recent in _RECENT]
        return min(limits), max(limits)

    def _limit(self, index: int, started: int, known: list[int], unknown: int, recent: int) -> int:
        if len(known) < _KNOWN_ENOUGH:
            return unknown
        return started + max(self.job.grace_after(index), _FACTOR * max(known[-recent:]))

    def _index_for(self, run: Execution, at: int) -> int:
        times = self.job.occurrences
        latest = max(bisect_right(times, at) - 1, 0)
        return latest if run.occurrence is None else max(times.index(run.occurrence), 0)

    # Occurrences

    def _judge(self, index: int, occurrence: int) -> None:
        run = self.runs.get(occurrence)
        missed_at = occurrence + self.job.grace_after(index)
        heard = run.first_heard_at if run is not None else None
        if run is None or heard is None or heard > missed_at:
            self._judge_unmet(occurrence, missed_at, run)
            return
        self._judge_run(occurrence, run)

    def _judge_run(self, occurrence: int, run: Execution) -> None:
        span = next((span for span in self.spans if span.run is run), None)
        if span is not None and (run.ended_at is None or run.ended_at > span.earliest_limit):
            self._judge_limit(occurrence, run, span)
            return
        assert run.ended_at is not None
        if run.succeeded:
            self._add(occurrence, Verdict.MET, run.ended_at, run)
            return
        self._add(occurrence, Verdict.FAILED, run.ended_at, run)
        self.found.troubles.append(Trouble(run.ended_at, Verdict.FAILED, occurrence, run.ended_at))

    def _judge_limit(self, occurrence: int, run: Execution, span: _Span) -> None:
        """It ends after its limit, or never."""
        either = run.ended_at is not None and run.ended_at <= span.latest_limit
        reason = "ended between the limits that the design allows" if either else ""
        trouble = Trouble(span.earliest_limit, Verdict.TIMED_OUT, occurrence, span.latest_limit, reason)
        self.found.troubles.append(trouble)
        judged = self._add(occurrence, Verdict.TIMED_OUT, span.latest_limit, run)
        if run.ended_at is not None and not run.succeeded:
            self.found.troubles.append(Trouble(run.ended_at, Verdict.FAILED, occurrence, run.ended_at, reason))
        if either:
            judged.may_be = frozenset({Verdict.MET if run.succeeded else Verdict.FAILED})
            judged.reason = reason

    def _judge_unmet(self, occurrence: int, missed_at: int, run: Execution | None) -> None:
        if self.world.window_at(occurrence) is not None:
            self._add(occurrence, Verdict.EXCUSED, missed_at, None)
            return
        later = self._superseded_at(occurrence, missed_at)
        if later is not None:
            self._add(occurrence, Verdict.SUPERSEDED, later, None)
            return
        span = next((span for span in self.spans if self._waits_for(span, occurrence, missed_at)), None)
        if span is not None:
            self._add(occurrence, Verdict.WAITED, max(span.closed_at, missed_at), None)
            return
        self._add(occurrence, Verdict.MISSED, missed_at, None)
        self.found.troubles.append(Trouble(missed_at, Verdict.MISSED, occurrence, missed_at))
        if run is not None and run.ended_at is not None and not run.succeeded:
            self.found.troubles.append(Trouble(run.ended_at, Verdict.FAILED, None, run.ended_at))

    def _superseded_at(self, occurrence: int, missed_at: int) -> int | None:
        """When a run for a later occurrence was heard of within the grace of this one."""
        times = self.job.occurrences
        for later in times[times.index(occurrence) + 1 :]:
            if later - MINUTE > missed_at:
                return None
            run = self.runs.get(later)
            heard = run.first_heard_at if run is not None else None
            if heard is not None and heard <= missed_at:
                return heard
        return None

    @staticmethod
    def _waits_for(span: _Span, occurrence: int, missed_at: int) -> bool:
        """Whether a run was going on when the occurrence passed, or when its grace was over."""
        return span.opened_at <= missed_at < span.closed_at or span.opened_at <= occurrence < span.closed_at

    def _add(self, occurrence: int, verdict: Verdict, settled_at: int, run: Execution | None) -> Judged:
        judged = Judged(occurrence, verdict, settled_at, run)
        if verdict in (Verdict.FAILED, Verdict.TIMED_OUT) and self.world.window_at(occurrence) is not None:
            judged.may_be = frozenset({Verdict.EXCUSED})
            judged.verdict = Verdict.EXCUSED
        self.found.judged.append(judged)
        return judged


def day_of(at: int) -> int:
    return at // DAY
