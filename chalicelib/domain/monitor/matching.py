"""A run has begun: which occurrence does it satisfy?"""

from datetime import datetime

from chalicelib.domain.monitor.cron import Cron
from chalicelib.domain.monitor.deadlines import early_tolerance
from chalicelib.domain.monitor.expectation import interval_of, occurrences
from chalicelib.domain.monitor.misses import record_unmet
from chalicelib.domain.monitor.transition import Transition
from chalicelib.domain.runs.drift import OFFSETS_KEPT
from chalicelib.domain.schedule.occurrences import Occurrences
from chalicelib.domain.times import INSTANT, to_ms


def arrive(transition: Transition, started_at: datetime, seen_at: datetime) -> datetime | None:
    """Satisfies the occurrence that a run is for, and gives it.

    The run says that it began at `started_at`, and was at work, or ended, at `seen_at`.
    None: an extra run; nothing that is expected moves. Occurrences passed over were missed.
    """
    cron = transition.cron
    times = occurrences(cron)
    if times is None or cron.expected_at is None or not cron.is_watched:
        return None
    occurrence = _satisfied(cron, times, min(started_at, transition.now), min(seen_at, transition.now))
    if occurrence is not None:
        before = times.latest(occurrence - INSTANT)
        if before is not None and before >= cron.expected_at:
            record_unmet(transition, times, before)
        offset = to_ms(started_at) - to_ms(occurrence)
        transition.change(
            expected_at=times.next(occurrence),
            late_alerted=False,
            offsets_ms=(*transition.cron.offsets_ms, offset)[-OFFSETS_KEPT:],
        )
    _wind_interval(transition)
    return occurrence


def _satisfied(cron: Cron, times: Occurrences, started_at: datetime, seen_at: datetime) -> datetime | None:
    """The latest occurrence by when the run began; if that is satisfied already, by when it was seen.

    A job that reports only its end, hours after its start, so counts for the time it was meant for,
    and one that is reported a day after its end does not count for today's.
    """
    assert cron.expected_at is not None
    early = early_tolerance(times, cron.expected_at)
    for at in (started_at, seen_at):
        occurrence = times.latest(at + early)
        if occurrence is not None and occurrence >= cron.expected_at:
            return occurrence
    return None


def _wind_interval(transition: Transition) -> None:
    # `@every` counts from the last run, whichever it was.
    step = interval_of(transition.cron.settings)
    if step is not None:
        transition.change(expected_at=transition.now + step, late_alerted=False)
