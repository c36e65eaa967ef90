"""Anomalies: a successful run that took far longer or far shorter than it usually does."""

from enum import StrEnum
from typing import NamedTuple

BASELINE_RUNS = 50
RUNS_BEFORE_JUDGING = 3
REPEATS_UNTIL_NORMAL = 5
SHORT_AVERAGE_MS = 10_000
SHORT_PART = 10
ALERTED_FROM_MS = 1_000


class AnomalyKind(StrEnum):
    LONG = "long"
    SHORT = "short"


class Anomaly(NamedTuple):
    """factor: the one the duration was judged by · told: whether it is worth an alert."""

    kind: AnomalyKind
    duration_ms: int
    average_ms: float
    factor: float
    told: bool


class Baseline(NamedTuple):
    """What a cron's runs usually take.

    durations_ms: of the last up to 50 ordinary successful runs, oldest first · unusual_ms: the
    anomalous ones since the last ordinary one.
    """

    durations_ms: tuple[int, ...] = ()
    unusual_ms: tuple[int, ...] = ()

    @property
    def average_ms(self) -> float | None:
        """None until there are enough runs to judge by."""
        if len(self.durations_ms) < RUNS_BEFORE_JUDGING:
            return None
        return sum(self.durations_ms) / len(self.durations_ms)


def judge(baseline: Baseline, duration_ms: int, factor: float) -> Anomaly | None:
    average = baseline.average_ms
    if average is None:
        return None
    if duration_ms > factor * average:
        told = duration_ms - average >= ALERTED_FROM_MS
        return Anomaly(AnomalyKind.LONG, duration_ms, average, factor, told)
    if average >= SHORT_AVERAGE_MS and duration_ms < average / SHORT_PART:
        return Anomaly(AnomalyKind.SHORT, duration_ms, average, factor, told=True)
    return None


def learn(baseline: Baseline, duration_ms: int, anomaly: Anomaly | None) -> Baseline:
    """The baseline after a successful run.

    Anomalous durations stay out of it until they repeat: then the job has changed, and the
    baseline starts anew with them.
    """
    if anomaly is None:
        return Baseline((*baseline.durations_ms, duration_ms)[-BASELINE_RUNS:])
    unusual = (*_same_side(baseline, anomaly), duration_ms)
    if len(unusual) >= REPEATS_UNTIL_NORMAL:
        return Baseline(unusual)
    return Baseline(baseline.durations_ms, unusual)


def _same_side(baseline: Baseline, anomaly: Anomaly) -> tuple[int, ...]:
    # One run far too long and the next far too short are not a job that has settled anew.
    long = anomaly.kind is AnomalyKind.LONG
    if all((duration > anomaly.average_ms) == long for duration in baseline.unusual_ms):
        return baseline.unusual_ms
    return ()


def overrun_after_ms(baseline: Baseline, factor: float) -> float | None:
    """How long an open run may last before it is called overrunning; None: cannot be said yet.

    Never less than 1 s over the average, below which an anomaly is not told.
    """
    average = baseline.average_ms
    if average is None:
        return None
    return max(factor * average, average + ALERTED_FROM_MS)
