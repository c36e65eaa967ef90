"""What keeps alerts few: each thing is told once, and what goes up and down is summed up."""

from datetime import datetime, timedelta

from chalicelib.domain.monitor.cron import Status
from chalicelib.domain.monitor.deadlines import reminder_at, sum_up_at
from chalicelib.domain.monitor.event import EventKind
from chalicelib.domain.monitor.transition import Transition
from chalicelib.domain.times import HOUR

SELDOM = timedelta(hours=6)
FLAPPING_FROM = 5


def announce_rarely(
    transition: Transition, kind: EventKind, about: datetime | None, run_id: str, detail: str
) -> None:
    """Tells of an anomaly or of drift, at most once in 6 hours, and not in maintenance."""
    noise = transition.cron.noise
    last = noise.anomaly_at if kind is EventKind.ANOMALY else noise.drift_at
    if (last is not None and transition.now - last < SELDOM) or transition.maintained_until() is not None:
        return
    is_anomaly = kind is EventKind.ANOMALY
    noise = noise._replace(anomaly_at=transition.now) if is_anomaly else noise._replace(drift_at=transition.now)
    transition.change(noise=noise)
    transition.announce(kind, about, run_id, detail)


def announce_change(
    transition: Transition,
    kind: EventKind,
    about: datetime | None,
    run_id: str | None,
    detail: str,
    held_until: datetime | None = None,
) -> None:
    """Tells that a cron went down or up; of one that does so 5 times an hour, only that."""
    noise = transition.cron.noise
    changes = tuple(at for at in (*noise.changes, transition.now) if transition.now - at < HOUR)[-FLAPPING_FROM:]
    noise = noise._replace(changes=changes)
    if noise.flapping_announced_at is not None:
        transition.change(noise=noise._replace(unannounced=noise.unannounced + 1))
    elif len(changes) >= FLAPPING_FROM:
        transition.change(noise=noise._replace(flapping_announced_at=transition.now, unannounced=0))
        detail = (
            f"{FLAPPING_FROM} changes within an hour, now {_now(transition)}; further ones are summed up hourly"
        )
        transition.announce(EventKind.FLAPPING, changes[0], run_id, detail, held_until)
    else:
        transition.change(noise=noise)
        transition.announce(kind, about, run_id, detail, held_until)


def sum_up(transition: Transition) -> None:
    """An hour after flapping was told of: what came since, or that it is over."""
    noise, due = transition.cron.noise, sum_up_at(transition.cron)
    told_at = noise.flapping_announced_at
    if due is None or transition.now < due:
        return
    if noise.unannounced:
        transition.change(noise=noise._replace(flapping_announced_at=transition.now, unannounced=0))
        detail = f"{noise.unannounced} changes since {told_at:%H:%M} UTC, now {_now(transition)}"
    else:
        transition.change(noise=noise._replace(flapping_announced_at=None, changes=()))
        detail = f"it has been {_now(transition)} for an hour"
    transition.announce(EventKind.FLAPPING, told_at, detail=detail, held_until=transition.maintained_until())


def _now(transition: Transition) -> str:
    return "down" if transition.cron.status is Status.DOWN else "up"


def remind(transition: Transition) -> None:
    """Of an incident that nobody has in hand, every so often, where that is asked for."""
    cron, due = transition.cron, reminder_at(transition.cron)
    if due is None or cron.incident is None or transition.now < due:
        return
    maintained_until = transition.maintained_until()
    if maintained_until is not None:
        transition.change(held_until=maintained_until)
        return
    transition.change(incident=cron.incident._replace(reminded_at=transition.now))
    detail = f"down since {cron.incident.opened_at:%Y-%m-%d %H:%M:%S} UTC"
    transition.announce(EventKind.REMINDER, cron.incident.opened_at, detail=detail)
