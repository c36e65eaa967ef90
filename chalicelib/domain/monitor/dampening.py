"""What keeps alerts few: each thing is told once, and a cron that keeps going down and up is summed up."""

from datetime import timedelta

from chalicelib.domain.monitor.cron import Noise, Reason, Status
from chalicelib.domain.monitor.deadlines import reminder_at, steady_at, sum_up_at
from chalicelib.domain.monitor.event import Event, EventKind
from chalicelib.domain.monitor.transition import Transition
from chalicelib.domain.times import HOUR

FLAPPING_FROM = 5


def announce_change(transition: Transition, event: Event) -> None:
    """Announces that a cron went down or up; the fifth change within an hour is announced as flapping."""
    noise = transition.cron.noise
    changes = tuple(at for at in (*noise.changes, transition.now) if transition.now - at < HOUR)[-FLAPPING_FROM:]
    noise = noise._replace(changes=changes)
    if noise.flapping_announced_at is not None:
        transition.change(noise=noise._replace(unannounced=noise.unannounced + 1))
        return
    if len(changes) < FLAPPING_FROM:
        _announce_told(transition, noise, event)
        return
    detail = f"{FLAPPING_FROM} changes within an hour, now {_state(transition)}; further ones are summed up hourly"
    summary = event._replace(kind=EventKind.FLAPPING, about=changes[0], detail=detail, stands_for=event.kind)
    noise = noise._replace(flapping_announced_at=transition.now, unannounced=0)
    _announce_told(transition, noise, summary)


def _announce_told(transition: Transition, noise: Noise, event: Event) -> None:
    """Announces an event and remembers which state people heard last."""
    transition.change(noise=noise._replace(told=transition.cron.status))
    transition.announce(event)


def announce_state(transition: Transition) -> None:
    """Announces the state that a cron is in, with the content of the incident that opened it."""
    _announce_told(transition, transition.cron.noise, _state_event(transition))


def _state_event(transition: Transition) -> Event:
    cron, now = transition.cron, transition.now
    if cron.status is not Status.DOWN or cron.incident is None:
        return Event(EventKind.RECOVERED, now, detail=f"steadily up for {_minutes(transition)} minutes")
    if cron.incident.opening is not None:
        return cron.incident.opening._replace(at=now)
    # An older release kept no more than since when it is down.
    reason = cron.reason or Reason.FAILED
    return Event(EventKind(reason.value), now, cron.incident.opened_at, detail=f"{reason.value}, and still so")


def _minutes(transition: Transition) -> int:
    changes = transition.cron.noise.changes
    return (transition.now - changes[-1]) // timedelta(minutes=1) if changes else 0


def settle(transition: Transition) -> None:
    """Ends the summing up of a cron that has been steady: people are told its state if they last heard another."""
    due = steady_at(transition.cron)
    if due is None or transition.now < due:
        return
    cron = transition.cron
    is_held = cron.incident is not None and cron.incident.held
    if cron.noise.told is not cron.status and not is_held:
        held_until = transition.maintained_until()
        event = _state_event(transition)._replace(held_until=held_until)
        _announce_told(transition, cron.noise, event)
    ended = transition.cron.noise._replace(flapping_announced_at=None, changes=(), unannounced=0)
    transition.change(noise=ended)


def sum_up(transition: Transition) -> None:
    """Announces, every hour while a cron keeps going down and up, how many changes there were."""
    noise, due = transition.cron.noise, sum_up_at(transition.cron)
    if due is None or transition.now < due:
        return
    detail = f"{noise.unannounced} changes since {noise.flapping_announced_at:%H:%M} UTC, now {_state(transition)}"
    state = _state_event(transition)
    summary = Event(
        EventKind.FLAPPING,
        transition.now,
        noise.flapping_announced_at,
        state.run_id,
        detail,
        transition.maintained_until(),
        state.kind,
    )
    _announce_told(transition, noise._replace(flapping_announced_at=transition.now, unannounced=0), summary)


def _state(transition: Transition) -> str:
    return "down" if transition.cron.status is Status.DOWN else "up"


def remind(transition: Transition) -> None:
    """Reminds people of an incident that nobody has acknowledged, as often as its owner set."""
    cron, due = transition.cron, reminder_at(transition.cron)
    if due is None or cron.incident is None or transition.now < due:
        return
    maintained_until = transition.maintained_until()
    if maintained_until is not None:
        transition.change(held_until=maintained_until)
        return
    transition.change(incident=cron.incident._replace(reminded_at=transition.now))
    detail = f"down since {cron.incident.opened_at:%Y-%m-%d %H:%M:%S} UTC"
    transition.announce(Event(EventKind.REMINDER, transition.now, cron.incident.opened_at, detail=detail))
