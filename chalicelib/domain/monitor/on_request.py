"""What people do to a cron: make, change, rename, pause, resume, archive it."""

from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.ids import derived_id
from chalicelib.domain.monitor.context import Surroundings
from chalicelib.domain.monitor.cron import Cron, Noise, Settings, Status
from chalicelib.domain.monitor.decision import Decision
from chalicelib.domain.monitor.incident import Resolution
from chalicelib.domain.monitor.on_tick import look_for_missed
from chalicelib.domain.monitor.transition import Draft
from chalicelib.domain.monitor.up_and_down import resolve_incident
from chalicelib.domain.runs.run import Run, RunStatus
from chalicelib.domain.schedule.occurrences import first_expected
from chalicelib.domain.schedule.schedule import Interval, parse_schedule

_INSTANT = timedelta(microseconds=1)


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
            late_told=False,
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
    draft = Draft(cron, now)
    resolve_incident(draft, resolution)
    draft.change(expected_at=None, **_calm(cron), **fields)
    return draft.decide()


def acknowledge(cron: Cron) -> Decision:
    """Somebody has its incident in hand: nobody is reminded of it."""
    incident = cron.incident
    return Decision(cron if incident is None else cron._replace(incident=incident._replace(acknowledged=True)))


def resolve(cron: Cron, now: datetime, around: Surroundings) -> Decision:
    """A person says that it is over: what was missed until now is recorded, and it starts afresh."""
    draft = Draft(cron, now, around)
    look_for_missed(draft)
    resolve_incident(draft, Resolution.BY_HAND)
    draft.change(status=_untroubled(cron), good_streak=0, bad_streak=0, **_calm(cron))
    return draft.decide()


def resume(cron: Cron, now: datetime) -> Decision:
    """Starts afresh from the next occurrence; runs that are still open get their time again."""
    draft = Draft(cron, now)
    _record_skipped(draft)
    draft.change(
        status=_untroubled(cron),
        archived_at=None,
        expected_at=first_expected(cron.settings, now),
        good_streak=0,
        bad_streak=0,
        skipped_from=None,
        open_runs=tuple(run._replace(seen_at=now, overran=False) for run in cron.open_runs),
        **_calm(cron),
    )
    return draft.decide()


def _calm(cron: Cron) -> dict[str, Any]:
    """Nothing is wrong, or was told to be; how seldom anomalies are told goes on."""
    return {
        "reason": None,
        "late_told": False,
        "looked_at": None,
        "is_blocked": False,
        "blamed_on": None,
        "held_until": None,
        "noise": Noise(cron.noise.anomaly_at, cron.noise.drift_at),
    }


def _untroubled(cron: Cron) -> Status:
    """UP, or NEW where its job never signalled."""
    return Status.UP if cron.last_run or cron.open_runs else Status.NEW


def _record_skipped(draft: Draft) -> None:
    """The occurrences that passed by while it was paused: in one record, excused."""
    cron, skipped_from = draft.cron, draft.cron.skipped_from
    if cron.settings.schedule is None or skipped_from is None:
        return
    times = parse_schedule(cron.settings.schedule, cron.settings.timezone)
    if isinstance(times, Interval):
        return
    first, last = times.next(skipped_from - _INSTANT), times.latest(draft.now)
    if first is None or last is None or last < first:
        return
    run = Run(
        cron_id=cron.id,
        id=derived_id(first, cron.id, "paused"),
        status=RunStatus.PAUSED,
        scheduled_at=first,
        scheduled_until=last,
        occurrences=times.count(first - _INSTANT, last),
    )
    draft.write(run, new=True, times=times)
