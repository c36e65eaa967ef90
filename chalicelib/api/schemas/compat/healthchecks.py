"""Healthchecks' checks (healthchecks.io, "Management API v3"), read and shown in its own form."""

import hashlib
import json
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from msgspec import UNSET

from chalicelib import settings
from chalicelib.api.schemas.values import Answer
from chalicelib.domain.errors import Malformed
from chalicelib.domain.monitor.cron import Cron
from chalicelib.domain.monitor.deadlines import effective_grace
from chalicelib.domain.monitor.display_status import DisplayStatus
from chalicelib.domain.monitor.expectation import interval_of
from chalicelib.domain.monitor.incident import NamedIncident
from chalicelib.domain.monitor.slug import slug_from, slug_of
from chalicelib.domain.runs.run import Run, RunStatus
from chalicelib.domain.schedule.schedule import ScheduleError, parse_schedule
from chalicelib.services.crons import SettingsChanges, Shown

Json = dict[str, Any]
_LEAST_SECONDS, _MOST_SECONDS = 60, 31_536_000
_USUAL_GRACE = 3600
#: What a new check is unless its request says otherwise.
_USUAL: dict[str, Any] = {"timeout": 86_400, "grace": _USUAL_GRACE, "slug": "", "manual_resume": False}
_SLUG = re.compile(r"[a-z0-9_-]*")
_UNIQUE = ("name", "slug", "tags", "timeout", "grace")
#: What is kept as it was sent, with what it is unless it was set; `ping_filter.py` reads it as well.
_KEPT: Json = {
    "methods": "",
    "start_kw": "",
    "success_kw": "",
    "failure_kw": "",
    "filter_subject": False,
    "filter_body": False,
    "filter_http_body": False,
    "filter_default_fail": False,
}


class HealthchecksError(Answer):
    #: What went wrong.
    error: str


def _bad(message: str) -> Malformed:
    return Malformed(f"json validation error: {message}")


# -- what a request holds


def _string(most: int) -> Callable[[str, Any], None]:
    def check(name: str, value: Any) -> None:
        if not isinstance(value, str) or re.search(r"[\ud800-\udfff]", value):
            raise _bad(f"{name} is not a string")
        if len(value) > most:
            raise _bad(f"{name} is too long")

    return check


def _flag(name: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise _bad(f"{name} is not a boolean")


def _seconds(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _bad(f"{name} is not a number")
    if value < _LEAST_SECONDS:
        raise _bad(f"{name} is too small")
    if value > _MOST_SECONDS:
        raise _bad(f"{name} is too large")


def _methods(name: str, value: Any) -> None:
    if value not in ("", "POST"):
        raise _bad(f"{name} has unexpected value")


def _slug(name: str, value: Any) -> None:
    _string(100)(name, value)
    if not _SLUG.fullmatch(value):
        raise _bad(f"{name} does not match pattern")


def _schedule(name: str, value: Any) -> None:
    _string(100)(name, value)
    try:
        parse_schedule(value)
    except ScheduleError:
        raise _bad(f"{name} is not a valid cron or OnCalendar expression") from None


def _zone(name: str, value: Any) -> None:
    _string(100)(name, value)
    try:
        parse_schedule("@hourly", value)
    except ScheduleError:
        raise _bad(f"{name} is not a valid timezone") from None


def _unique(name: str, value: Any) -> None:
    if not isinstance(value, list):
        raise _bad(f"{name} is not an array")
    if any(one not in _UNIQUE for one in value):
        raise _bad(f"an item in '{name}' has unexpected value")


_FIELDS: dict[str, Callable[[str, Any], None]] = {
    "channels": _string(10_000),
    "desc": _string(5000),
    "failure_kw": _string(200),
    "filter_subject": _flag,
    "filter_body": _flag,
    "filter_http_body": _flag,
    "filter_default_fail": _flag,
    "grace": _seconds,
    "manual_resume": _flag,
    "methods": _methods,
    "name": _string(100),
    "schedule": _schedule,
    "slug": _slug,
    "start_kw": _string(200),
    "subject": _string(200),
    "subject_fail": _string(200),
    "success_kw": _string(200),
    "tags": _string(500),
    "timeout": _seconds,
    "tz": _zone,
    "unique": _unique,
}


class Spec(NamedTuple):
    """What a request wants a check to be; only what it names."""

    fields: Json
    version: int

    @classmethod
    def read(cls, given: Json, version: int) -> "Spec":
        """Raises Malformed for the first wrong field, in Healthchecks' words."""
        for name, check in _FIELDS.items():
            if name in given:
                check(name, given[name])
        fields = {name: given[name] for name in _FIELDS if name in given}
        if version < 3 and "name" in fields:
            fields["slug"] = slug_from(fields["name"])
        return cls(fields, version)

    def text(self, name: str) -> str | None:
        found: str | None = self.fields.get(name)
        return found

    @property
    def unique(self) -> tuple[str, ...]:
        """By what an existing check is looked for; empty: by nothing."""
        wanted = tuple(self.fields.get("unique", ()))
        return wanted if all(name in self.fields for name in wanted) else ()

    def settings(self, before: Cron | None) -> SettingsChanges:
        """before: None for a new check, which has Healthchecks' usual values."""
        given = self.fields
        usual: Json = _USUAL if before is None else {}
        wanted = {**usual, **given}
        schedule = wanted.get("schedule") or (f"@every {wanted['timeout']}s" if "timeout" in wanted else UNSET)
        return SettingsChanges(
            schedule=schedule,
            timezone=wanted.get("tz", UNSET),
            description=wanted.get("desc", UNSET),
            grace_seconds=wanted.get("grace", UNSET),
            tags=tuple(dict.fromkeys(wanted["tags"].split())) if "tags" in wanted else UNSET,
            slug=wanted.get("slug", UNSET),
            resumes_on_signal=not wanted["manual_resume"] if "manual_resume" in wanted else UNSET,
            kept=self._kept(before),
        )

    def _kept(self, before: Cron | None) -> str | None:
        kept = {} if before is None else kept_of(before)
        kept |= {name: self.fields[name] for name in _KEPT if name in self.fields}
        if "name" in self.fields or before is None:
            kept["name"] = None if self.fields.get("name", "").strip() else ""
        if "channels" in self.fields:
            kept["channels"] = self.fields["channels"]
        for old, name in (("subject", "success_kw"), ("subject_fail", "failure_kw")):
            if old in self.fields:
                kept[name] = self.fields[old]
                kept["filter_subject"] = bool(kept.get("success_kw") or kept.get("failure_kw"))
        kept = {name: value for name, value in kept.items() if value is not None and value != _KEPT.get(name)}
        return json.dumps(kept, ensure_ascii=False, separators=(",", ":")) if kept else None


def kept_of(cron: Cron) -> Json:
    """What only other monitors' APIs know of a cron."""
    found: Json = json.loads(cron.settings.kept) if cron.settings.kept else {}
    return found


# -- what an answer holds


class View(NamedTuple):
    """How a key sees checks."""

    version: int
    readonly: bool = False
    #: Ids of the org's channels.
    channels: tuple[str, ...] = ()


def name_of(cron: Cron) -> str:
    found: str = kept_of(cron).get("name", cron.name)
    return found


def iso(at: datetime | None) -> str | None:
    """ISO 8601 without fractions, as Python's isoformat has it."""
    return None if at is None else at.astimezone(UTC).replace(microsecond=0).isoformat()


def unique_key(cron: Cron) -> str:
    # An id's first half is nearly the same in all of an org, so all of it is hashed.
    return hashlib.sha1(cron.id.replace("-", "").encode()).hexdigest()  # noqa: S324 - a name, not a secret


def check_of(one: Shown, view: View) -> Json:
    cron = one.cron
    kept = {**_KEPT, **kept_of(cron)}
    grace = effective_grace(cron)
    by_subject = kept["filter_subject"]
    found: Json = {
        "name": name_of(cron),
        "slug": slug_of(cron) or "",
        "tags": " ".join(cron.settings.tags),
        "desc": cron.settings.description,
        "grace": int(grace.total_seconds()) if grace is not None else cron.settings.grace_seconds or _USUAL_GRACE,
        "n_pings": cron.signals,
        "status": _status(one, view),
        "started": _is_started(cron),
        "last_ping": iso(cron.last_run.finished_at if cron.last_run else None),
        "next_ping": iso(one.next_expected_at),
        "manual_resume": not cron.settings.resumes_on_signal,
        "methods": kept["methods"],
        "subject": kept["success_kw"] if by_subject else "",
        "subject_fail": kept["failure_kw"] if by_subject else "",
        **{name: kept[name] for name in _KEPT if name != "methods"},
        "badge_url": "",
    }
    if cron.last_run and cron.last_run.duration_ms is not None:
        found["last_duration"] = cron.last_run.duration_ms // 1000
    return {**found, **_addresses(cron, view, kept), **_times(cron)}


def _addresses(cron: Cron, view: View, kept: Json) -> Json:
    if view.readonly:
        return {"unique_key": unique_key(cron)}
    url = f"{settings.base_url()}/api/v{view.version}/checks/{cron.id}"
    return {
        "uuid": cron.id,
        # Text, as clients of Healthchecks read it; empty where the organization wants keys.
        "ping_url": f"{settings.base_url()}/ping/{cron.id}" if cron.keyless_signals else "",
        "update_url": url,
        "pause_url": f"{url}/pause",
        "resume_url": f"{url}/resume",
        "channels": ",".join(view.channels) if kept.get("channels", "*") == "*" else kept["channels"],
    }


def _times(cron: Cron) -> Json:
    step = interval_of(cron.settings)
    if step is not None:
        return {"timeout": int(step.total_seconds())}
    if cron.settings.schedule is None:
        return {}
    return {"schedule": cron.settings.schedule, "tz": cron.settings.timezone}


def _is_started(cron: Cron) -> bool:
    return any(not run.superseded for run in cron.open_runs)


def _status(one: Shown, view: View) -> str:
    match one.status:
        case DisplayStatus.PAUSED | DisplayStatus.DOWN:
            return one.status.value
        case _ if view.version == 1 and _is_started(one.cron):
            return "started"
        case DisplayStatus.LATE:
            return "grace"
    return "up" if one.cron.last_run is not None else "new"


class Pinged(NamedTuple):
    """A ping as Healthchecks lists it, made from what is recorded of its run."""

    kind: str
    at: datetime
    run: Run
    has_body: bool
    duration_ms: int | None = None


_ENDED = {RunStatus.SUCCESS: "success", RunStatus.FAILED: "fail"}
_STARTED = (*_ENDED, RunStatus.RUNNING, RunStatus.TIMEOUT, RunStatus.ABANDONED, RunStatus.UNKNOWN)


def pings_of(runs: Iterable[Run]) -> list[Pinged]:
    """Latest first: of a run its end, and its start."""
    found: list[Pinged] = []
    for run in runs:
        ended = run.finished_at
        if run.status is RunStatus.LOG and ended is not None:
            found.append(Pinged("log", ended, run, bool(run.message)))
        if run.status in _ENDED and ended is not None:
            found.append(Pinged(_ENDED[run.status], ended, run, bool(run.message), run.duration_ms))
        if run.status in _STARTED and run.started_at is not None:
            is_open = run.status is RunStatus.RUNNING
            found.append(Pinged("start", run.started_at, run, is_open and bool(run.message)))
    return sorted(found, key=lambda one: (one.at, one.kind != "start"), reverse=True)


def ping_of(one: Pinged, number: int, cron_id: str, view: View) -> Json:
    url = f"{settings.base_url()}/api/v{view.version}/checks/{cron_id}/pings/{number}/body"
    duration = {} if one.duration_ms is None else {"duration": one.duration_ms / 1000}
    return {
        "type": one.kind,
        "date": one.at.isoformat(),
        "n": number,
        "scheme": "http",
        "remote_addr": "",
        "method": "",
        "ua": "",
        "rid": one.run.key,
        "body_url": url if one.has_body else None,
        **duration,
    }


def flips_of(found: Iterable[NamedIncident], since: datetime | None, until: datetime | None) -> list[Json]:
    """Latest first: down when an incident opened, up when it was resolved."""
    flips = [(one.incident.opened_at, 0) for one in found]
    flips += [(one.incident.resolved_at, 1) for one in found if one.incident.resolved_at is not None]
    within = [(at, up) for at, up in flips if (since is None or at >= since) and (until is None or at < until)]
    return [{"timestamp": iso(at), "up": up} for at, up in sorted(within, reverse=True)]
