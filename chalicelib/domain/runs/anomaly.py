"""Anomalies: a successful run that took far longer or far shorter than the average of recent ones.

This is the documented rule; it stands in every answer and record. Whether people are alerted is decided in
judgement.py.
"""

from enum import StrEnum
from typing import NamedTuple

BASELINE_RUNS = 50
RUNS_BEFORE_JUDGING = 3
SHORT_AVERAGE_MS = 10_000
SHORT_PART = 10
#: A run is worth no alert when it took less than this longer than the average.
ALERTED_FROM_MS = 1_000


class AnomalyKind(StrEnum):
    LONG = "long"
    SHORT = "short"


class Anomaly(NamedTuple):
    kind: AnomalyKind
    duration_ms: int
    average_ms: float
    #: The factor that the duration was judged by.
    factor: float
    #: Whether people were alerted about it.
    alerted: bool = False


class Baseline(NamedTuple):
    """What a cron's runs usually take."""

    #: Of the last up to 50 successful runs, oldest first.
    durations_ms: tuple[int, ...] = ()

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
        return Anomaly(AnomalyKind.LONG, duration_ms, average, factor)
    if average >= SHORT_AVERAGE_MS and duration_ms < average / SHORT_PART:
        return Anomaly(AnomalyKind.SHORT, duration_ms, average, factor)
    return None


def learn(baseline: Baseline, duration_ms: int) -> Baseline:
    """Returns the baseline after a successful run; an anomalous one counts like any other."""
    return Baseline((*baseline.durations_ms, duration_ms)[-BASELINE_RUNS:])


def overrun_after_ms(baseline: Baseline, factor: float) -> float | None:
    """Returns how long an open run may last before it would be an anomaly; None while that is unknown.

    It is at least 1 s over the average: less is worth no alert.
    """
    average = baseline.average_ms
    if average is None:
        return None
    return max(factor * average, average + ALERTED_FROM_MS)
