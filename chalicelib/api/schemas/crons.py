"""Crons: their settings, how they are registered, changed and shown."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, ClassVar, Self

from msgspec import UNSET, Meta, UnsetType

from chalicelib import settings
from chalicelib.api.schemas.runs import LastRunOut
from chalicelib.api.schemas.values import (
    LONGEST_SECONDS,
    MOST_LISTED,
    Answer,
    CronSlug,
    Description,
    Limit,
    Name,
    Request,
    Schedule,
    Seconds,
    SecondsFromOne,
    Timezone,
)
from chalicelib.domain.errors import FieldError
from chalicelib.domain.monitor.cron import Cron, Reason
from chalicelib.domain.monitor.deadlines import effective_grace
from chalicelib.domain.monitor.display_status import DisplayStatus
from chalicelib.domain.monitor.slug import slug_of
from chalicelib.services.crons import Changes, CronFilters, Names, SettingsChanges, Shown
from chalicelib.services.register import Registered, RegisterResult, Registration, WantedCron

MOST_CRONS = 1000
_MOST_TAGS = 20


class SettingsIn(Request):
    """The settings of a cron. Not sent: stays as it is. null: the usual value again."""

    #: Free text.
    description: Description | UnsetType | None = UNSET
    #: An IANA name; UTC unless given.
    timezone: Timezone | UnsetType | None = UNSET
    #: How long after its time a run counts as missed; null: 10% of the period, within 60 s and 1 h.
    grace_seconds: Seconds | UnsetType | None = UNSET
    #: How long a run may take before it times out; null: a default from its recent runs.
    max_runtime_seconds: SecondsFromOne | UnsetType | None = UNSET
    #: A run is an anomaly when it takes longer than this times the average; 3 unless given.
    anomaly_factor: Annotated[float, Meta(ge=1.1, le=1000)] | UnsetType | None = UNSET
    #: How many failed runs in a row are forgiven before an incident opens; 0 unless given.
    failure_tolerance: Annotated[int, Meta(ge=0, le=1000)] | UnsetType | None = UNSET
    #: How many successful runs in a row close an incident; 1 unless given.
    recovery_threshold: Annotated[int, Meta(ge=1, le=1000)] | UnsetType | None = UNSET
    #: Labels to filter by.
    tags: Annotated[tuple[Name, ...], Meta(max_length=_MOST_TAGS)] | UnsetType | None = UNSET
    #: Percent of the occurrences that must be met; 99 unless given.
    sla_target: Annotated[float, Meta(ge=0, le=100)] | UnsetType | None = UNSET
    #: How often an open incident is told again; null: never.
    reminder_seconds: Annotated[int, Meta(ge=300, le=LONGEST_SECONDS)] | UnsetType | None = UNSET
    #: The id of a project of the organization; null: none.
    project_id: Name | UnsetType | None = UNSET
    #: What a ping by key and slug calls it: a-z, 0-9, - and _; null: what its name makes.
    slug: CronSlug | UnsetType | None = UNSET
    #: true: a signal resumes it while it is paused; false unless given.
    resumes_on_signal: bool | UnsetType | None = UNSET

    def settings(self, schedule: str | UnsetType | None) -> SettingsChanges:
        return SettingsChanges(
            schedule=schedule,
            timezone=self.timezone,
            description=self.description,
            grace_seconds=self.grace_seconds,
            max_runtime_seconds=self.max_runtime_seconds,
            anomaly_factor=self.anomaly_factor,
            failure_tolerance=self.failure_tolerance,
            recovery_threshold=self.recovery_threshold,
            tags=tuple(dict.fromkeys(self.tags)) if self.tags else self.tags,
            sla_target=self.sla_target,
            reminder_seconds=self.reminder_seconds,
            project_id=self.project_id,
            slug=self.slug,
            resumes_on_signal=self.resumes_on_signal,
        )


class RegisterCron(SettingsIn, kw_only=True):
    #: The name that people see.
    name: Name
    #: A cron expression, @daily and the like, or `@every 10m`; null: it runs at no set times and is never missed.
    schedule: Schedule | None
    #: Names of crons within the service, or ids; not sent: they stay as they are.
    depends_on: Annotated[tuple[Name, ...], Meta(max_length=MOST_LISTED)] | UnsetType | None = UNSET

    def wanted(self) -> WantedCron:
        depends_on = None if self.depends_on is UNSET else self.depends_on or ()
        return WantedCron(self.name, self.settings(self.schedule), depends_on)


def _repeated_names(value: Any) -> list[FieldError]:
    """Looks at what was sent, so that a repeated name is named even where other fields are wrong."""
    return list(_repeats(value[:MOST_CRONS])) if isinstance(value, list) else []


def _repeats(crons: list[Any]) -> Iterator[FieldError]:
    places: dict[str, int] = {}
    for place, cron in enumerate(crons):
        name = cron.get("name") if isinstance(cron, dict) else None
        if isinstance(name, str) and places.setdefault(name, place) != place:
            yield FieldError(f"[{place}].name", f"is already the name of crons[{places[name]}]")


class RegisterCrons(Request):
    MOST_BYTES: ClassVar[int] = 1024 * 1024

    #: The product of all these crons.
    product: Name
    #: The service of all these crons.
    service: Name
    #: Each name once.
    crons: Annotated[tuple[RegisterCron, ...], Meta(max_length=MOST_CRONS, extra={"also": _repeated_names})]
    #: true: the service's crons that are not in the list are archived.
    prune: bool = False

    def registration(self) -> Registration:
        wanted = tuple(cron.wanted() for cron in self.crons)
        return Registration(self.product, self.service, wanted, self.prune)


class RegisteredCron(Answer):
    #: The id, for use in paths.
    id: str
    #: The name that people see.
    name: str
    #: What the call did with this cron.
    result: RegisterResult
    #: The URL that a script pings, without a key; null where the organization wants keys.
    ping_url: str | None
    #: The earliest occurrence that no run has satisfied yet.
    next_expected_at: datetime | None


class RegisteredCrons(Answer):
    #: In the order given.
    crons: tuple[RegisteredCron, ...]
    #: The ids of the crons that `prune` archived.
    archived: tuple[str, ...]

    @classmethod
    def of(cls, done: Registered) -> Self:
        listed = (
            RegisteredCron(cron.id, cron.name, result, ping_url(cron), cron.expected_at)
            for cron, result in done.crons
        )
        return cls(tuple(listed), done.archived)


class ChangeCron(SettingsIn):
    #: The product that the cron belongs to.
    product: Name | UnsetType = UNSET
    #: The service that the cron belongs to.
    service: Name | UnsetType = UNSET
    #: The name that people see.
    name: Name | UnsetType = UNSET
    #: A cron expression, a name such as `@daily`, or `@every 10m`; null: no set times.
    schedule: Schedule | UnsetType | None = UNSET

    def changes(self) -> Changes:
        return Changes(Names(self.product, self.service, self.name), self.settings(self.schedule))


class CronQuery(Request):
    #: How many items a page holds.
    limit: Limit = 100
    #: `next_cursor` of the page before.
    cursor: str | None = None
    #: Only crons of this product.
    product: str | None = None
    #: Only crons of this service.
    service: str | None = None
    #: Only crons of this name.
    name: str | None = None
    #: Part of the product, service, name or description, in any case.
    search: str | None = None
    #: Only crons of this project.
    project_id: str | None = None
    #: Archived crons are listed only with `status=archived`.
    status: DisplayStatus | None = None
    #: Only crons with this tag.
    tag: str | None = None

    def filters(self) -> CronFilters:
        return CronFilters(
            product=self.product,
            service=self.service,
            name=self.name,
            search=self.search,
            project_id=self.project_id,
            status=self.status,
            tag=self.tag,
        )


class OpenIncidentOut(Answer):
    #: The id, for use in paths.
    id: str
    #: What opened it.
    reason: Reason | None
    #: The deadline that was broken, or when the failure arrived.
    opened_at: datetime
    #: How many occurrences were missed in it so far.
    missed: int

    @classmethod
    def of(cls, cron: Cron) -> Self | None:
        if cron.incident is None:
            return None
        return cls(cron.incident.id, cron.reason, cron.incident.opened_at, cron.incident.missed)


class CronOut(Answer):
    #: The id, for use in paths.
    id: str
    #: The product that the cron belongs to.
    product: str
    #: The service that the cron belongs to.
    service: str
    #: The name that people see.
    name: str
    #: Free text.
    description: str
    #: A cron expression, a name such as `@daily`, or `@every 10m`; null: no set times.
    schedule: str | None
    #: The IANA time zone of the schedule.
    timezone: str
    #: How long after an occurrence it is missed; null: a tenth of the period, within 60 s and 1 h.
    grace_seconds: int | None
    #: How long a run may take; null: the default limit.
    max_runtime_seconds: int | None
    #: A run is an anomaly when it takes longer than this times the average.
    anomaly_factor: float
    #: How many failures in a row are forgiven.
    failure_tolerance: int
    #: How many successes in a row close an incident.
    recovery_threshold: int
    #: Labels to filter by.
    tags: tuple[str, ...]
    #: The SLA in percent.
    sla_target: float
    #: How often people are reminded of an open incident; null: never.
    reminder_seconds: int | None
    #: The project that the cron belongs to.
    project_id: str | None
    #: What a ping by key and slug calls it; null where its name makes none.
    slug: str | None
    #: Whether a signal resumes it while it is paused.
    resumes_on_signal: bool
    #: The grace of the run expected next.
    effective_grace_seconds: int | None
    #: The status that people see.
    status: DisplayStatus
    #: What brought it down; null when it is not down.
    reason: Reason | None
    #: Ids of the crons it depends on.
    depends_on: tuple[str, ...]
    #: How many of its runs are going on.
    open_runs: int
    #: The earliest occurrence that no run has satisfied yet.
    next_expected_at: datetime | None
    #: When the job last sent a signal.
    last_signal_at: datetime | None
    #: The last run that finished.
    last_run: LastRunOut | None
    #: The open incident; null while there is none.
    incident: OpenIncidentOut | None
    #: The URL that a script pings, without a key; null where the organization wants keys.
    ping_url: str | None
    #: When it was created.
    created_at: datetime
    #: When it was archived; null while it is watched.
    archived_at: datetime | None

    @classmethod
    def of(cls, one: Shown) -> "CronOut":
        cron, values, grace = one.cron, one.cron.settings, effective_grace(one.cron)
        return CronOut(
            id=cron.id,
            product=cron.product,
            service=cron.service,
            name=cron.name,
            description=values.description,
            schedule=values.schedule,
            timezone=values.timezone,
            grace_seconds=values.grace_seconds,
            max_runtime_seconds=values.max_runtime_seconds,
            anomaly_factor=values.anomaly_factor,
            failure_tolerance=values.failure_tolerance,
            recovery_threshold=values.recovery_threshold,
            tags=values.tags,
            sla_target=values.sla_target,
            reminder_seconds=values.reminder_seconds,
            project_id=values.project_id,
            slug=slug_of(cron),
            resumes_on_signal=values.resumes_on_signal,
            effective_grace_seconds=None if grace is None else int(grace.total_seconds()),
            status=one.status,
            reason=cron.reason,
            depends_on=cron.depends_on,
            open_runs=sum(not run.superseded for run in cron.open_runs),
            next_expected_at=one.next_expected_at,
            last_signal_at=cron.last_signal_at,
            last_run=LastRunOut.of(cron.last_run),
            incident=OpenIncidentOut.of(cron),
            ping_url=ping_url(cron),
            created_at=cron.created_at,
            archived_at=cron.archived_at,
        )


class CronList(Answer):
    #: The crons of this page.
    crons: tuple[CronOut, ...]
    #: Send it as `cursor` for the next page; null at the end.
    next_cursor: str | None


def ping_url(cron: Cron) -> str | None:
    if not cron.keyless_signals:
        return None
    return f"{settings.base_url()}/api/ping/{cron.id}"
