"""Crons that jobs call by a slug, and those that come into being with their first signal."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple, TypeVar

from chalicelib.domain.errors import Conflict, NotFound
from chalicelib.domain.monitor.slug import USUAL_ENVIRONMENT, job_and_environment, slug_from
from chalicelib.services.crons import SettingsChanges
from chalicelib.services.register import RegisterResult, Registration, WantedCron, register
from chalicelib.store import crons, slugs
from chalicelib.store.orgs import find_org

T = TypeVar("T")


class Home(NamedTuple):
    """Where the crons that a protocol's clients make are put."""

    product: str
    service: str
    #: True: the product's other services belong to other clients, that may use the same slugs.
    apart: bool = False


class Wanted(NamedTuple):
    """What a client calls a cron by."""

    org_id: str
    slug: str
    home: Home
    #: Whether an unknown one is made.
    create: bool = False
    #: What it is set to when it is made.
    settings: SettingsChanges = SettingsChanges()
    #: What people see; None: the slug.
    name: str | None = None


class Reached(NamedTuple):
    cron_id: str
    created: bool = False


def find(wanted: Wanted) -> str | None:
    """The id of the cron of a slug: one read where one cron has it.

    Raises Conflict where several have the slug.
    """
    found = slugs.called(wanted.org_id, wanted.slug)
    if not found and slugs.fill_in(wanted.org_id):
        found = slugs.called(wanted.org_id, wanted.slug)
    ids = _candidates(found, wanted.home)
    if len(ids) > 1:
        known = crons.find_crons(wanted.org_id, ids)
        ids = [cron_id for cron_id in ids if cron_id in known and known[cron_id].archived_at is None]
    if len(ids) > 1:
        raise Conflict("ambiguous slug")
    return ids[0] if ids else None


def _candidates(found: list[slugs.Called], home: Home) -> list[str]:
    if not home.apart:
        return [one.cron_id for one in found]
    own = [one.cron_id for one in found if (one.product, one.service) == (home.product, home.service)]
    return own or [one.cron_id for one in found if one.product != home.product]


def reach(wanted: Wanted, now: datetime, signal: Callable[[str], T]) -> tuple[Reached, T]:
    """Calls `signal` with the id of the cron; first makes the cron, where there is none and it is to be made.

    Raises NotFound, Conflict, and what `signal` raises.
    """
    cron_id = find(wanted)
    if cron_id is not None:
        try:
            return Reached(cron_id), signal(cron_id)
        except NotFound:
            # Archived, or deleted just now.
            if not wanted.create:
                raise
    made = create(wanted, now)
    return made, signal(made.cron_id)


def create(wanted: Wanted, now: datetime) -> Reached:
    """Makes the cron of a slug, or brings it back. Raises NotFound where that is not wished."""
    if not wanted.create or not _may_create(wanted.org_id):
        raise NotFound("not found")
    name = _name_of(wanted)
    settings = wanted.settings if slug_from(name) == wanted.slug else wanted.settings._replace(slug=wanted.slug)
    done = register(
        wanted.org_id, Registration(wanted.home.product, wanted.home.service, (WantedCron(name, settings),)), now
    )
    ((cron, result),) = done.crons
    return Reached(cron.id, result is RegisterResult.CREATED)


def _may_create(org_id: str) -> bool:
    org = find_org(org_id)
    return org is not None and org.first_contact


def _name_of(wanted: Wanted) -> str:
    job, environment = job_and_environment(wanted.slug)
    job = wanted.name or job
    return job if environment == USUAL_ENVIRONMENT else f"{job} ({environment})"
