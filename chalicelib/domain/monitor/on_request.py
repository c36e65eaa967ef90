"""What people do to a cron: create, change, pause, resume, resolve, archive and delete it."""

from datetime import datetime
from typing import Any, NamedTuple

from chalicelib.domain.ids import derived_id, org_of
from chalicelib.domain.monitor.context import Context
from chalicelib.domain.monitor.cron import Cron, Noise, OpenRun, Settings, Status
from chalicelib.domain.monitor.decision import Decision
from chalicelib.domain.monitor.expectation import first_expected
from chalicelib.domain.monitor.incident import Resolution
from chalicelib.domain.monitor.misses import judge_unmet
from chalicelib.domain.monitor.transition import Transition
from chalicelib.domain.monitor.up_and_down import close_incident
from chalicelib.domain.runs.run import Run, RunStatus
from chalicelib.domain.schedule.schedule import Interval, parse_schedule
from chalicelib.domain.times import INSTANT


class CronNames(NamedTuple):
    """What people call a cron."""

    product: str
    service: str
    name: str


def create(cron_id: str, names: CronNames, settings: Settings, now: datetime) -> Cron:
    """Returns a new cron: it is expected from its first occurrence on."""
    return Cron(
        org_id=org_of(cron_id) or "",
        id=cron_id,
        product=names.product,
        service=names.service,
        name=names.name,
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
            waits_until=None,
            offsets_ms=(),
        )
    return Decision(changed)


def pause(cron: Cron, now: datetime) -> Decision:
    """Signals are recorded, nothing is judged; an open incident is closed."""
    # Not from now on: an occurrence satisfied before its time is not skipped as well.
    return _stop(cron, now, Resolution.PAUSED, status=Status.PAUSED, skipped_from=cron.expected_at)


def archive(cron: Cron, now: datetime) -> Decision:
    """It is no longer watched or listed; its history stays."""
    return _stop(cron, now, Resolution.ARCHIVED, archived_at=now, skipped_from=None)


def delete(cron: Cron, now: datetime) -> Decision:
    """Closes its incident, so that people hear of it; the caller removes the cron."""
    return _stop(cron, now, Resolution.DELETED, archived_at=now, skipped_from=None)


def _stop(cron: Cron, now: datetime, resolution: Resolution, **fields: Any) -> Decision:
    transition = Transition(cron, now)
    close_incident(transition, resolution)
    transition.change(expected_at=None, **_calm(cron), **fields)
    return transition.decide()


def acknowledge(cron: Cron) -> Decision:
    """A person took its incident on: no reminders are sent."""
    incident = cron.incident
    return Decision(cron if incident is None else cron._replace(incident=incident._replace(acknowledged=True)))


def resolve(cron: Cron, now: datetime, context: Context) -> Decision:
    """A person says that it is over: what was missed until now is recorded, and it starts afresh."""
    transition = Transition(cron, now, context)
    judge_unmet(transition)
    close_incident(transition, Resolution.BY_HAND)
    transition.change(status=_untroubled(cron), success_streak=0, failure_streak=0, **_calm(cron))
    return transition.decide()


def resume(cron: Cron, now: datetime) -> Decision:
    """Starts afresh from the next occurrence; runs that are still open get their time again."""
    transition = Transition(cron, now)
    resume_within(transition)
    return transition.decide()


def resume_within(transition: Transition) -> None:
    """The same, as a part of a decision that goes on."""
    cron, now = transition.cron, transition.now
    _record_skipped(transition)
    transition.change(
        status=_untroubled(cron),
        archived_at=None,
        expected_at=first_expected(cron.settings, now),
        success_streak=0,
        failure_streak=0,
        skipped_from=None,
        open_runs=tuple(_seen_now(run, now) for run in cron.open_runs),
        **_calm(cron),
    )


def _seen_now(run: OpenRun, now: datetime) -> OpenRun:
    return run._replace(seen_at=now, overran=False)


def _calm(cron: Cron) -> dict[str, Any]:
    """Nothing is wrong any more; how often anomalies are told goes on."""
    return {
        "reason": None,
        "late_alerted": False,
        "looked_at": None,
        "is_blocked": False,
        "refused_for": None,
        "blamed_on": None,
        "waits_until": None,
        "held_until": None,
        "noise": Noise(cron.noise.anomaly_at, cron.noise.drift_at),
    }


def _untroubled(cron: Cron) -> Status:
    """Returns UP, or NEW where its job never signalled."""
    return Status.UP if cron.last_run or cron.open_runs else Status.NEW


def _record_skipped(transition: Transition) -> None:
    """Records the occurrences that passed while it was paused: together, excused."""
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
    transition.record_new(run, times)
