"""One working example per model, path parameter and problem, for the OpenAPI document.

The tests hold every example against its schema, and send those of requests to the API.
"""

from typing import Any

from chalicelib.api.http.problem_types import BY_STATUS

Json = dict[str, Any]

ORG = "3f2a9c1b7d4e"
CRON = "3f2a9c1b-7d4e-8a6b-9c0d-1e2f3a4b5c6d"
OTHER_CRON = "3f2a9c1b-7d4e-8a6b-9c0d-6d5c4b3a2f1e"
KEY_ID = "01kgy4z8q0v6m2t9r3x5w7c1de"
MEMBER = "01kgy50c3ma8n4p6s2h9j7k5fg"
INVITE = "01kgy4zy7hb5d3f1g9j7k5m3np"
PROJECT = "01kgy51r9tq2s4v6x8z1b3d5fh"
RUN = "01kh0b5m2eg7j9k1m3n5p7q9rs"
INCIDENT = "01kh0c7p4tx6z8a1b3c5d7e9fg"
ALERT = "01kh0c7p4tq9s7v5x3z1b8d6fh"
WINDOW = "01kgy53t1vw3x5y7z9a2b4c6de"
CHANNEL = "01kgy54v3xh5j7k9m2n4p6q8rs"
SESSION = "01kgy52c8m4n6p8q1r3s5t7v9w"
PAGE = "01kgy56x8bc2d4f6h8j1k3m5np"
BADGE = "01kgy55w7ab9c1d3e5f7g9h1jk"
BADGE_ADDRESS = "http://localhost:4000/badge/uD3nq0Jr6vYw2kZt8xLb5mPa"
TOKEN = f"{ORG}.{INVITE}.uD3nq0Jr6vYw2kZt8xLb5mPa9sQc4fHe7gTi1oWy"
PING_URL = f"http://localhost:4000/api/ping/{CRON}"
OUTPUT = "dump: 1204 tables\nwritten to /backup/2026-02-17.sql.gz\n"

PATHS = {
    "slug": "my-org",
    "key_id": KEY_ID,
    "invite_id": INVITE,
    "member_id": MEMBER,
    "project_id": PROJECT,
    "cron_id": CRON,
    "depends_on_id": OTHER_CRON,
    "run_id": RUN,
    "incident_id": INCIDENT,
    "window_id": WINDOW,
    "channel_id": CHANNEL,
    "session_id": SESSION,
    "file": "site.css",
    "badge_id": BADGE,
    "page_id": PAGE,
    "page_path": "my-org",
    "badge_file": "uD3nq0Jr6vYw2kZt8xLb5mPa.svg",
    "target": CRON,
    "part": "start",
    "action": "0",
    "project": "1",
    "monitor": "nightly",
    "org_slug": "my-org",
    "code": CRON,
    "n": "1",
    "hours": "2",
    "token": CRON,
    "sentry_key": "ch_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcd",
    "guide": "crontab",
    "problem": "not-found",
}

_PAGE = {"limit": 100, "cursor": RUN}
_REPORT = {
    "every": "weekly",
    "day": 1,
    "hour": 8,
    "timezone": "Europe/Paris",
    "channel_ids": [],
    "next_at": "2026-03-16T07:00:00Z",
}
_ORG = {
    "id": ORG,
    "slug": "my-org",
    "name": "My org",
    "keyless_signals": True,
    "keyless_signals_pending": False,
    "allowed_origins": ["https://dashboard.example.com"],
    "created_at": "2026-02-08T09:30:00Z",
    "first_contact": True,
    "report": _REPORT,
}
_KEY = {
    "id": KEY_ID,
    "name": "production",
    "scope": "full",
    "role": "owner",
    "member_id": None,
    "made_by": None,
    "last_used_at": "2026-02-17T02:00:00Z",
    "created_at": "2026-02-08T09:30:05Z",
}
_NEW_KEY = {**_KEY, "last_used_at": None, "key": "ch_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcd"}
_INVITE = {
    "id": INVITE,
    "email": "dev@example.com",
    "role": "member",
    "state": "pending",
    "invited_by": "production",
    "created_at": "2026-02-08T09:31:00Z",
    "expires_at": "2026-02-15T09:31:00Z",
}
_MEMBER = {
    "id": MEMBER,
    "email": "dev@example.com",
    "name": "dev",
    "role": "member",
    "created_at": "2026-02-08T09:35:00Z",
}
_BADGE = {
    "id": BADGE,
    "cron_id": CRON,
    "tag": None,
    "label": "backup",
    "svg_url": f"{BADGE_ADDRESS}.svg",
    "json_url": f"{BADGE_ADDRESS}.json",
    "shields_url": f"{BADGE_ADDRESS}.shields",
    "created_at": "2026-02-08T09:37:00Z",
}
_PROJECT = {
    "id": PROJECT,
    "name": "Billing",
    "description": "Everything about money",
    "created_at": "2026-02-08T09:36:00Z",
}
_SETTINGS = {
    "description": "Dumps the database",
    "timezone": "Europe/Paris",
    "grace_seconds": 600,
    "max_runtime_seconds": 3600,
    "anomaly_factor": 3.0,
    "failure_tolerance": 0,
    "recovery_threshold": 1,
    "tags": ["database"],
    "sla_target": 99.5,
    "reminder_seconds": 3600,
    "project_id": PROJECT,
    "slug": "backup",
    "resumes_on_signal": False,
}
_LAST_RUN = {
    "id": RUN,
    "status": "success",
    "started_at": "2026-02-17T01:00:02Z",
    "finished_at": "2026-02-17T01:04:10.250Z",
    "duration_ms": 248250,
}
_ANOMALY = {"kind": "long", "duration_ms": 903000, "average_ms": 250123.5, "factor": 3.0, "alerted": True}
_DRIFT = {"offset_ms": 412000, "tolerance_ms": 300000, "median_offset_ms": 405500.0, "drifting": True}
_RUN = {
    "id": RUN,
    "run_id": "nightly-17",
    "status": "success",
    "scheduled_at": "2026-02-17T01:00:00Z",
    "scheduled_until": None,
    "occurrences": 1,
    "started_at": "2026-02-17T01:00:02Z",
    "finished_at": "2026-02-17T01:04:10.250Z",
    "duration_ms": 248250,
    "offset_ms": 2000,
    "late": False,
    "exit_code": 0,
    "message": "1204 tables",
    "anomaly": None,
    "excused": None,
    "incident_id": None,
    "metrics": {"count": 1204.0},
}
_OPEN_INCIDENT = {"id": INCIDENT, "reason": "missed", "opened_at": "2026-02-16T01:10:00Z", "missed": 1}
_CRON = {
    "id": CRON,
    "product": "shop",
    "service": "nightly",
    "name": "backup",
    "schedule": "0 2 * * *",
    **_SETTINGS,
    "effective_grace_seconds": 600,
    "status": "up",
    "reason": None,
    "depends_on": [OTHER_CRON],
    "open_runs": 0,
    "next_expected_at": "2026-02-18T01:00:00Z",
    "last_signal_at": "2026-02-17T01:04:10.250Z",
    "last_run": _LAST_RUN,
    "incident": None,
    "ping_url": PING_URL,
    "created_at": "2026-02-08T09:40:00Z",
    "archived_at": None,
}
_NAMED = {"id": OTHER_CRON, "name": "rotate-logs", "product": "shop", "service": "nightly", "status": "up"}
_HEARING_HEALTH = {"ok": True, "last_at": "2026-02-17T12:00:01Z", "deaf_since": None, "detail": None}
_TICK_HEALTH = {"ok": True, "last_at": "2026-02-17T12:00:00Z", "age_seconds": 31.2, "behind_since": None}
_DEPENDENCY = {**_NAMED, "completed": True, "reason": None}
_FIGURES = {
    "expected": 1,
    "met": 1,
    "missed": 0,
    "excused": 0,
    "runs": 1,
    "ok": 1,
    "failed": 0,
    "timed_out": 0,
    "late": 0,
    "success_rate": 100.0,
    "average_duration_ms": 248250.0,
    "p50_ms": 248250.0,
    "p95_ms": 248250.0,
    "p99_ms": 248250.0,
    "min_ms": 248250,
    "max_ms": 248250,
}
_SINCE = {**_FIGURES, "since": "2026-02-16T12:00:00Z"}
_STATS = {"24h": _SINCE, "7d": _SINCE, "30d": _SINCE, "90d": _SINCE}
_SLA = {"compliance": 100.0, "met": True, "unmet": 0, "allowed": 0.005, "error_budget_left_percent": 100.0}
_SLAS = {"target": 99.5, "24h": _SLA, "7d": _SLA, "30d": _SLA, "90d": _SLA}
_DAY = {**_FIGURES, "day": "2026-02-17"}
_INCIDENT = {
    "id": INCIDENT,
    "cron_id": CRON,
    "product": "shop",
    "service": "nightly",
    "cron_name": "backup",
    "reason": "missed",
    "status": "resolved",
    "opened_at": "2026-02-16T01:10:00Z",
    "resolved_at": "2026-02-16T08:15:00Z",
    "resolution": "by_hand",
    "missed": 1,
    "acknowledged_at": "2026-02-16T08:00:00Z",
    "acknowledged_by": "Ada",
    "note": "The host was down; it is back",
}
_OPENED = {"at": "2026-02-16T01:10:00Z", "what": "opened", "detail": "missed"}
_ACKNOWLEDGED = {"at": "2026-02-16T08:00:00Z", "what": "acknowledged", "detail": "On it", "by": "Ada"}
_RESOLVED = {
    "at": "2026-02-16T08:15:00Z",
    "what": "resolved",
    "detail": "by_hand",
    "by": "Ada",
    "note": "The host was down; it is back",
}
_TIMELINE = [_OPENED, _ACKNOWLEDGED, _RESOLVED]
_DELIVERY = {
    "channel_id": CHANNEL,
    "state": "delivered",
    "attempts": 1,
    "tried_at": "2026-02-16T01:10:04Z",
    "next_at": None,
    "error": None,
}
_ALERT = {
    "id": ALERT,
    "kind": "missed",
    "at": "2026-02-16T01:10:00Z",
    "detail": "missed: expected at 2026-02-16 02:00 Europe/Paris",
    "deliveries": [_DELIVERY],
}
_WINDOW_IN = {
    "name": "Deploy",
    "starts_at": "2036-02-17T02:00:00Z",
    "ends_at": "2036-02-17T03:00:00Z",
    "product": "shop",
    "tags": ["database"],
}
_WINDOW = {
    "id": WINDOW,
    **_WINDOW_IN,
    "schedule": None,
    "timezone": "UTC",
    "duration_minutes": None,
    "service": None,
    "project_id": None,
    "cron_ids": None,
    "active": False,
    "next_starts_at": "2036-02-17T02:00:00Z",
    "next_ends_at": "2036-02-17T03:00:00Z",
    "created_at": "2026-02-08T09:45:00Z",
}
_FILTERS_IN = {"products": ["shop"], "severities": ["critical", "info"]}
_FILTERS = {"services": [], "project_ids": [], "tags": [], "kinds": [], **_FILTERS_IN}
_CHANNEL_IN = {
    "name": "On call",
    "kind": "webhook",
    "url": "https://93.184.216.34/hooks/cronhub",
    "filters": _FILTERS_IN,
}
_CHANNEL = {
    "id": CHANNEL,
    "name": "On call",
    "kind": "webhook",
    "url": "https://93.184.216.34/…",
    "filters": _FILTERS,
    "live_secrets": 1,
    "confirmed": True,
    "failing": False,
    "failing_since": None,
    "last_error": None,
    "last_delivered_at": "2026-02-16T01:10:04Z",
    "created_at": "2026-02-08T09:46:00Z",
}
_WITH_SECRET = {**_CHANNEL, "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
_IGNORED = {"field": "exit_code", "message": "must be a whole number"}
_BLOCKER = {"id": OTHER_CRON, "name": "rotate-logs", "reason": "running"}
_DONE = {"delivered": True, "outcome": "delivered", "detail": "204"}

_SESSION = {
    "id": SESSION,
    "browser": "Firefox on Linux",
    "key_id": KEY_ID,
    "key_name": "Ann",
    "role": "admin",
    "member_id": MEMBER,
    "created_at": "2026-03-09T08:00:00Z",
    "last_used_at": "2026-03-10T07:00:00Z",
    "expires_at": "2026-05-09T07:00:00Z",
}
EXAMPLES: dict[str, Json] = {
    "AcceptInvite": {"token": TOKEN, "email": "dev@example.com", "name": "dev"},
    "AddDependency": {"depends_on_id": OTHER_CRON},
    "Alive": {"status": "ok"},
    "AnomalyOut": _ANOMALY,
    "BlockerOut": _BLOCKER,
    "ChangeChannel": {"name": "On call", "filters": _FILTERS_IN},
    "ChangeCron": {"name": "backup", "schedule": "0 2 * * *", **_SETTINGS, "grace_seconds": None},
    "ChangeMember": {"role": "admin", "name": "Dev"},
    "ChangeOrg": {
        "name": "My organization",
        "report": {"every": "weekly", "day": 1, "hour": 8, "timezone": "Europe/Paris"},
    },
    "ChangeProject": {"description": "Everything about money"},
    "ChangeWindow": {"ends_at": "2036-02-17T04:00:00Z"},
    "ChannelList": {"channels": [_CHANNEL], "next_cursor": None},
    "ChannelOut": _WITH_SECRET,
    "ConfirmQuery": {"token": f"{ORG}.{CHANNEL}.uD3nq0Jr6vYw2kZt8xLb5mPa9sQc4fHe7gTi1oWy"},
    "Confirmed": {"confirmed": True},
    "CreateChannel": _CHANNEL_IN,
    "CreateKey": {"name": "production", "scope": "full"},
    "CreateOrg": {"name": "My org", "slug": "my-org"},
    "CreateProject": {"name": "Billing", "description": "Everything about money"},
    "CreateWindow": _WINDOW_IN,
    "CronDetails": {
        **_CRON,
        "stats": _STATS,
        "sla": _SLAS,
        "anomalies": [{**_RUN, "duration_ms": 903000, "anomaly": _ANOMALY}],
        "drift": None,
        "dependencies": [_DEPENDENCY],
        "dependants": [],
        "next_runs": ["2026-02-18T01:00:00Z", "2026-02-19T01:00:00Z"],
        "schedule_proposal": {"schedule": "30 2 * * 1-5", "timezone": "UTC", "runs": 12},
    },
    "CronList": {"crons": [_CRON], "next_cursor": None},
    "CronOut": _CRON,
    "CronQuery": {"limit": 100, "product": "shop", "service": "nightly", "search": "back", "status": "up"},
    "DayFigures": _DAY,
    "DeepHealth": {
        "status": "ok",
        "store": {"ok": True},
        "queue": {"ok": True},
        "tick": _TICK_HEALTH,
        "hearing": _HEARING_HEALTH,
    },
    "DeleteOrg": {"slug": "my-org"},
    "DeliveryOut": _DELIVERY,
    "Dependencies": {"dependencies": [_DEPENDENCY], "dependants": []},
    "DependencyOut": _DEPENDENCY,
    "DriftOut": _DRIFT,
    "Figures": _FIGURES,
    "FiguresSince": _SINCE,
    "FiltersIn": _FILTERS_IN,
    "FiltersOut": _FILTERS,
    "HandleIncident": {"by": "Ada", "note": "On it"},
    "HearingHealth": _HEARING_HEALTH,
    "HeartbeatBody": {"status": "success", "duration_ms": 1234, "run_id": "nightly-17", "exit_code": 0},
    "IncidentDetails": {**_INCIDENT, "timeline": _TIMELINE, "alerts": [_ALERT]},
    "IncidentList": {"incidents": [_INCIDENT], "next_cursor": None},
    "IncidentOut": _INCIDENT,
    "IncidentQuery": {**_PAGE, "cron_id": CRON, "status": "open"},
    "IncidentTimeline": {**_INCIDENT, "timeline": _TIMELINE},
    "InviteList": {"invites": [{**_INVITE, "expired": False}], "next_cursor": None},
    "InviteMail": {"sent": True, "error": None},
    "InviteMember": {"email": "dev@example.com", "role": "member"},
    "KeyList": {"api_keys": [_KEY], "next_cursor": None},
    "KeyOut": _KEY,
    "LastRunOut": _LAST_RUN,
    "ListedInvite": {**_INVITE, "expired": False},
    "LogBody": {"message": "rotated 3 files", "run_id": "nightly-17"},
    "MemberList": {"members": [_MEMBER], "next_cursor": None},
    "MemberOut": _MEMBER,
    "NamedCron": _NAMED,
    "NewInvite": {**_INVITE, "link": None, "mail": {"sent": True, "error": None}},
    "NewKeyOut": _NEW_KEY,
    "NewMember": {**_NEW_KEY, "name": "dev", "role": "member", "member_id": MEMBER, "member": _MEMBER},
    "OpenIncidentOut": _OPEN_INCIDENT,
    "OrgDeleting": {"status": "deleting"},
    "OrgOut": _ORG,
    "PageQuery": _PAGE,
    "PartHealth": {"ok": True},
    "PeriodFigures": _STATS,
    "PeriodSlas": _SLAS,
    "PingOut": {"ok": True, "run_id": RUN, "ignored": [_IGNORED]},
    "PingQuery": {"rid": "nightly-17", "duration_ms": 1234, "exit_code": 0, "msg": "1204 tables"},
    "Preview": {
        "schedule": "30 2 * * 1-5",
        "timezone": "Europe/Paris",
        "description": "At 02:30, Monday through Friday",
        "next_runs": ["2026-02-18T01:30:00Z", "2026-02-19T01:30:00Z"],
    },
    "PreviewQuery": {"schedule": "30 2 * * 1-5", "timezone": "Europe/Paris", "count": 2},
    "SessionOut": _SESSION,
    "SessionList": {
        "sessions": [_SESSION],
        "next_cursor": None,
    },
    "LookAtInvite": {"token": TOKEN},
    "InviteSeen": {
        "org_name": "My org",
        "org_slug": "my-org",
        "role": "member",
        "email": "dev@example.com",
        "invited_by": "Ann",
        "expires_at": "2026-03-17T12:00:00Z",
    },
    "ProjectList": {"projects": [_PROJECT], "next_cursor": None},
    "ProjectOut": _PROJECT,
    "RegisterCron": {"name": "backup", "schedule": "0 2 * * *", "timezone": "Europe/Paris"},
    "RegisterCrons": {
        "product": "shop",
        "service": "nightly",
        "crons": [
            {"name": "rotate-logs", "schedule": "30 1 * * *"},
            {"name": "backup", "schedule": "0 2 * * *", **_SETTINGS, "depends_on": ["rotate-logs"]},
        ],
        "prune": False,
    },
    "RegisteredCron": {
        "id": CRON,
        "name": "backup",
        "result": "created",
        "ping_url": PING_URL,
        "next_expected_at": "2026-02-18T01:00:00Z",
    },
    "RotateSecret": {"drop_old": False},
    "RunList": {"runs": [_RUN], "next_cursor": None},
    "RunOut": _RUN,
    "RunQuery": {**_PAGE, "status": "failed", "from": "2026-02-01T00:00:00Z", "to": "2026-03-01T00:00:00Z"},
    "SentAlert": _ALERT,
    "SignalOut": {
        "run": _RUN,
        "status": "up",
        "anomaly": None,
        "drift": None,
        "next_expected_at": "2026-02-18T01:00:00Z",
        "replay": False,
        "ignored": [],
    },
    "SlaOut": _SLA,
    "StartBody": {"run_id": "nightly-17", "message": "on host db-2"},
    "StatsOut": {"from": "2026-02-17", "to": "2026-02-17", "days": [_DAY], "total": _FIGURES},
    "StatsQuery": {"from": "2026-02-01", "to": "2026-02-17"},
    "TestChannel": {},
    "TestOutcome": _DONE,
    "TickHealth": _TICK_HEALTH,
    "TimelineEntry": _RESOLVED,
    "WindowList": {"maintenance": [_WINDOW], "next_cursor": None},
    "WindowOut": _WINDOW,
    "WindowQuery": {**_PAGE, "active": True},
    "WrongField": _IGNORED,
}
_PAGE_CRON = {"cron_id": CRON, "name": "Nightly backup", "group": "Databases"}
_PAGE_IN = {
    "title": "My org",
    "description": "The jobs behind our reports",
    "address": "slug",
    "crons": [_PAGE_CRON],
    "show_uptime": True,
    "show_incidents": True,
    "show_maintenance": True,
}
_PAGE_OUT = {
    "id": PAGE,
    **_PAGE_IN,
    "url": "http://localhost:4000/status/my-org",
    "feed_url": "http://localhost:4000/status/my-org/feed",
    "created_at": "2026-02-08T09:38:00Z",
}
EXAMPLES["ReportIn"] = {"every": "weekly", "day": 1, "hour": 8, "timezone": "Europe/Paris", "channel_ids": []}
EXAMPLES["ReportOut"] = _REPORT
EXAMPLES["ChangeStatusPage"] = {"title": "My jobs", "crons": [_PAGE_CRON]}
EXAMPLES["CreateStatusPage"] = {**_PAGE_IN, "address": "secret"}
EXAMPLES["PageCronIn"] = _PAGE_CRON
EXAMPLES["PageCronOut"] = _PAGE_CRON
EXAMPLES["StatusPageList"] = {"status_pages": [_PAGE_OUT], "next_cursor": None}
EXAMPLES["StatusPageOut"] = _PAGE_OUT
EXAMPLES["BadgeList"] = {"badges": [_BADGE], "next_cursor": None}
EXAMPLES["BadgeOut"] = _BADGE
EXAMPLES["CreateBadge"] = {"tag": "database", "label": "Database jobs"}
EXAMPLES["HealthchecksError"] = {"error": "json validation error: name is not a string"}
EXAMPLES["PushFailure"] = {"ok": False, "msg": "Monitor not found or not active."}
EXAMPLES["ProposalOut"] = {"schedule": "30 2 * * 1-5", "timezone": "UTC", "runs": 12}
EXAMPLES["SentryError"] = {"detail": "this API key is unknown or was revoked"}
EXAMPLES["SentryId"] = {"id": "83a7c03ed0a04e1b97e2e3b18d38f244"}
EXAMPLES["SentryMonitorsQuery"] = {"cursor": "0:100:0"}
_COUNTS = {"new": 3, "up": 54, "late": 1, "blocked": 0, "down": 2, "in_maintenance": 1, "paused": 2}
EXAMPLES["CronCounts"] = {"total": sum(_COUNTS.values()), **_COUNTS}
EXAMPLES["MetricsQuery"] = {"per_cron": True, "limit": 1000, "product": "shop", "service": "nightly"}
EXAMPLES["Overview"] = {"crons": EXAMPLES["CronCounts"]}
EXAMPLES["RegisteredCrons"] = {
    "crons": [
        {**EXAMPLES["RegisteredCron"], "id": OTHER_CRON, "name": "rotate-logs"},
        EXAMPLES["RegisteredCron"],
    ],
    "archived": [],
}
EXAMPLES["Problem"] = {
    "type": "http://localhost:4000/problems/invalid",
    "title": "Unprocessable Content",
    "status": 422,
    "detail": "crons[0].schedule: minute: 61 is not within 0-59",
    "errors": [{"field": "crons[0].schedule", "message": "minute: 61 is not within 0-59"}],
}

_DETAILS = {
    400: ("Bad Request", "the body must be a JSON object"),
    401: ("Unauthorized", "this API key is unknown or was revoked"),
    403: ("Forbidden", "this key (role viewer, scope full) may not make changes"),
    404: ("Not Found", "no such cron"),
    409: ("Conflict", "the slug my-org is taken"),
    410: ("Gone", "this invitation was used, revoked or has expired"),
    413: ("Content Too Large", "the body is over 102400 bytes"),
    415: ("Unsupported Media Type", "send the body as Content-Type: application/json"),
    429: ("Too Many Requests", "too many new organizations from this address: at most 300 in 3600 s"),
    500: ("Internal Server Error", "something went wrong on our side; it was logged"),
    503: (
        "Service Unavailable",
        "the store does not answer; it is not known whether this was saved, please retry",
    ),
}
#: The bodies of the documentation's curl lines, by handler, where they are not the example itself; "" for none.
CURL_BODIES: dict[str, Json | str] = {
    "create_org": {"name": "Mon Org", "slug": "mon-org"},
    "create_key": {"name": "production"},
    "register_crons": {
        "product": "MonProduit",
        "service": "mon-service",
        "crons": [{"name": "daily-cleanup", "schedule": "0 2 * * *"}],
    },
    "start": {},
    "heartbeat": {"status": "success", "duration_ms": 1234},
    "log": {"message": "rotated 3 files"},
    "open_log": "rotated 3 files",
    "change_cron": {"schedule": "30 2 * * *", "timezone": "Europe/Paris", "grace_seconds": 600},
    "create_window": {
        "name": "Deploy v2",
        "starts_at": "2026-02-17T02:00:00Z",
        "ends_at": "2026-02-17T03:00:00Z",
    },
    "invite": {"email": "dev@example.com", "role": "member"},
    "accept": {"token": TOKEN},
    "acknowledge": {"note": "On it"},
    "resolve": {"note": "The host was down; it is back"},
}
#: Answers that say more than the example of their type, by handler.
ANSWERS: dict[str, Json] = {
    "create_org": {**EXAMPLES["OrgOut"], "name": "Mon Org", "slug": "mon-org"},
    "register_crons": {
        "crons": [
            {**EXAMPLES["RegisteredCron"], "name": "daily-cleanup", "next_expected_at": "2026-02-18T02:00:00Z"}
        ],
        "archived": [],
    },
    "heartbeat": {
        **EXAMPLES["SignalOut"],
        "run": {**_RUN, "run_id": None, "duration_ms": 1234, "exit_code": None, "message": None, "metrics": {}},
    },
    "create_window": {
        **_WINDOW,
        "name": "Deploy v2",
        "starts_at": "2026-02-17T02:00:00Z",
        "ends_at": "2026-02-17T03:00:00Z",
        "product": None,
        "tags": None,
        "next_starts_at": None,
        "next_ends_at": None,
    },
    "start": {
        **EXAMPLES["SignalOut"],
        "status": "running",
        "run": {
            **_RUN,
            "run_id": None,
            "status": "running",
            "finished_at": None,
            "duration_ms": None,
            "exit_code": None,
            "message": None,
            "metrics": {},
        },
    },
}
#: Whole curl lines of the documentation, by handler: protocols of others have forms of their own.
CURL_LINES = {
    "hc_ping_slug": "curl http://localhost:4000/ping/ch_xxx/daily-cleanup/start",
    "bare_ping_slug": "curl http://localhost:4000/ch_xxx/daily-cleanup/start",
    "hc_checks_v3": "curl http://localhost:4000/api/v3/checks/ -H 'X-Api-Key: ch_xxx'",
    "hc_create_check_v3": (
        "curl -X POST http://localhost:4000/api/v3/checks/ -H 'X-Api-Key: ch_xxx' "
        """-d '{"name":"Backup","schedule":"0 2 * * *","tz":"Europe/Paris"}'"""
    ),
    "hc_check_v3": "curl http://localhost:4000/api/v3/checks/ID -H 'X-Api-Key: ch_xxx'",
    "hc_update_check_v3": (
        """curl -X POST http://localhost:4000/api/v3/checks/ID -H 'X-Api-Key: ch_xxx' -d '{"grace":3600}'"""
    ),
    "hc_delete_check_v3": "curl -X DELETE http://localhost:4000/api/v3/checks/ID -H 'X-Api-Key: ch_xxx'",
    "hc_pause_v3": "curl -X POST http://localhost:4000/api/v3/checks/ID/pause -H 'X-Api-Key: ch_xxx'",
    "hc_resume_v3": "curl -X POST http://localhost:4000/api/v3/checks/ID/resume -H 'X-Api-Key: ch_xxx'",
    "hc_pings_v3": "curl http://localhost:4000/api/v3/checks/ID/pings/ -H 'X-Api-Key: ch_xxx'",
    "hc_ping_body_v3": "curl http://localhost:4000/api/v3/checks/ID/pings/1/body -H 'X-Api-Key: ch_xxx'",
    "hc_flips_v3": "curl http://localhost:4000/api/v3/checks/ID/flips/ -H 'X-Api-Key: ch_xxx'",
    "hc_channels_v3": "curl http://localhost:4000/api/v3/channels/ -H 'X-Api-Key: ch_xxx'",
    "hc_badges_v3": "curl http://localhost:4000/api/v3/badges/ -H 'X-Api-Key: ch_xxx'",
    "cronitor_list": "curl http://localhost:4000/api/monitors -u ch_xxx:",
    "cronitor_put": (
        "curl -X PUT http://localhost:4000/api/monitors -u ch_xxx: -H 'Content-Type: application/json' "
        """-d '{"monitors":[{"key":"daily-cleanup","type":"job","schedule":"0 2 * * *"}]}'"""
    ),
    "cronitor_list_yaml": "curl http://localhost:4000/api/monitors.yaml -u ch_xxx:",
    "cronitor_put_yaml": (
        "curl -X PUT http://localhost:4000/api/monitors.yaml -u ch_xxx: -H 'Content-Type: application/yaml' "
        """--data-binary $'jobs:\\n  daily-cleanup:\\n    schedule: "0 2 * * *"\\n'"""
    ),
    "cronitor_get": "curl http://localhost:4000/api/monitors/daily-cleanup -u ch_xxx:",
    "cronitor_delete": "curl -X DELETE http://localhost:4000/api/monitors/daily-cleanup -u ch_xxx:",
    "cronitor_pause": "curl http://localhost:4000/api/monitors/daily-cleanup/pause -u ch_xxx:",
    "cronitor_pause_for": "curl http://localhost:4000/api/monitors/daily-cleanup/pause/2 -u ch_xxx:",
    "kuma_push": "curl 'http://localhost:4000/api/push/CRON_ID?status=up&msg=OK'",
    "cronitor_ping": "curl 'http://localhost:4000/p/ch_xxx/daily-cleanup?state=complete'",
    "sentry_envelope": (
        "curl -X POST 'http://localhost:4000/api/1/envelope/?sentry_key=ch_xxx' --data-binary "
        """$'{}\\n{"type":"check_in"}\\n{"check_in_id":"5a9c1e3f7b2d4068a1c3e5f709b2d468","""
        """"monitor_slug":"daily-cleanup","status":"ok"}'"""
    ),
    "sentry_cron": "curl 'http://localhost:4000/api/1/cron/daily-cleanup?sentry_key=ch_xxx&status=ok'",
    "sentry_cron_with_key": "curl 'http://localhost:4000/api/1/cron/daily-cleanup/ch_xxx?status=ok'",
    "sentry_monitors": (
        "curl http://localhost:4000/api/0/organizations/mon-org/monitors/ -H 'Authorization: Bearer ch_xxx'"
    ),
}
#: The queries of the documentation's curl lines, by handler.
CURL_QUERIES: dict[str, Json] = {
    "preview": {"schedule": "30 2 * * 1-5", "timezone": "Europe/Paris"},
    "confirm_channel": {"token": "TOKEN"},
}

#: A problem of each status.
PROBLEMS: dict[int, Json] = {
    status: {"type": BY_STATUS[status].url, "title": title, "status": status, "detail": detail}
    for status, (title, detail) in _DETAILS.items()
} | {422: EXAMPLES["Problem"]}
#: Problems that share their status with another, or come from the gateway.
OTHER_PROBLEMS: dict[str, Json] = {
    "blocked": {
        "type": "http://localhost:4000/problems/blocked",
        "title": "Conflict",
        "status": 409,
        "detail": "what this cron depends on is not completed: rotate-logs",
        "blocked_by": [_BLOCKER],
    },
    "method-not-allowed": {
        "type": "http://localhost:4000/problems/method-not-allowed",
        "title": "Method Not Allowed",
        "status": 405,
        "detail": "This path takes GET, HEAD.",
    },
}
