"""What domain values look like in answers."""

from datetime import datetime
from typing import Any

from chalicelib import settings
from chalicelib.api.json_answers import instant
from chalicelib.domain.anomaly import Anomaly
from chalicelib.domain.cron import Cron, LastRun
from chalicelib.domain.deadlines import effective_grace
from chalicelib.domain.decision import Decision
from chalicelib.domain.drift import Drift
from chalicelib.domain.occurrences import END_OF_TIME, occurrences
from chalicelib.domain.org import ApiKey, Org
from chalicelib.domain.run import Run
from chalicelib.domain.shown import shown
from chalicelib.store.incidents import NamedIncident

_NEXT_RUNS = 10
_MESSAGE_IN_LIST = 200

Json = dict[str, Any]


def org(one: Org) -> Json:
    return {"id": one.id, "slug": one.slug, "name": one.name, "created_at": instant(one.created_at)}


def api_key(key: ApiKey) -> Json:
    return {
        "id": key.id,
        "name": key.name,
        "scope": key.scope.value,
        "created_at": instant(key.created_at),
    }


def ping_url(cron: Cron) -> str:
    return f"{settings.base_url()}/api/ping/{cron.id}"


def cron(one: Cron, now: datetime) -> Json:
    """A cron as lists show it."""
    grace = effective_grace(one)
    return {
        "id": one.id,
        "product": one.product,
        "service": one.service,
        "name": one.name,
        **_settings(one),
        "effective_grace_seconds": None if grace is None else int(grace.total_seconds()),
        "status": shown(one, now).value,
        "reason": one.reason.value if one.reason else None,
        "open_runs": len(one.open_runs),
        "next_expected_at": instant(one.expected_at),
        "last_signal_at": instant(one.last_signal_at),
        "last_run": last_run(one.last_run),
        "incident": _open_incident(one),
        "ping_url": ping_url(one),
        "created_at": instant(one.created_at),
        "archived_at": instant(one.archived_at),
    }


def _settings(one: Cron) -> Json:
    values = one.settings
    return {
        "description": values.description,
        "schedule": values.schedule,
        "timezone": values.timezone,
        "grace_seconds": values.grace_seconds,
        "max_runtime_seconds": values.max_runtime_seconds,
        "anomaly_factor": values.anomaly_factor,
        "failure_tolerance": values.failure_tolerance,
        "recovery_threshold": values.recovery_threshold,
        "tags": list(values.tags),
        "sla_target": values.sla_target,
        "project_id": values.project_id,
    }


def next_runs(one: Cron, now: datetime) -> list[str | None]:
    times = occurrences(one)
    if times is None:
        return []
    return [instant(at) for at in times.between(now, END_OF_TIME, _NEXT_RUNS)]


def _open_incident(one: Cron) -> Json | None:
    if one.incident is None:
        return None
    return {
        "id": one.incident.id,
        "reason": one.reason.value if one.reason else None,
        "opened_at": instant(one.incident.opened_at),
        "missed": one.incident.missed,
    }


def last_run(run: LastRun | None) -> Json | None:
    if run is None:
        return None
    return {
        "id": run.id,
        "status": run.status.value,
        "started_at": instant(run.started_at),
        "finished_at": instant(run.finished_at),
        "duration_ms": run.duration_ms,
    }


def run(one: Run) -> Json:
    return {
        "id": one.id,
        "run_id": one.key,
        "status": one.status.value,
        "scheduled_at": instant(one.scheduled_at),
        "scheduled_until": instant(one.scheduled_until),
        "occurrences": one.occurrences,
        "started_at": instant(one.started_at),
        "finished_at": instant(one.finished_at),
        "duration_ms": one.duration_ms,
        "offset_ms": one.offset_ms,
        "late": one.late,
        "exit_code": one.exit_code,
        "message": one.message,
        "anomaly": anomaly(one.anomaly),
    }


def listed_run(one: Run) -> Json:
    """As `run`, with no more than the beginning of its message."""
    shape = run(one)
    if one.message is not None and len(one.message) > _MESSAGE_IN_LIST:
        shape["message"] = one.message[:_MESSAGE_IN_LIST] + "…"
    return shape


def anomaly(one: Anomaly | None) -> Json | None:
    if one is None:
        return None
    return {
        "kind": one.kind.value,
        "duration_ms": one.duration_ms,
        "average_ms": round(one.average_ms, 3),
        "factor": one.factor,
        "alerted": one.told,
    }


def drift(one: Drift | None) -> Json | None:
    if one is None:
        return None
    return {
        "offset_ms": one.offset_ms,
        "tolerance_ms": one.tolerance_ms,
        "median_offset_ms": one.median_ms,
        "drifting": one.drifting,
    }


def signal(decision: Decision, now: datetime) -> Json:
    """The answer to a signal with a key."""
    return {
        "run": run(decision.run) if decision.run else None,
        "status": shown(decision.cron, now).value,
        "anomaly": anomaly(decision.anomaly),
        "drift": drift(decision.drift),
        "next_expected_at": instant(decision.cron.expected_at),
        "replay": decision.replay,
    }


def incident(named: NamedIncident) -> Json:
    one = named.incident
    return {
        "id": one.id,
        "cron_id": one.cron_id,
        "product": named.product,
        "service": named.service,
        "cron_name": named.cron_name,
        "reason": one.reason.value,
        "status": "open" if one.resolved_at is None else "resolved",
        "opened_at": instant(one.opened_at),
        "resolved_at": instant(one.resolved_at),
        "resolution": one.resolution.value if one.resolution else None,
        "missed": one.missed,
    }
