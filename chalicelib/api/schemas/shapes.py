"""What each request may hold."""

from typing import Any

from chalicelib.api.schemas.fields import (
    LONGEST_MS,
    LONGEST_SECONDS,
    Check,
    Field,
    Shape,
    Wrong,
    day,
    decimal,
    email,
    errors_below,
    flag,
    instant,
    list_of,
    name,
    nullable,
    one_of,
    one_of_words,
    optional,
    required,
    schedule,
    slug,
    string,
    text,
    timezone,
    whole,
    whole_text,
    wrong,
)
from chalicelib.domain.accounts.permissions import Role, Scope
from chalicelib.domain.alerts.channel import KINDS, ChannelKind, Severity
from chalicelib.domain.errors import FieldError
from chalicelib.domain.monitor.display_status import DisplayStatus
from chalicelib.domain.monitor.maintenance import LONGEST_MINUTES
from chalicelib.domain.runs.run import RunStatus

MOST_CRONS = 100
MOST_LISTED = 1000
_TAGS = 20
_CRON_IDS = 100
_FILTERED = 50
_URL_LENGTH = 2000
_EXIT_CODES = (-(2**31), 2**32 - 1)

NEW_ORG = Shape({"name": required(name), "slug": required(slug)})
NEW_KEY = Shape({"name": required(name), "scope": optional(one_of(Scope), default=Scope.FULL)})

ORG_CHANGES = Shape({"name": optional(name), "slug": optional(slug)})
ORG_DELETION = Shape({"slug": required(string)})
NEW_PROJECT = Shape({"name": required(name), "description": optional(text(1000), default="")})
PROJECT_CHANGES = Shape({"name": optional(name), "description": optional(text(1000))})
INVITE = Shape({"email": required(email), "role": optional(one_of(Role), default=Role.MEMBER)})
ACCEPT = Shape({"token": required(text(200)), "email": nullable(email), "name": nullable(name)})
MEMBER_CHANGES = Shape({"role": optional(one_of(Role)), "name": optional(name)})

# null: the usual value again.
_SETTINGS = {
    "description": nullable(text(1000)),
    "timezone": nullable(timezone),
    "grace_seconds": nullable(whole(0, LONGEST_SECONDS)),
    "max_runtime_seconds": nullable(whole(1, LONGEST_SECONDS)),
    "anomaly_factor": nullable(decimal(1.1, 1000)),
    "failure_tolerance": nullable(whole(0, 1000)),
    "recovery_threshold": nullable(whole(1, 1000)),
    "tags": nullable(list_of(name, _TAGS)),
    "sla_target": nullable(decimal(0, 100)),
    "reminder_seconds": nullable(whole(300, LONGEST_SECONDS)),
    "project_id": nullable(name),
}
_REGISTERED_CRON = Shape(
    {
        "name": required(name),
        "schedule": Field(schedule, required=True, nullable=True),
        # Names within the service, or ids. How many a cron may have is not a matter of form.
        "depends_on": nullable(list_of(name, MOST_LISTED)),
        **_SETTINGS,
    }
)


def _registered_crons(value: Any) -> list[Any]:
    errors: list[FieldError] = []
    found: list[Any] = []
    with errors_below("", errors):
        found = list_of(_REGISTERED_CRON, MOST_CRONS)(value)
    errors.extend(_repeated_names(value))
    if errors:
        raise Wrong(*errors)
    return found


def _repeated_names(value: Any) -> list[FieldError]:
    crons = value[:MOST_CRONS] if isinstance(value, list) else []
    names = [cron.get("name") if isinstance(cron, dict) else None for cron in crons]
    places: dict[Any, int] = {}
    errors = []
    for place, cron_name in enumerate(names):
        first = places.setdefault(cron_name, place) if isinstance(cron_name, str) else place
        if first != place:
            errors.append(FieldError(f"[{place}].name", f"is the name of crons[{first}] already"))
    return errors


REGISTER = Shape(
    {
        "product": required(name),
        "service": required(name),
        "crons": required(_registered_crons),
        "prune": optional(flag, default=False),
    }
)
CRON_CHANGES = Shape(
    {
        "product": optional(name),
        "service": optional(name),
        "name": optional(name),
        "schedule": nullable(schedule),
        **_SETTINGS,
    }
)

NEW_DEPENDENCY = Shape({"depends_on_id": required(string)})

START = Shape({"run_id": nullable(name), "message": nullable(string), "started_at": nullable(instant)})
HEARTBEATS = {
    "success": "success",
    "ok": "success",
    "failure": "fail",
    "fail": "fail",
    "failed": "fail",
    "error": "fail",
    "running": "running",
}
HEARTBEAT = Shape(
    {
        "status": required(one_of_words(HEARTBEATS)),
        "duration_ms": nullable(whole(0, LONGEST_MS)),
        "run_id": nullable(name),
        "exit_code": nullable(whole(*_EXIT_CODES)),
        "message": nullable(string),
        "started_at": nullable(instant),
        "finished_at": nullable(instant),
    }
)
LOG = Shape({"message": required(string), "run_id": nullable(name)})
# The query of a ping. What else is in the query is let be: no signal is lost over it.
PING = Shape(
    {
        "rid": optional(name),
        "duration_ms": optional(whole_text(0, LONGEST_MS)),
        "exit_code": optional(whole_text(*_EXIT_CODES)),
        "msg": optional(string),
    },
    lenient=True,
)

_PAGE = {"limit": optional(whole_text(1, MOST_LISTED), default=100), "cursor": optional(string)}
PAGE_QUERY = Shape(_PAGE)
CRON_QUERY = Shape(
    {
        **_PAGE,
        "product": optional(string),
        "service": optional(string),
        "search": optional(string),
        "project_id": optional(string),
        "status": optional(one_of(DisplayStatus)),
        "tag": optional(string),
    }
)
RUN_QUERY = Shape(
    {
        **_PAGE,
        "status": optional(one_of(RunStatus)),
        "from": optional(instant),
        "to": optional(instant),
    }
)
INCIDENT_QUERY = Shape(
    {**_PAGE, "cron_id": optional(string), "status": optional(one_of_words(["open", "resolved"]))}
)
HANDLING = Shape({"by": nullable(name), "note": nullable(text(1000))})
STATS_QUERY = Shape({"from": optional(day), "to": optional(day)})


def _criterion(check: Check, most: int) -> Check:
    """A list of what something is to be one of: an empty one would be read as none, or as all."""

    def check_some(value: Any) -> list[Any]:
        found: list[Any] = list_of(check, most)(value)
        if not found:
            raise wrong("must not be empty: leave it out, or null, for all")
        return found

    return check_some


# null: not set, or not asked for.
_WINDOW = {
    "starts_at": nullable(instant),
    "ends_at": nullable(instant),
    "schedule": nullable(schedule),
    "timezone": nullable(timezone),
    "duration_minutes": nullable(whole(1, LONGEST_MINUTES)),
    "product": nullable(name),
    "service": nullable(name),
    "project_id": nullable(name),
    "tags": nullable(_criterion(name, _TAGS)),
    "cron_ids": nullable(_criterion(string, _CRON_IDS)),
}
NEW_WINDOW = Shape({"name": required(name), **_WINDOW})
WINDOW_CHANGES = Shape({"name": optional(name), **_WINDOW})
WINDOW_QUERY = Shape({**_PAGE, "active": optional(one_of_words(["true", "false"]))})

PREVIEW = Shape(
    {
        "schedule": required(schedule),
        "timezone": optional(timezone, default="UTC"),
        "after": optional(instant),
        "count": optional(whole_text(1, 500), default=10),
    }
)

_FILTERS = Shape(
    {
        "products": optional(list_of(name, _FILTERED), default=()),
        "services": optional(list_of(name, _FILTERED), default=()),
        "project_ids": optional(list_of(name, _FILTERED), default=()),
        "tags": optional(list_of(name, _FILTERED), default=()),
        "kinds": optional(list_of(one_of_words(KINDS), len(KINDS)), default=()),
        "severities": optional(list_of(one_of(Severity), len(Severity)), default=()),
    }
)
NEW_CHANNEL = Shape(
    {
        "name": required(name),
        "kind": required(one_of(ChannelKind)),
        "url": required(text(_URL_LENGTH)),
        "filters": nullable(_FILTERS),
    }
)
CHANNEL_CHANGES = Shape(
    {"name": optional(name), "url": optional(text(_URL_LENGTH)), "filters": nullable(_FILTERS)}
)
ROTATION = Shape({"drop_old": optional(flag, default=False)})
CONFIRMATION = Shape({"token": required(text(200))})
NOTHING = Shape({})
