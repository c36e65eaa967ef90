"""What people do to a cron: make, change, rename, pause, resume, archive it."""

from datetime import datetime
from typing import Any

from chalicelib.domain.ids import derived_id
from chalicelib.domain.monitor.context import Context
from chalicelib.domain.monitor.cron import Cron, Noise, Settings, Status
from chalicelib.domain.monitor.decision import Decision
from chalicelib.domain.monitor.expectation import first_expected
from chalicelib.domain.monitor.incident import Resolution
from chalicelib.domain.monitor.on_tick import look_for_missed
from chalicelib.domain.monitor.transition import Transition
from chalicelib.domain.monitor.up_and_down import resolve_incident
from chalicelib.domain.runs.run import Run, RunStatus
from chalicelib.domain.schedule.schedule import Interval, parse_schedule
from chalicelib.domain.times import INSTANT


def create(
    org_id: str,
    cron_id: str,
    names: tuple[str, str, str],
    settings: Settings,
    now: datetime,
) -> Cron:
    """A new cron of (product, service, name): it is expected from its first occurrence on."""
    product, service, name = names
    return Cron(
        org_id=org_id,
        id=cron_id,
        product=product,
        service=service,
        name=name,
        settings=settings,
        created_at=now,
        expected_at=first_expected(settings, now),
    )


def change(cron: Cron, settings: Settings, now: datetime) -> Decision:
    """New settings; another schedule or time zone starts afresh from its next occurrence."""
    changed = cron._replace(settings=settings)
    same_times = (cron.settings.schedule, cron.settings.timezone) == (
        settings.schedule,
        settings.timezone,
    )
    if not same_times and cron.is_watched:
        changed = changed._replace(
            expected_at=first_expected(settings, now),
            late_alerted=False,
            offsets_ms=(),
        )
    return Decision(changed)


def pause(cron: Cron, now: datetime) -> Decision:
    """Signals are recorded, nothing is evaluated; an open incident ends."""
    # Not from now on: an occurrence satisfied before its time is not skipped as well.
    return _stop(cron, now, Resolution.PAUSED, status=Status.PAUSED, skipped_from=cron.expected_at)


def archive(cron: Cron, now: datetime) -> Decision:
    """It is watched and listed no more; its history stays."""
    return _stop(cron, now, Resolution.ARCHIVED, archived_at=now, skipped_from=None)


def _stop(cron: Cron, now: datetime, resolution: Resolution, **fields: Any) -> Decision:
    transition = Transition(cron, now)
    resolve_incident(transition, resolution)
    transition.change(expected_at=None, **_calm(cron), **fields)
    return transition.decide()


def acknowledge(cron: Cron) -> Decision:
    """Somebody has its incident in hand: nobody is reminded of it."""
    incident = cron.incident
    return Decision(cron if incident is None else cron._replace(incident=incident._replace(acknowledged=True)))


def resolve(cron: Cron, now: datetime, context: Context) -> Decision:
    """A person says that it is over: what was missed until now is recorded, and it starts afresh."""
    transition = Transition(cron, now, context)
    look_for_missed(transition)
    resolve_incident(transition, Resolution.BY_HAND)
    transition.change(status=_untroubled(cron), success_streak=0, failure_streak=0, **_calm(cron))
    return transition.decide()


def resume(cron: Cron, now: datetime) -> Decision:
    """Starts afresh from the next occurrence; runs that are still open get their time again."""
    transition = Transition(cron, now)
    _record_skipped(transition)
    transition.change(
        status=_untroubled(cron),
        archived_at=None,
        expected_at=first_expected(cron.settings, now),
        success_streak=0,
        failure_streak=0,
        skipped_from=None,
        open_runs=tuple(run._replace(seen_at=now, overran=False) for run in cron.open_runs),
        **_calm(cron),
    )
    return transition.decide()


def _calm(cron: Cron) -> dict[str, Any]:
    """Nothing is wrong, or was told to be; how seldom anomalies are told goes on."""
    return {
        "reason": None,
        "late_alerted": False,
        "looked_at": None,
        "is_blocked": False,
        "blamed_on": None,
        "held_until": None,
        "noise": Noise(cron.noise.anomaly_at, cron.noise.drift_at),
    }


def _untroubled(cron: Cron) -> Status:
    """UP, or NEW where its job never signalled."""
    return Status.UP if cron.last_run or cron.open_runs else Status.NEW


def _record_skipped(transition: Transition) -> None:
    """The occurrences that passed by while it was paused: in one record, excused."""
    cron, skipped_from = transition.cron, transition.cron.skipped_from
    if cron.settings.schedule is None or skipped_from is None:
        return
    times = parse_schedule(cron.settings.schedule, cron.settings.timezone)
    if isinstance(times, Interval):
        return
    first, last = times.next(skipped_from - INSTANT), times.latest(transition.now)
    if first is None or last is None or last < first:
        return
    run = Run(
        cron_id=cron.id,
        id=derived_id(first, cron.id, "paused"),
        status=RunStatus.PAUSED,
        scheduled_at=first,
        scheduled_until=last,
        occurrences=times.count(first - INSTANT, last),
    )
    transition.write(run, new=True, times=times)
