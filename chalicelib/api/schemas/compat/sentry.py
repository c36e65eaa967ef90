"""Sentry's check-ins and monitors (docs.sentry.io, "Crons"; develop.sentry.dev, "Check-Ins")."""

import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Annotated, Any, Self, TypeAlias

from msgspec import UNSET, UnsetType

from chalicelib.api.schemas.values import (
    Answer,
    SignalRequest,
    checked,
    decimal,
    schedule,
    text,
    timezone,
    whole,
    wrong,
)
from chalicelib.domain.errors import FieldError, Invalid
from chalicelib.domain.monitor.cron import Cron
from chalicelib.domain.monitor.display_status import DisplayStatus
from chalicelib.domain.monitor.expectation import interval_of
from chalicelib.domain.monitor.signal import SignalKind
from chalicelib.domain.monitor.slug import job_and_environment, slug_from, slug_of
from chalicelib.services.crons import SettingsChanges, Shown

_LONGEST_MINUTES = 366 * 24 * 60
_LONGEST_SECONDS = 366 * 86_400.0
_KINDS = {"in_progress": SignalKind.START, "ok": SignalKind.SUCCESS, "error": SignalKind.FAIL}
#: In days, so long that the longest such span is never called missed.
_DAYS = {"minute": 0, "hour": 0, "day": 1, "week": 7, "month": 31, "year": 366}
_LETTERS = {"minute": "m", "hour": "h"}
_MOST_DAYS = 366
_NO_ID = "0" * 32


def _status(value: Any) -> str:
    if not isinstance(value, str) or value not in _KINDS:
        raise wrong(f"must be one of {', '.join(_KINDS)}")
    return value


def _check_in_id(value: Any) -> str:
    """One spelling of it; of what is no UUID, the text."""
    found = text(128)(value)
    try:
        return uuid.UUID(found).hex
    except ValueError:
        return found


def _seconds(value: Any) -> float:
    given = value
    if isinstance(value, str):
        try:
            given = float(value)
        except ValueError:
            raise wrong("must be a number") from None
    return decimal(0, _LONGEST_SECONDS)(given)


def _slug(value: Any) -> str:
    found = slug_from(str(value)) if isinstance(value, str | int) else ""
    if not found:
        raise wrong("must have a letter or a digit")
    return found


Status: TypeAlias = Annotated[str, checked(_status, enum=list(_KINDS))]
CheckInId: TypeAlias = Annotated[str, checked(_check_in_id, maxLength=128)]
Seconds: TypeAlias = Annotated[float, checked(_seconds, minimum=0)]
MonitorSlug: TypeAlias = Annotated[str, checked(_slug)]
Minutes: TypeAlias = Annotated[int, checked(whole(0, _LONGEST_MINUTES), minimum=0)]
Times: TypeAlias = Annotated[int, checked(whole(1, 1000), minimum=1)]
Zone: TypeAlias = Annotated[str, checked(timezone)]
Environment: TypeAlias = Annotated[str, checked(text(64), maxLength=64)]


def _schedule(value: Any) -> str:
    """A crontab, or an interval as `@every` has it. Raises Wrong."""
    given = value if isinstance(value, dict) else {}
    match given.get("type"):
        case "crontab":
            return schedule(given.get("value"))
        case "interval":
            return schedule(_every(given.get("value"), given.get("unit")))
    raise wrong("must be a crontab or an interval")


def _every(value: Any, unit: Any) -> str:
    number = whole(1, _LONGEST_MINUTES)(value)
    if unit in _LETTERS:
        return f"@every {number}{_LETTERS[unit]}"
    if unit not in _DAYS:
        raise wrong("must have a unit: minute, hour, day, week, month or year")
    # Months differ: called missed is what would be too long for any of them.
    days = number * _DAYS[unit]
    return f"@every {min(days, _MOST_DAYS) if unit == 'month' else days}d"


Schedule: TypeAlias = Annotated[str, checked(_schedule, type="object")]


class MonitorConfig(SignalRequest):
    #: `{"type": "crontab", "value": "0 * * * *"}`, or `{"type": "interval", "value": 2, "unit": "hour"}`.
    schedule: Schedule | None = None
    #: An IANA name.
    timezone: Zone | None = None
    #: How many minutes after its time a run is missed.
    checkin_margin: Minutes | None = None
    #: How many minutes a run may take.
    max_runtime: Minutes | None = None
    #: How many failures in a row open an incident.
    failure_issue_threshold: Times | None = None
    #: How many successes in a row close an incident.
    recovery_threshold: Times | None = None

    def settings(self) -> SettingsChanges:
        """Only what it says: the rest stays as it is."""
        runtime, tolerance = self.max_runtime, self.failure_issue_threshold
        return SettingsChanges(
            schedule=_said(self.schedule),
            timezone=_said(self.timezone),
            grace_seconds=UNSET if self.checkin_margin is None else self.checkin_margin * 60,
            max_runtime_seconds=UNSET if not runtime else runtime * 60,
            failure_tolerance=UNSET if tolerance is None else tolerance - 1,
            recovery_threshold=UNSET if self.recovery_threshold is None else self.recovery_threshold,
        )


def _said(value: str | None) -> str | UnsetType:
    return UNSET if value is None else value


class CheckIn(SignalRequest):
    #: The monitor's slug.
    monitor_slug: MonitorSlug | None = None
    #: `in_progress`, `ok` or `error`.
    status: Status | None = None
    #: The id that the start and the end of a run share; all zeros: none.
    check_in_id: CheckInId | None = None
    #: How long the run took, in seconds.
    duration: Seconds | None = None
    #: Each environment has a cron of its own.
    environment: Environment | None = None

    @property
    def kind(self) -> SignalKind:
        """Raises Invalid."""
        if self.status is None:
            raise Invalid(FieldError("status", f"must be one of {', '.join(_KINDS)}"))
        return _KINDS[self.status]

    @property
    def slug(self) -> str:
        """Raises Invalid."""
        if self.monitor_slug is None:
            raise Invalid(FieldError("monitor_slug", "must have a letter or a digit"))
        return self.monitor_slug

    @property
    def run_key(self) -> str | None:
        return None if self.check_in_id in (None, "", _NO_ID) else self.check_in_id


class SentryError(Answer):
    #: What went wrong.
    detail: str


class SentryId(Answer):
    #: The id of the event or the check-in.
    id: str


class SentryMonitorsQuery(SignalRequest):
    #: Where the page begins: the cursor of the `Link` header.
    cursor: str | None = None


class SentryConfig(Answer):
    #: `crontab` or `interval`; null: no schedule.
    schedule_type: str | None
    #: A cron expression, or `[2, "hour"]`.
    schedule: str | list[Any] | None
    #: An IANA name.
    timezone: str
    #: In minutes.
    checkin_margin: int | None
    #: In minutes.
    max_runtime: int | None
    #: How many failures in a row open an incident.
    failure_issue_threshold: int
    #: How many successes in a row close an incident.
    recovery_threshold: int

    @classmethod
    def of(cls, cron: Cron) -> Self:
        values = cron.settings
        is_interval = (values.schedule or "").startswith("@every ")
        kind = "interval" if is_interval else "crontab"
        return cls(
            schedule_type=kind if values.schedule else None,
            schedule=_interval(cron) if is_interval else values.schedule,
            timezone=values.timezone,
            checkin_margin=_minutes(values.grace_seconds),
            max_runtime=_minutes(values.max_runtime_seconds),
            failure_issue_threshold=values.failure_tolerance + 1,
            recovery_threshold=values.recovery_threshold,
        )


def _minutes(seconds: int | None) -> int | None:
    return None if seconds is None else -(-seconds // 60)


def _interval(cron: Cron) -> list[Any]:
    step = interval_of(cron.settings)
    minutes = max(1, int(step.total_seconds()) // 60) if step is not None else 0
    for unit, size in (("week", 10_080), ("day", 1440), ("hour", 60)):
        if minutes % size == 0:
            return [minutes // size, unit]
    return [minutes, "minute"]


_STATUSES = {
    DisplayStatus.DOWN: "error",
    DisplayStatus.NEW: "active",
    DisplayStatus.PAUSED: "disabled",
}


class SentryEnvironment(Answer):
    #: The environment's name.
    name: str
    #: `ok`, `error`, `active` or `disabled`.
    status: str
    #: Whether it is paused.
    isMuted: bool  # noqa: N815 - Sentry's name
    #: When its last signal arrived.
    lastCheckIn: datetime | None  # noqa: N815
    #: When a run is expected.
    nextCheckIn: datetime | None  # noqa: N815
    #: When it was created.
    dateCreated: datetime  # noqa: N815

    @classmethod
    def of(cls, one: Shown) -> Self:
        cron = one.cron
        return cls(
            name=job_and_environment(slug_of(cron) or "")[1],
            status=_STATUSES.get(one.status, "ok"),
            isMuted=one.status is DisplayStatus.PAUSED,
            lastCheckIn=cron.last_signal_at,
            nextCheckIn=one.next_expected_at,
            dateCreated=cron.created_at,
        )


class SentryMonitor(Answer):
    #: The cron's id.
    id: str
    #: What check-ins call it.
    slug: str
    #: The name that people see.
    name: str
    #: Always `cron_job`.
    type: str
    #: `active` or `disabled`.
    status: str
    #: Whether it is paused.
    isMuted: bool  # noqa: N815
    #: When it was created.
    dateCreated: datetime  # noqa: N815
    #: Its schedule and thresholds.
    config: SentryConfig
    #: One for each environment, each a cron of its own.
    environments: list[SentryEnvironment]

    @classmethod
    def all_of(cls, crons: Iterable[Shown]) -> "Iterator[SentryMonitor]":
        """One monitor of each slug; the cron of the usual environment stands for it, else the first one."""
        by_slug: dict[str, list[Shown]] = {}
        for one in crons:
            home = (one.cron.product, one.cron.service)
            job = job_and_environment(slug_of(one.cron) or one.cron.id)[0]
            by_slug.setdefault("\0".join((job, *home)), []).append(one)
        for key, found in sorted(by_slug.items()):
            found.sort(key=lambda one: slug_of(one.cron) or "")
            yield cls._of(key.partition("\0")[0], found)

    @classmethod
    def _of(cls, slug: str, found: list[Shown]) -> Self:
        cron, is_muted = found[0].cron, all(one.status is DisplayStatus.PAUSED for one in found)
        return cls(
            id=cron.id,
            slug=slug,
            name=cron.name.removesuffix(f" ({job_and_environment(slug_of(cron) or '')[1]})"),
            type="cron_job",
            status="disabled" if is_muted else "active",
            isMuted=is_muted,
            dateCreated=min(one.cron.created_at for one in found),
            config=SentryConfig.of(cron),
            environments=[SentryEnvironment.of(one) for one in found],
        )
