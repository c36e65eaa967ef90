"""What the clock changes about a cron: `evaluate(cron, now) -> Decision`."""

from datetime import datetime

from chalicelib.domain.monitor.context import Context
from chalicelib.domain.monitor.cron import Cron, OpenRun, Status
from chalicelib.domain.monitor.dampening import remind, settle, sum_up
from chalicelib.domain.monitor.deadlines import (
    late_alert_at,
    overrunning_at,
)
from chalicelib.domain.monitor.decision import Decision
from chalicelib.domain.monitor.dependencies import is_undecided
from chalicelib.domain.monitor.duration_alerts import look_for_overrunning
from chalicelib.domain.monitor.event import Event, EventKind
from chalicelib.domain.monitor.misses import (
    incident_to_blame,
    judge_unmet,
)
from chalicelib.domain.monitor.timeouts import replace_open, time_out_overdue
from chalicelib.domain.monitor.transition import Transition
from chalicelib.domain.monitor.up_and_down import announce_held, hold


def evaluate(cron: Cron, now: datetime, context: Context | None = None) -> Decision:
    """Decides what has become late, missed, overrunning or timed out by now.

    Looking twice, too early or too late does no harm: all that was due by now is decided at once.
    """
    transition = Transition(cron, now, context)
    if cron.is_watched:
        _look_at_hold(transition)
        time_out_overdue(transition)
        for run in transition.cron.open_runs:
            _look_for_overrunning(transition, run)
        judge_unmet(transition)
        _look_for_late(transition)
        settle(transition)
        sum_up(transition)
        remind(transition)
    return transition.decide()


def _look_at_hold(transition: Transition) -> None:
    held_until = transition.cron.held_until
    if held_until is None:
        return
    # Looked at even before its end: a window may have been moved, or another one begun.
    held_until = transition.maintained_until()
    if held_until is None:
        announce_held(transition)
    else:
        hold(transition, held_until)


def _look_for_late(transition: Transition) -> None:
    cron = transition.cron
    if cron.expected_at is None or cron.late_alerted or cron.status is Status.DOWN or cron.is_running:
        return
    deadline = late_alert_at(cron, cron.expected_at)
    if deadline > transition.now or _is_held(transition):
        return
    transition.change(late_alerted=True)
    is_excused = (
        transition.blackout_at(deadline) is not None
        or transition.is_in_maintenance(cron.expected_at)
        or incident_to_blame(transition) is not None
        or any(is_undecided(one, transition.now) for one in transition.dependencies())
    )
    if not is_excused:
        detail = f"expected {cron.expected_at:%H:%M:%S} UTC"
        transition.announce(Event(EventKind.LATE, transition.now, cron.expected_at, detail=detail))


def _is_held(transition: Transition) -> bool:
    """Whether an alert has to wait for the end of maintenance; then the cron is looked at again."""
    until = transition.maintained_until()
    if until is not None:
        hold(transition, until)
    return until is not None


def _look_for_overrunning(transition: Transition, run: OpenRun) -> None:
    overrunning = overrunning_at(transition.cron, run)
    if overrunning is None or overrunning > transition.now or run.overran or not run.holds_up:
        return
    if not _is_held(transition):
        replace_open(transition, run, look_for_overrunning(transition, run))
