"""What good and bad runs make of a cron: up, down, and the incident between."""

from datetime import datetime, timedelta

from chalicelib.domain.ids import derived_id
from chalicelib.domain.monitor.cron import OpenIncident, Reason, Status
from chalicelib.domain.monitor.dampening import announce_change
from chalicelib.domain.monitor.event import EventKind
from chalicelib.domain.monitor.incident import Incident, Resolution
from chalicelib.domain.monitor.transition import Transition

_ANNOUNCED_AS = {
    Reason.MISSED: EventKind.MISSED,
    Reason.FAILED: EventKind.FAILED,
    Reason.TIMEOUT: EventKind.TIMEOUT,
}


def succeeded_run(transition: Transition) -> None:
    """`recovery_threshold` good runs in a row close an incident."""
    cron = transition.cron
    if not cron.is_watched:
        return
    streak = cron.success_streak + 1
    transition.change(success_streak=streak, failure_streak=0)
    if cron.status is Status.DOWN and streak < cron.settings.recovery_threshold:
        return
    if cron.incident is not None and not cron.incident.held:
        # What opened in maintenance and ends in it was never told, and is only recorded.
        opened_at = cron.incident.opened_at
        detail = f"down for {_words(transition.now - opened_at)}"
        transition.change(status=Status.UP)
        announce_change(transition, EventKind.RECOVERED, opened_at, None, detail, transition.maintained_until())
    resolve_incident(transition, Resolution.RECOVERED)
    transition.change(status=Status.UP, reason=None, looked_at=None)


def failed_run(transition: Transition, reason: Reason, run_id: str, about: datetime | None, detail: str) -> None:
    """`failure_tolerance` bad runs in a row are forgiven; the next one opens an incident."""
    cron = transition.cron
    if not cron.is_watched:
        return
    streak = cron.failure_streak + 1
    transition.change(failure_streak=streak, success_streak=0)
    if cron.status is Status.DOWN or streak <= cron.settings.failure_tolerance:
        return
    held_until = transition.maintained_until()
    incident = OpenIncident(
        derived_id(transition.now, cron.id, run_id), transition.now, held=held_until is not None
    )
    transition.change(status=Status.DOWN, reason=reason, incident=incident)
    _record_incident(transition)
    if held_until is not None:
        hold(transition, held_until)
    else:
        announce_change(transition, _ANNOUNCED_AS[reason], about, run_id, detail)


def hold(transition: Transition, until: datetime) -> None:
    """What there is to tell now waits for the end of maintenance, when it is looked at again."""
    transition.change(held_until=until)


def announce_held(transition: Transition) -> None:
    """Maintenance is over: an incident that opened in it, and is still open, is told now."""
    cron = transition.cron
    transition.change(held_until=None)
    if cron.incident is None or cron.reason is None or not cron.incident.held:
        return
    transition.change(incident=cron.incident._replace(held=False))
    # Which occurrence or run it was is not kept: since when it is down says the incident.
    transition.announce(_ANNOUNCED_AS[cron.reason], detail=f"{cron.reason.value} in maintenance, and still so")


def count_missed(transition: Transition, occurrences: int) -> None:
    """Adds missed occurrences to the open incident, if there is one."""
    open_one = transition.cron.incident
    if open_one is None:
        return
    transition.change(incident=open_one._replace(missed=open_one.missed + occurrences))
    _record_incident(transition)


def resolve_incident(transition: Transition, resolution: Resolution) -> None:
    """Closes the open incident, if there is one; the cron's status is the caller's to set."""
    if transition.cron.incident is None:
        return
    _record_incident(transition, transition.now, resolution)
    transition.change(incident=None)


def _record_incident(
    transition: Transition, resolved_at: datetime | None = None, resolution: Resolution | None = None
) -> None:
    cron, open_one = transition.cron, transition.cron.incident
    if open_one is None or cron.reason is None:
        return
    transition.incident = Incident(
        org_id=cron.org_id,
        id=open_one.id,
        cron_id=cron.id,
        reason=cron.reason,
        opened_at=open_one.opened_at,
        missed=open_one.missed,
        resolved_at=resolved_at,
        resolution=resolution,
    )


def _words(downtime: timedelta) -> str:
    minutes, seconds = divmod(round(downtime.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
