"""Whether people are alerted about how long a run takes.

The problem: the documented rule (anomaly.py) compares with the average of the last 50 runs. For healthy jobs of
ordinary shapes that is wrong hundreds of times per year: durations vary widely, a full backup comes once per week.

The mechanism: a long run is worth an alert only if it also exceeds what the job took on its longest days of the
last weeks. These are in the daily counts, which are loaded only when the documented rule fires. A job that does
only a part of its work is found by its last runs together: one short run proves little.

The simpler way, keeping anomalies out of the average, lowers the average and makes it worse. docs/noise.md has
the figures.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

from chalicelib.domain.runs.anomaly import ALERTED_FROM_MS, Baseline
from chalicelib.domain.runs.counts import DailyCounts
from chalicelib.domain.runs.drift import median

#: A run is far outside when it exceeds the longest days by this factor, or more where these differ much.
BEYOND = 1.1
_BEYOND_FEW = 1.3
_MOST_SPREAD = 2.0
_SPREAD_EXPONENT = 0.5
#: How many of the longest days are passed over once there are many.
_RANKS = 3
_DAYS_PER_RANK = 40
_FEW_DAYS = 7
_LAST_RUNS = 3
_RUNS_TO_COMPARE = 12
_HALF = 0.5
_SHORTEST_DAYS = 0.1


class History(NamedTuple):
    """The longest and the shortest successful run of each day of the last weeks."""

    maxima_ms: tuple[int, ...] = ()
    minima_ms: tuple[int, ...] = ()
    #: Whether people were alerted lately: then only what exceeds all of it is news.
    alerted_lately: bool = False


def history_of(days: Iterable[DailyCounts]) -> History:
    found = [day.counts.durations for day in days if day.counts.durations.runs]
    return History(tuple(day.max_ms for day in found), tuple(day.min_ms for day in found))


def alert_above_ms(baseline: Baseline, history: History) -> float:
    """Returns the duration above which a long run is worth an alert.

    With few days known, or where people were alerted lately, it is judged by the longest run known; else by the
    third longest day: then a single hang does not hide the next one. Where the longest days differ much, the next
    one may well be longer still.
    """
    days = sorted(history.maxima_ms, reverse=True)
    if len(days) < _FEW_DAYS or history.alerted_lately:
        return _BEYOND_FEW * max((*days, *baseline.durations_ms), default=0)
    spread = min(_MOST_SPREAD, days[0] / max(1, days[_RANKS - 1]))
    rank = min(_RANKS, 1 + len(days) // _DAYS_PER_RANK)
    return max(BEYOND, math.pow(spread, _SPREAD_EXPONENT)) * days[rank - 1]


def alert_below_ms(baseline: Baseline, history: History) -> float:
    """Returns the duration below which a single short run is worth an alert: nothing known was as short."""
    return min((*history.minima_ms, *baseline.durations_ms), default=0) / _BEYOND_FEW


def may_be_doing_less(baseline: Baseline) -> bool:
    """Whether the last three runs together took less than half the usual, and less than any of those before."""
    before, last = baseline.durations_ms[:-_LAST_RUNS], baseline.durations_ms[-_LAST_RUNS:]
    if len(before) < _RUNS_TO_COMPARE:
        return False
    together, usual = _geometric_mean(last), median(before)
    return together < min(before) and together < _HALF * usual and usual - together >= ALERTED_FROM_MS


def is_doing_less(baseline: Baseline, history: History) -> bool:
    """Whether the last three runs are short even for the job's shortest days, such as weekends."""
    days = sorted(history.minima_ms)
    if len(days) < _FEW_DAYS:
        return True
    return _geometric_mean(baseline.durations_ms[-_LAST_RUNS:]) < days[int(len(days) * _SHORTEST_DAYS)]


def _geometric_mean(durations_ms: Iterable[int]) -> float:
    logs = [math.log(max(1, duration)) for duration in durations_ms]
    return math.exp(sum(logs) / len(logs))
