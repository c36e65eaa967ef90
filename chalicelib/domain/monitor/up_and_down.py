"""What good and bad runs make of a cron: up, down, and the incident between."""

from datetime import datetime, timedelta
from typing import NamedTuple

from chalicelib.domain.ids import derived_id
from chalicelib.domain.monitor.blackout import BLACKOUT_AFTER
from chalicelib.domain.monitor.cron import OpenIncident, Reason, Status
from chalicelib.domain.monitor.dampening import announce_change, announce_state
from chalicelib.domain.monitor.event import Event, EventKind
from chalicelib.domain.monitor.incident import Incident, Resolution
from chalicelib.domain.monitor.transition import Transition

ANNOUNCED_AS = {
    Reason.MISSED: EventKind.MISSED,
    Reason.FAILED: EventKind.FAILED,
    Reason.TIMEOUT: EventKind.TIMEOUT,
}
_CLOSED_BECAUSE = {
    Resolution.BY_HAND: "resolved by hand",
    Resolution.PAUSED: "the cron was paused",
    Resolution.ARCHIVED: "the cron was archived",
    Resolution.DELETED: "the cron was deleted",
}


class Failure(NamedTuple):
    """A run that failed, timed out or was missed."""

    reason: Reason
    #: The deadline that was broken, or when the failure arrived.
    at: datetime
    #: The occurrence or the start that people are told.
    about: datetime | None
    run_id: str
    detail: str


def succeeded_run(transition: Transition) -> None:
    """Counts a success: `recovery_threshold` of them in a row close an incident."""
    cron = transition.cron
    if not cron.is_watched:
        return
    transition.change(success_streak=cron.success_streak + 1, failure_streak=0)
    cron = transition.cron
    if cron.status is Status.DOWN and cron.success_streak < cron.settings.recovery_threshold:
        return
    if cron.incident is not None and not cron.incident.held:
        # What opened and ended in the same maintenance was never told, and is only recorded.
        opened_at = cron.incident.opened_at
        transition.change(status=Status.UP)
        detail = f"down for {_words(transition.now - opened_at)}"
        held_until = transition.maintained_until()
        event = Event(
            EventKind.RECOVERED,
            transition.now,
            opened_at,
            detail=detail,
            held_until=held_until,
            incident_id=cron.incident.id,
            opened_at=opened_at,
        )
        announce_change(transition, event)
    resolve_incident(transition, Resolution.RECOVERED)
    transition.change(status=Status.UP, reason=None, looked_at=None)


def failed_run(transition: Transition, failure: Failure) -> bool:
    """Counts a failure: `failure_tolerance` of them in a row are forgiven; the next one opens an incident.

    Returns whether it opened one.
    """
    cron = transition.cron
    if not cron.is_watched:
        return False
    streak = cron.failure_streak + 1
    transition.change(failure_streak=streak, success_streak=0)
    if cron.status is Status.DOWN or streak <= cron.settings.failure_tolerance:
        return False
    held_until = transition.maintained_until()
    opened_at = min(failure.at, transition.now)
    found_late = transition.now - opened_at
    late = f", found {_words(found_late)} late" if found_late > BLACKOUT_AFTER else ""
    incident_id = derived_id(opened_at, cron.id, failure.run_id)
    opening = Event(
        ANNOUNCED_AS[failure.reason],
        transition.now,
        failure.about,
        failure.run_id,
        failure.detail + late,
        incident_id=incident_id,
        opened_at=opened_at,
    )
    incident = OpenIncident(incident_id, opened_at, held=held_until is not None, opening=opening)
    transition.change(status=Status.DOWN, reason=failure.reason, incident=incident)
    _record_incident(transition)
    if held_until is not None:
        hold(transition, held_until)
    else:
        announce_change(transition, opening)
    return True


def hold(transition: Transition, until: datetime) -> None:
    """What there is to tell waits for the end of maintenance, when the cron is looked at again."""
    transition.change(held_until=until)


def announce_held(transition: Transition) -> None:
    """Maintenance is over: an incident that opened in it, and is still open, is told now, with its own content."""
    cron = transition.cron
    transition.change(held_until=None)
    if cron.incident is None or not cron.incident.held:
        return
    transition.change(incident=cron.incident._replace(held=False))
    announce_state(transition)


def count_missed(transition: Transition, occurrences: int) -> None:
    """Adds missed occurrences to the open incident, if there is one."""
    open_one = transition.cron.incident
    if open_one is None or not occurrences:
        return
    transition.change(incident=open_one._replace(missed=open_one.missed + occurrences))
    _record_incident(transition)


def close_incident(transition: Transition, resolution: Resolution) -> None:
    """Closes an incident that a person ends. People who heard that it opened hear that it is closed."""
    incident = transition.cron.incident
    if incident is not None and not incident.held:
        event = Event(
            EventKind.RESOLVED,
            transition.now,
            incident.opened_at,
            detail=_CLOSED_BECAUSE[resolution],
            stands_for=EventKind.RECOVERED,
            incident_id=incident.id,
            opened_at=incident.opened_at,
        )
        transition.announce(event)
    resolve_incident(transition, resolution)


def resolve_incident(transition: Transition, resolution: Resolution) -> None:
    """Closes the open incident, if there is one; the caller sets the cron's status."""
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
    transition.incidents[open_one.id] = Incident(
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
