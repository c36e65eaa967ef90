"""Counts: what became of a cron's runs, in numbers that add up over days."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple

from chalicelib.domain.runs.durations import Durations, durations_of, one_duration, sum_durations, taken_back
from chalicelib.domain.runs.run import Run, RunStatus


class Counts(NamedTuple):
    #: Occurrences that are over.
    expected: int = 0
    #: Those that a run succeeded for.
    met: int = 0
    missed: int = 0
    #: Those not met that do not count against the SLA.
    excused: int = 0
    #: That ended, for an occurrence or extra: ok, failed, timed_out, the rest were given up.
    runs: int = 0
    ok: int = 0
    failed: int = 0
    timed_out: int = 0
    #: Runs that began beyond the drift tolerance.
    late: int = 0
    #: How long the successful ones took.
    durations: Durations = Durations()

    @property
    def numbers(self) -> tuple[int, ...]:
        """All but the durations."""
        return self[:-1]


class DailyCounts(NamedTuple):
    day: date
    counts: Counts


def sum_counts(parts: Iterable[Counts]) -> Counts:
    found = list(parts)
    counts = (sum(column) for column in zip(*(part.numbers for part in found), strict=True))
    return _with_durations(counts, sum_durations(part.durations for part in found)) if found else Counts()


def _with_durations(counts: Iterable[int], durations: Durations) -> Counts:
    return Counts._make([*counts, durations])


class Outcome(NamedTuple):
    """What figures are made of."""

    status: RunStatus
    #: 0 of a run for none.
    occurrences: int
    is_excused: bool
    is_late: bool
    duration_ms: int | None


def outcome_of(run: Run) -> Outcome:
    occurrences = 0 if run.scheduled_at is None else run.occurrences
    return Outcome(run.status, occurrences, run.excused is not None, run.late, run.duration_ms)


def counts_of(run: Run) -> Counts:
    """Returns what one record adds; nothing while the run goes on."""
    return _counts_of(outcome_of(run))


def _counts_of(one: Outcome) -> Counts:
    occurrences, late = one.occurrences, int(one.is_late)
    excused = occurrences if one.is_excused else 0
    match one.status:
        case RunStatus.SUCCESS:
            durations = Durations() if one.duration_ms is None else one_duration(one.duration_ms)
            return Counts(occurrences, met=occurrences, runs=1, ok=1, late=late, durations=durations)
        case RunStatus.FAILED:
            return Counts(occurrences, excused=excused, runs=1, failed=1, late=late)
        case RunStatus.TIMEOUT:
            return Counts(occurrences, excused=excused, runs=1, timed_out=1, late=late)
        case RunStatus.ABANDONED:
            return Counts(occurrences, excused=excused, runs=1, late=late)
        case RunStatus.MISSED:
            return Counts(occurrences, missed=occurrences, excused=excused)
        case RunStatus.PAUSED | RunStatus.UNKNOWN:
            return Counts(occurrences, excused=occurrences)
        case _:
            return Counts()


def sum_of_outcomes(outcomes: Iterable[Outcome]) -> Counts:
    """The sum of what each adds. A day may have 1,440: those that differ in duration alone count together."""
    alike: defaultdict[tuple[RunStatus, int, bool, bool], list[int | None]] = defaultdict(list)
    for one in outcomes:
        alike[one[:-1]].append(one.duration_ms)
    return sum_counts(_sum_of_alike(Outcome(*kind, None), times_ms) for kind, times_ms in alike.items())


def _sum_of_alike(kind: Outcome, times_ms: list[int | None]) -> Counts:
    is_timed = kind.status is RunStatus.SUCCESS
    durations = durations_of(time for time in times_ms if time is not None) if is_timed else Durations()
    return _with_durations((number * len(times_ms) for number in _counts_of(kind).numbers), durations)


def moved_on(before: Run | None, after: Run) -> Counts:
    """Returns what a record adds beyond what it added before."""
    if before is None:
        return counts_of(after)
    old, new = counts_of(before), counts_of(after)
    counts = (now - then for now, then in zip(new.numbers, old.numbers, strict=True))
    return _with_durations(counts, sum_durations([new.durations, taken_back(old.durations)]))


def moment_of(run: Run) -> datetime:
    """Returns when a run counts: at its occurrence, else at its start, else at its end."""
    at = run.scheduled_at or run.started_at or run.finished_at
    assert at is not None
    return at
