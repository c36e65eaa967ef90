"""Signals that name their job by a slug and an environment, and may say how the cron is to be set."""

from datetime import datetime
from typing import NamedTuple

from chalicelib.domain.errors import Conflict, NotFound
from chalicelib.domain.monitor.decision import Decision
from chalicelib.domain.monitor.signal import Signal
from chalicelib.domain.monitor.slug import slug_in
from chalicelib.services import crons
from chalicelib.services.crons import Changes, Names, SettingsChanges
from chalicelib.services.first_contact import Home, Reached, Wanted, find, reach
from chalicelib.services.signals import receive


class Job(NamedTuple):
    """What a client calls its job."""

    org_id: str
    slug: str
    environment: str
    home: Home
    #: What people see; None: the slug.
    name: str | None = None


def check_in(
    job: Job, signal: Signal, settings: SettingsChanges | None, now: datetime
) -> tuple[Reached, Decision]:
    """Records a signal; makes the job's cron at its first one, and changes its settings to those that are sent.

    settings: None: the signal does not say any. A new environment then has those of the usual one.
    Raises NotFound, Conflict, Blocked and what else a signal raises.
    """

    def send(cron_id: str) -> Decision:
        if settings is not None:
            _set(job.org_id, cron_id, settings, now)
        return receive(job.org_id, cron_id, signal, now)

    slug = slug_in(job.slug, job.environment)
    wanted = Wanted(job.org_id, slug, job.home, create=True, settings=settings or SettingsChanges(), name=job.name)
    if settings is None and slug != job.slug and find(wanted) is None:
        wanted = wanted._replace(settings=_settings_of(wanted._replace(slug=job.slug)))
    return reach(wanted, now, send)


def _set(org_id: str, cron_id: str, settings: SettingsChanges, now: datetime) -> None:
    """Reads the cron, and writes it only where a setting differs. Raises NotFound for an archived one, too."""
    try:
        crons.change(org_id, cron_id, Changes(Names(), settings), now)
    except Conflict:
        raise NotFound("no such cron") from None


def _settings_of(usual: Wanted) -> SettingsChanges:
    """The settings of the cron of the usual environment, for that of another one."""
    cron_id = find(usual)
    if cron_id is None:
        return SettingsChanges()
    found = crons.find(usual.org_id, cron_id).settings
    return SettingsChanges(**{name: value for name, value in found._asdict().items() if name != "slug"})
