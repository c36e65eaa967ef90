"""What keeps alerts few: each thing is told once, and what goes up and down is summed up."""

from datetime import datetime, timedelta

from chalicelib.domain.monitor.cron import Status
from chalicelib.domain.monitor.deadlines import reminder_at, sum_up_at
from chalicelib.domain.monitor.event import EventKind
from chalicelib.domain.monitor.transition import Draft

SELDOM = timedelta(hours=6)
_HOUR = timedelta(hours=1)
FLAPPING_FROM = 5


def tell_seldom(draft: Draft, kind: EventKind, about: datetime | None, run_id: str, detail: str) -> None:
    """Tells of an anomaly or of drift, at most once in 6 hours, and not in maintenance."""
    noise = draft.cron.noise
    last = noise.anomaly_at if kind is EventKind.ANOMALY else noise.drift_at
    if (last is not None and draft.now - last < SELDOM) or draft.maintained_until() is not None:
        return
    is_anomaly = kind is EventKind.ANOMALY
    noise = noise._replace(anomaly_at=draft.now) if is_anomaly else noise._replace(drift_at=draft.now)
    draft.change(noise=noise)
    draft.tell(kind, about, run_id, detail)


def tell_change(
    draft: Draft,
    kind: EventKind,
    about: datetime | None,
    run_id: str | None,
    detail: str,
    held_until: datetime | None = None,
) -> None:
    """Tells that a cron went down or up; of one that does so 5 times an hour, only that."""
    noise = draft.cron.noise
    changes = tuple(at for at in (*noise.changes, draft.now) if draft.now - at < _HOUR)[-FLAPPING_FROM:]
    noise = noise._replace(changes=changes)
    if noise.flapping_told_at is not None:
        draft.change(noise=noise._replace(untold=noise.untold + 1))
    elif len(changes) >= FLAPPING_FROM:
        draft.change(noise=noise._replace(flapping_told_at=draft.now, untold=0))
        detail = f"{FLAPPING_FROM} changes within an hour, now {_now(draft)}; further ones are summed up hourly"
        draft.tell(EventKind.FLAPPING, changes[0], run_id, detail, held_until)
    else:
        draft.change(noise=noise)
        draft.tell(kind, about, run_id, detail, held_until)


def sum_up(draft: Draft) -> None:
    """An hour after flapping was told of: what came since, or that it is over."""
    noise, due = draft.cron.noise, sum_up_at(draft.cron)
    told_at = noise.flapping_told_at
    if due is None or draft.now < due:
        return
    if noise.untold:
        draft.change(noise=noise._replace(flapping_told_at=draft.now, untold=0))
        detail = f"{noise.untold} changes since {told_at:%H:%M} UTC, now {_now(draft)}"
    else:
        draft.change(noise=noise._replace(flapping_told_at=None, changes=()))
        detail = f"it has been {_now(draft)} for an hour"
    draft.tell(EventKind.FLAPPING, told_at, detail=detail, held_until=draft.maintained_until())


def _now(draft: Draft) -> str:
    return "down" if draft.cron.status is Status.DOWN else "up"


def remind(draft: Draft) -> None:
    """Of an incident that nobody has in hand, every so often, where that is asked for."""
    cron, due = draft.cron, reminder_at(draft.cron)
    if due is None or cron.incident is None or draft.now < due:
        return
    maintained_until = draft.maintained_until()
    if maintained_until is not None:
        draft.change(held_until=maintained_until)
        return
    draft.change(incident=cron.incident._replace(reminded_at=draft.now))
    detail = f"down since {cron.incident.opened_at:%Y-%m-%d %H:%M:%S} UTC"
    draft.tell(EventKind.REMINDER, cron.incident.opened_at, detail=detail)
