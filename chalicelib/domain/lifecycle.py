"""What people do to a cron: make, change, rename, pause, resume, archive it."""

from datetime import datetime

from chalicelib.domain.cron import Cron, Settings, Status
from chalicelib.domain.decision import Decision
from chalicelib.domain.draft import Draft
from chalicelib.domain.incident import Resolution
from chalicelib.domain.occurrences import first_expected
from chalicelib.domain.outcome import resolve_incident


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
    return _stop(cron, now, Resolution.PAUSED, status=Status.PAUSED)


def archive(cron: Cron, now: datetime) -> Decision:
    """It is watched and listed no more; its history stays."""
    return _stop(cron, now, Resolution.ARCHIVED, archived_at=now)


def _stop(cron: Cron, now: datetime, resolution: Resolution, **fields: object) -> Decision:
    draft = Draft(cron, now)
    resolve_incident(draft, resolution)
    draft.change(reason=None, expected_at=None, late_told=False, looked_at=None, **fields)
    return draft.decide()


def resume(cron: Cron, now: datetime) -> Decision:
    """Starts afresh from the next occurrence; runs that are still open get their time again."""
    return Decision(
        cron._replace(
            status=Status.UP if cron.last_run or cron.open_runs else Status.NEW,
            reason=None,
            archived_at=None,
            expected_at=first_expected(cron.settings, now),
            late_told=False,
            looked_at=None,
            good_streak=0,
            bad_streak=0,
            open_runs=tuple(run._replace(seen_at=now, overran=False) for run in cron.open_runs),
        )
    )
