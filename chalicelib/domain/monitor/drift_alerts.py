"""Drift: what is said about how far from its occurrence a run began, and when people are alerted."""

from chalicelib.domain.monitor.cron import Cron
from chalicelib.domain.monitor.deadlines import tolerance_of
from chalicelib.domain.monitor.event import Event, EventKind
from chalicelib.domain.monitor.transition import Transition
from chalicelib.domain.runs.drift import Drift, Offsets, drift_of, has_settled, is_drifting, median
from chalicelib.domain.runs.run import Run
from chalicelib.domain.times import DAY, MILLISECOND

#: A cron that hovers around its tolerance is not told again and again.
SELDOM = 14 * DAY


def drift_of_run(cron: Cron, run: Run) -> Drift | None:
    """Returns what the answer to a run's signal says about its drift."""
    return drift_of(run.offset_ms, _offsets(cron, run))


def drift_of_cron(cron: Cron) -> Drift | None:
    """Returns what a cron's details say about its drift, as of its last run."""
    last = cron.last_run
    tolerance_ms = tolerance_of(cron) // MILLISECOND
    offsets = Offsets(cron.offsets_ms, tolerance_ms, of_ends=last is not None and last.started_at is None)
    return drift_of(cron.offsets_ms[-1] if cron.offsets_ms else None, offsets)


def _offsets(cron: Cron, run: Run) -> Offsets:
    tolerance_ms = tolerance_of(cron, run.scheduled_at) // MILLISECOND
    return Offsets(cron.offsets_ms, tolerance_ms, of_ends=run.started_at is None)


def announce_drift(transition: Transition, run: Run) -> None:
    """Alerts people, as a run begins, that its cron has begun to drift or is back on schedule: once each."""
    cron = transition.cron
    if run.scheduled_at is None or not cron.is_watched:
        return
    offsets, noise = _offsets(cron, run), cron.noise
    if noise.is_drifting:
        if has_settled(offsets):
            _announce(transition, run, EventKind.ON_SCHEDULE, is_drifting_now=False)
        return
    is_new = noise.drift_at is None or transition.now - noise.drift_at >= SELDOM
    if is_new and is_drifting(offsets) and transition.maintained_until() is None:
        _announce(transition, run, EventKind.DRIFT, is_drifting_now=True)


def _announce(transition: Transition, run: Run, kind: EventKind, *, is_drifting_now: bool) -> None:
    cron = transition.cron
    detail = f"its last runs began {median(cron.offsets_ms) / 1000:+.0f} s from their time"
    transition.change(noise=cron.noise._replace(is_drifting=is_drifting_now, drift_at=transition.now))
    stands_for = None if kind is EventKind.DRIFT else EventKind.DRIFT
    held_until = transition.maintained_until()
    transition.announce(Event(kind, transition.now, run.scheduled_at, run.id, detail, held_until, stands_for))
