"""Cronitor's monitors (cronitor.io, "Monitor API"), read and shown in its own form."""

import json
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, NamedTuple

from msgspec import UNSET

from chalicelib.api.schemas.compat.healthchecks import kept_of
from chalicelib.api.schemas.values import LONGEST_SECONDS
from chalicelib.domain.errors import Malformed
from chalicelib.domain.monitor.cron import Cron, Status
from chalicelib.domain.monitor.display_status import DisplayStatus
from chalicelib.domain.monitor.slug import USUAL_ENVIRONMENT, job_and_environment, slug_from, slug_of
from chalicelib.domain.schedule.schedule import ScheduleError, parse_schedule
from chalicelib.services.crons import SettingsChanges, Shown

Json = dict[str, Any]
#: In the order in which a YAML file has them: its sections, and what their monitors are.
SECTIONS = {"jobs": "job", "heartbeats": "heartbeat", "checks": "check"}
_KEPT = "cronitor"
_EVERY = re.compile(r"every (?:([0-9]{1,8}) )?(second|minute|hour|day|week)s?", re.IGNORECASE)
_UNITS = {"second": "s", "minute": "m", "hour": "h", "day": "d"}
_MOST_KEPT = 20_000


class Monitor(NamedTuple):
    """What a request wants a monitor to be; only what it names."""

    slug: str
    #: As it was sent.
    fields: Json

    @classmethod
    def read(cls, given: Any, where: str) -> "Monitor":
        """Raises Malformed."""
        if not isinstance(given, dict):
            raise Malformed(f"{where}: must be an object")
        key = given.get("key")
        if not isinstance(key, str) or len(key) > 128 or not slug_from(key):
            raise Malformed(f"{where}.key: must have a letter or a digit, and 128 characters at most")
        for name, check in _CHECKS.items():
            if given.get(name) is not None:
                check(f"{where}.{name}", given[name])
        if len(json.dumps(given, default=str)) > _MOST_KEPT:
            raise Malformed(f"{where}: is too long")
        return cls(slug_from(key), given)

    @property
    def name(self) -> str:
        return str(self.fields.get("name") or self.fields["key"])

    def settings(self, before: Cron | None) -> SettingsChanges:
        given = self.fields
        kept = {} if before is None else kept_of(before)
        kept[_KEPT] = {**kept.get(_KEPT, {}), **given}
        grace = given.get("grace_seconds")
        tolerance = given.get("failure_tolerance")
        return SettingsChanges(
            schedule=_schedule_of(given) if {"schedule", "schedules"} & set(given) else UNSET,
            timezone=given.get("timezone") or UNSET,
            description=given.get("note") or UNSET,
            grace_seconds=UNSET if grace is None else grace,
            failure_tolerance=UNSET if tolerance is None else tolerance,
            tags=tuple(dict.fromkeys(given["tags"])) if given.get("tags") is not None else UNSET,
            slug=self.slug,
            kept=json.dumps(kept, ensure_ascii=False, separators=(",", ":"), default=str),
        )


def _schedule_of(given: Json) -> str | None:
    """A check asks a web page again and again: no job that could be missed. Of several schedules, the first."""
    several = given.get("schedules") or [None]
    text = given.get("schedule") or several[0]
    return None if text is None or given.get("type") == "check" else _in_our_words(text)


def _in_our_words(text: str) -> str:
    found = _EVERY.fullmatch(" ".join(text.split()))
    if found is None:
        return text
    number, unit = int(found[1] or 1), found[2].lower()
    return f"@every {number * 7}d" if unit == "week" else f"@every {number}{_UNITS[unit]}"


def _text(most: int) -> Callable[[str, Any], None]:
    def check(where: str, value: Any) -> None:
        if not isinstance(value, str) or re.search(r"[\x00-\x08\ud800-\udfff]", value):
            raise Malformed(f"{where}: must be a string")
        if len(value) > most:
            raise Malformed(f"{where}: must be at most {most} characters")

    return check


def _one_schedule(where: str, value: Any) -> None:
    _text(160)(where, value)
    try:
        parse_schedule(_in_our_words(value))
    except ScheduleError as error:
        raise Malformed(f"{where}: {error}") from None


def _schedules(where: str, value: Any) -> None:
    if not isinstance(value, list) or not value:
        raise Malformed(f"{where}: must be a list")
    for place, one in enumerate(value):
        _one_schedule(f"{where}[{place}]", one)


def _zone(where: str, value: Any) -> None:
    _text(100)(where, value)
    try:
        parse_schedule("@hourly", value)
    except ScheduleError as error:
        raise Malformed(f"{where}: {error}") from None


def _whole(most: int) -> Callable[[str, Any], None]:
    def check(where: str, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
            raise Malformed(f"{where}: must be a whole number from 0 to {most}")

    return check


def _strings(where: str, value: Any) -> None:
    if not isinstance(value, list) or len(value) > 100:
        raise Malformed(f"{where}: must be a list of at most 100 strings")
    for place, one in enumerate(value):
        _text(1000)(f"{where}[{place}]", one)


def _kind(where: str, value: Any) -> None:
    if value not in SECTIONS.values():
        raise Malformed(f"{where}: must be job, heartbeat or check")


_CHECKS: dict[str, Callable[[str, Any], None]] = {
    "type": _kind,
    "name": _text(128),
    "note": _text(5000),
    "schedule": _one_schedule,
    "schedules": _schedules,
    "timezone": _zone,
    "grace_seconds": _whole(LONGEST_SECONDS),
    "failure_tolerance": _whole(1000),
    "tags": _strings,
    "notify": _strings,
    "assertions": _strings,
}


def read_all(given: Any) -> list[Monitor]:
    """Raises Malformed."""
    if not isinstance(given, list):
        raise Malformed("monitors: must be a list")
    if len(given) > 1000:
        raise Malformed("monitors: at most 1000 at once")
    found = [Monitor.read(one, f"monitors[{place}]") for place, one in enumerate(given)]
    slugs: dict[str, int] = {}
    for place, one in enumerate(found):
        if slugs.setdefault(one.slug, place) != place:
            raise Malformed(f"monitors[{place}].key: is already the key of monitors[{slugs[one.slug]}]")
    return found


def of_sections(given: Json) -> list[Json]:
    """The monitors of a YAML file. Raises Malformed."""
    found: list[Json] = []
    for section, kind in SECTIONS.items():
        monitors = given.get(section) or {}
        if not isinstance(monitors, dict):
            raise Malformed(f"{section}: must be a mapping of keys to monitors")
        for key, fields in monitors.items():
            if not isinstance(fields or {}, dict):
                raise Malformed(f"{section}.{key}: must be a mapping")
            found.append({**(fields or {}), "key": str(key), "type": kind})
    return found


def in_sections(monitors: Iterable[Json]) -> Json:
    """The other way round."""
    found: Json = {section: {} for section in SECTIONS}
    names = {kind: section for section, kind in SECTIONS.items()}
    for one in monitors:
        fields = {name: value for name, value in one.items() if name not in ("key", "type", *_SHOWN)}
        found[names[one["type"]]][one["key"]] = fields
    return {section: monitors for section, monitors in found.items() if monitors}


#: What is shown of a monitor beside its settings.
_SHOWN = ("initialized", "passing", "running", "paused", "created", "next_expected_at", "environments")


def key_of(cron: Cron) -> str:
    """The key as it was sent; of crons that other clients made, the slug."""
    given = kept_of(cron).get(_KEPT, {}).get("key")
    return given or (cron.name if slug_from(cron.name) == slug_of(cron) else slug_of(cron) or cron.id)


def grouped(crons: Iterable[Shown]) -> list[list[Shown]]:
    """The crons of each monitor: that of the usual environment first."""
    by_slug: dict[str, list[Shown]] = {}
    for one in crons:
        by_slug.setdefault(job_and_environment(slug_of(one.cron) or one.cron.id)[0], []).append(one)
    return [sorted(found, key=lambda one: slug_of(one.cron) or "") for _, found in sorted(by_slug.items())]


def monitor_of(found: list[Shown]) -> Json:
    one, cron = found[0], found[0].cron
    values, kept = cron.settings, kept_of(cron).get(_KEPT, {})
    is_unchanged = bool(kept) and _schedule_of(kept) == values.schedule
    environments = [job_and_environment(slug_of(each.cron) or "")[1] for each in found]
    return {
        "type": "job" if values.schedule else "heartbeat",
        **kept,
        "key": key_of(cron),
        "name": cron.name,
        "schedule": kept.get("schedule") if is_unchanged else values.schedule,
        "timezone": values.timezone,
        "grace_seconds": values.grace_seconds,
        "failure_tolerance": values.failure_tolerance,
        "tags": list(values.tags),
        "note": values.description or None,
        "notify": kept.get("notify") or ["default"],
        "assertions": kept.get("assertions") or [],
        "initialized": cron.last_signal_at is not None,
        "passing": all(each.status is not DisplayStatus.DOWN for each in found),
        "running": any(each.status is DisplayStatus.RUNNING for each in found),
        "paused": cron.status is Status.PAUSED or one.status is DisplayStatus.IN_MAINTENANCE,
        "created": _iso(cron.created_at),
        "next_expected_at": _iso(one.next_expected_at),
        "environments": environments or [USUAL_ENVIRONMENT],
    }


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="seconds").replace("+00:00", "Z")
