"""What domain values look like in answers."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from chalicelib import settings
from chalicelib.api.http.json import instant
from chalicelib.domain.accounts.api_key import ApiKey
from chalicelib.domain.accounts.org import Org
from chalicelib.domain.alerts.outbox import Outgoing
from chalicelib.domain.monitor.cron import Cron, LastRun
from chalicelib.domain.monitor.deadlines import effective_grace, tolerance_of
from chalicelib.domain.monitor.decision import Decision
from chalicelib.domain.monitor.dependencies import Blocker
from chalicelib.domain.monitor.display_status import display_status
from chalicelib.domain.monitor.expectation import occurrences
from chalicelib.domain.monitor.incident import NamedIncident
from chalicelib.domain.monitor.maintenance import MaintenanceWindow
from chalicelib.domain.runs.anomaly import Anomaly
from chalicelib.domain.runs.counts import Counts
from chalicelib.domain.runs.drift import Drift, drift_of
from chalicelib.domain.runs.run import Run
from chalicelib.domain.runs.sla import Sla, sla_of
from chalicelib.domain.schedule.occurrences import END_OF_TIME
from chalicelib.services.crons import shown_in
from chalicelib.services.statistics import Details

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
        "role": key.role.value,
        "member_id": key.member_id,
        "made_by": key.made_by,
        "last_used_at": instant(key.last_used_at),
        "created_at": instant(key.created_at),
    }


def ping_url(cron: Cron) -> str:
    return f"{settings.base_url()}/api/ping/{cron.id}"


def cron(one: Cron, now: datetime, windows: Sequence[MaintenanceWindow]) -> Json:
    """A cron as lists show it, in an org with these maintenance windows."""
    grace = effective_grace(one)
    return {
        "id": one.id,
        "product": one.product,
        "service": one.service,
        "name": one.name,
        **_settings(one),
        "effective_grace_seconds": None if grace is None else int(grace.total_seconds()),
        "status": shown_in(one, now, windows).value,
        "reason": one.reason.value if one.reason else None,
        "depends_on": list(one.depends_on),
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
        "reminder_seconds": values.reminder_seconds,
        "project_id": values.project_id,
    }


def next_runs(one: Cron, now: datetime) -> list[str | None]:
    times = occurrences(one)
    if times is None:
        return []
    return [instant(at) for at in times.between(now, END_OF_TIME, _NEXT_RUNS)]


def details(found: Details, now: datetime) -> Json:
    one = found.cron
    return {
        **cron(one, now, found.windows),
        "stats": {
            name: {"since": instant(since), **counts(sums)} for name, (since, sums) in found.periods.items()
        },
        "sla": {"target": one.settings.sla_target, **_slas(found)},
        "anomalies": [listed_run(run) for run in found.recent if run.anomaly],
        "drift": drift(_drift_of(one)),
        **dependencies(found.dependencies, found.dependants, now),
        "next_runs": next_runs(one, now),
    }


def _slas(found: Details) -> Json:
    target = found.cron.settings.sla_target
    return {name: sla(sla_of(period.counts, target)) for name, period in found.periods.items()}


def sla(one: Sla) -> Json:
    return {
        "compliance": _rounded(one.compliance),
        "met": one.is_met,
        "unmet": one.unmet,
        "allowed": _rounded(one.allowed),
        "error_budget_left_percent": _rounded(one.budget_left_percent),
    }


def _drift_of(one: Cron) -> Drift | None:
    tolerance_ms = tolerance_of(one) // timedelta(milliseconds=1)
    return drift_of(one.offsets_ms[-1] if one.offsets_ms else None, one.offsets_ms, tolerance_ms)


def dependencies(waited_for: list[tuple[Cron, Blocker | None]], waiting: list[Cron], now: datetime) -> Json:
    """Both directions: what a cron depends on, and what depends on it."""
    return {
        "dependencies": [dependency(one, blocker, now) for one, blocker in waited_for],
        "dependants": [_named(one, now) for one in waiting],
    }


def dependency(one: Cron, blocker: Blocker | None, now: datetime) -> Json:
    reason = None if blocker is None else blocker.reason.value
    return {**_named(one, now), "completed": blocker is None, "reason": reason}


def _named(one: Cron, now: datetime) -> Json:
    return {
        "id": one.id,
        "name": one.name,
        "product": one.product,
        "service": one.service,
        "status": display_status(one, now).value,
    }


def counts(one: Counts) -> Json:
    durations = one.durations
    return {
        **dict(zip(one._fields, one.numbers, strict=False)),
        "success_rate": _rounded(100 * one.ok / one.runs) if one.runs else None,
        "average_duration_ms": _rounded(durations.average_ms),
        "p50_ms": _rounded(durations.percentile(0.5)),
        "p95_ms": _rounded(durations.percentile(0.95)),
        "p99_ms": _rounded(durations.percentile(0.99)),
        "min_ms": durations.min_ms if durations.runs else None,
        "max_ms": durations.max_ms if durations.runs else None,
    }


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 3)


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
        "excused": one.excused.value if one.excused else None,
        "incident_id": one.incident_id,
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
        "status": display_status(decision.cron, now).value,
        "anomaly": anomaly(decision.anomaly),
        "drift": drift(decision.drift),
        "next_expected_at": instant(decision.cron.expected_at),
        "replay": decision.replay,
    }


def incident(named: NamedIncident) -> Json:
    """`note`: the last one that somebody made."""
    one, acknowledged = named.incident, named.acknowledged
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
        "acknowledged_at": instant(acknowledged.at) if acknowledged else None,
        "acknowledged_by": acknowledged.by if acknowledged else None,
        "note": named.resolution_note or (acknowledged.note if acknowledged else None),
    }


def incident_details(named: NamedIncident) -> Json:
    """With what happened in it, in order."""
    one, acknowledged = named.incident, named.acknowledged
    timeline: list[Json] = [{"at": instant(one.opened_at), "what": "opened", "detail": one.reason.value}]
    if acknowledged is not None:
        by = {"by": acknowledged.by, "detail": acknowledged.note}
        timeline.append({"at": instant(acknowledged.at), "what": "acknowledged", **by})
    if one.resolved_at is not None and one.resolution is not None:
        by = {"by": named.resolved_by, "note": named.resolution_note} if named.resolved_by else {}
        timeline.append({"at": instant(one.resolved_at), "what": "resolved", "detail": one.resolution.value, **by})
    return {**incident(named), "timeline": timeline}


def outgoing(one: Outgoing) -> Json:
    """An alert, and how far each channel is with it."""
    return {
        "id": one.alert.id,
        "kind": one.alert.kind.value,
        "at": instant(one.alert.at),
        "detail": one.alert.detail,
        "deliveries": [
            {
                "channel_id": channel_id,
                "state": delivery.state.value,
                "attempts": delivery.attempts,
                "tried_at": instant(delivery.tried_at),
                "next_at": instant(delivery.next_at),
                "error": delivery.error,
            }
            for channel_id, delivery in sorted(one.deliveries.items())
        ],
    }
