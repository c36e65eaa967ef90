"""What good and bad runs make of a cron: up, down, and the incident between."""

from datetime import datetime, timedelta

from chalicelib.domain.ids import derived_id
from chalicelib.domain.monitor.cron import OpenIncident, Reason, Status
from chalicelib.domain.monitor.dampening import tell_change
from chalicelib.domain.monitor.event import EventKind
from chalicelib.domain.monitor.incident import Incident, Resolution
from chalicelib.domain.monitor.transition import Draft

_TOLD_AS = {
    Reason.MISSED: EventKind.MISSED,
    Reason.FAILED: EventKind.FAILED,
    Reason.TIMEOUT: EventKind.TIMEOUT,
}


def good_run(draft: Draft) -> None:
    """`recovery_threshold` good runs in a row close an incident."""
    cron = draft.cron
    if not cron.is_watched:
        return
    streak = cron.good_streak + 1
    draft.change(good_streak=streak, bad_streak=0)
    if cron.status is Status.DOWN and streak < cron.settings.recovery_threshold:
        return
    if cron.incident is not None and not cron.incident.held:
        # What opened in maintenance and ends in it was never told, and is only recorded.
        opened_at = cron.incident.opened_at
        detail = f"down for {_words(draft.now - opened_at)}"
        draft.change(status=Status.UP)
        tell_change(draft, EventKind.RECOVERED, opened_at, None, detail, draft.maintained_until())
    resolve_incident(draft, Resolution.RECOVERED)
    draft.change(status=Status.UP, reason=None, looked_at=None)


def bad_run(draft: Draft, reason: Reason, run_id: str, about: datetime | None, detail: str) -> None:
    """`failure_tolerance` bad runs in a row are forgiven; the next one opens an incident."""
    cron = draft.cron
    if not cron.is_watched:
        return
    streak = cron.bad_streak + 1
    draft.change(bad_streak=streak, good_streak=0)
    if cron.status is Status.DOWN or streak <= cron.settings.failure_tolerance:
        return
    held_until = draft.maintained_until()
    incident = OpenIncident(derived_id(draft.now, cron.id, run_id), draft.now, held=held_until is not None)
    draft.change(status=Status.DOWN, reason=reason, incident=incident)
    _record_incident(draft)
    if held_until is not None:
        hold(draft, held_until)
    else:
        tell_change(draft, _TOLD_AS[reason], about, run_id, detail)


def hold(draft: Draft, until: datetime) -> None:
    """What there is to tell now waits for the end of maintenance, when it is looked at again."""
    draft.change(held_until=until)


def tell_held(draft: Draft) -> None:
    """Maintenance is over: an incident that opened in it, and is still open, is told now."""
    cron = draft.cron
    draft.change(held_until=None)
    if cron.incident is None or cron.reason is None or not cron.incident.held:
        return
    draft.change(incident=cron.incident._replace(held=False))
    # Which occurrence or run it was is not kept: since when it is down says the incident.
    draft.tell(_TOLD_AS[cron.reason], detail=f"{cron.reason.value} in maintenance, and still so")


def count_missed(draft: Draft, occurrences: int) -> None:
    """Adds missed occurrences to the open incident, if there is one."""
    open_one = draft.cron.incident
    if open_one is None:
        return
    draft.change(incident=open_one._replace(missed=open_one.missed + occurrences))
    _record_incident(draft)


def resolve_incident(draft: Draft, resolution: Resolution) -> None:
    """Closes the open incident, if there is one; the cron's status is the caller's to set."""
    if draft.cron.incident is None:
        return
    _record_incident(draft, draft.now, resolution)
    draft.change(incident=None)


def _record_incident(
    draft: Draft, resolved_at: datetime | None = None, resolution: Resolution | None = None
) -> None:
    cron, open_one = draft.cron, draft.cron.incident
    if open_one is None or cron.reason is None:
        return
    draft.incident = Incident(
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
