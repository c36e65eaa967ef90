"""What each request may hold."""

from typing import Any

from marshmallow import ValidationError, fields, validates_schema
from marshmallow.validate import Length, OneOf

from chalicelib.api.fields import (
    LONGEST_MS,
    LONGEST_SECONDS,
    Decimal,
    Flag,
    Instant,
    Shape,
    Text,
    Whole,
    WholeText,
    name,
    schedule,
    slug,
    text,
    timezone,
)
from chalicelib.domain.org import Scope
from chalicelib.domain.run import RunStatus
from chalicelib.domain.shown import Shown

MOST_CRONS = 100
MOST_LISTED = 1000
_TAGS = 20
_RUN_KEY_LENGTH = 128
_EXIT_CODES = (-(2**31), 2**32 - 1)


def _one_of(choices: Any) -> OneOf:
    values = [choice.value for choice in choices]
    return OneOf(values, error=f"must be one of {', '.join(values)}")


class NewOrg(Shape):
    name = name(required=True)
    slug = Text(required=True, validate=slug)


class NewKey(Shape):
    name = name(required=True)
    scope = Text(load_default=Scope.FULL.value, validate=_one_of(Scope))


class SettingsShape(Shape):
    """The settings of a cron. null: the usual value again."""

    description = text(1000, allow_none=True)
    timezone = Text(validate=timezone, allow_none=True)
    grace_seconds = Whole(0, LONGEST_SECONDS, allow_none=True)
    max_runtime_seconds = Whole(1, LONGEST_SECONDS, allow_none=True)
    anomaly_factor = Decimal(1.1, 1000, allow_none=True)
    failure_tolerance = Whole(0, 1000, allow_none=True)
    recovery_threshold = Whole(1, 1000, allow_none=True)
    tags = fields.List(
        name(),
        validate=Length(max=_TAGS, error=f"must be at most {_TAGS} tags"),
        allow_none=True,
        error_messages={"invalid": "must be a list of strings"},
    )
    sla_target = Decimal(0, 100, allow_none=True)
    project_id = name(allow_none=True)


class RegisteredCron(SettingsShape):
    name = name(required=True)
    schedule = Text(required=True, validate=schedule, allow_none=True)


class Register(Shape):
    product = name(required=True)
    service = name(required=True)
    prune = Flag(load_default=False)
    crons = fields.List(
        fields.Nested(RegisteredCron),
        required=True,
        validate=Length(max=MOST_CRONS, error=f"must be at most {MOST_CRONS} crons"),
        error_messages={"invalid": "must be a list of crons"},
    )

    @validates_schema(skip_on_field_errors=False)
    def _names_differ(self, data: dict[str, Any], **_kwargs: Any) -> None:
        errors: dict[int, Any] = {}
        seen: dict[str, int] = {}
        for place, cron in enumerate(data.get("crons") or []):
            cron_name = cron.get("name") if isinstance(cron, dict) else None
            if cron_name in seen:
                errors[place] = {"name": [f"is the name of crons[{seen[cron_name]}] already"]}
            elif cron_name is not None:
                seen[cron_name] = place
        if errors:
            raise ValidationError({"crons": errors})


class CronChanges(SettingsShape):
    product = name()
    service = name()
    name = name()
    schedule = Text(validate=schedule, allow_none=True)


class Start(Shape):
    run_id = name()
    message = Text()
    started_at = Instant()


HEARTBEATS = {
    "success": "success",
    "ok": "success",
    "failure": "fail",
    "fail": "fail",
    "failed": "fail",
    "error": "fail",
    "running": "running",
}


class Heartbeat(Start):
    status = Text(
        required=True,
        validate=OneOf(list(HEARTBEATS), error=f"must be one of {', '.join(HEARTBEATS)}"),
    )
    duration_ms = Whole(0, LONGEST_MS, allow_none=True)
    exit_code = Whole(*_EXIT_CODES, allow_none=True)
    run_id = name(allow_none=True)
    message = Text(allow_none=True)
    started_at = Instant(allow_none=True)
    finished_at = Instant(allow_none=True)


class Log(Shape):
    run_id = name()
    message = Text(required=True)


class Ping(Shape):
    """The query of a ping. What else is in the query is let be: no signal is lost over it."""

    class Meta:
        unknown = "exclude"

    rid = name()
    duration_ms = WholeText(0, LONGEST_MS)
    exit_code = WholeText(*_EXIT_CODES)
    msg = Text()


class Page(Shape):
    limit = WholeText(1, MOST_LISTED, load_default=100)
    cursor = Text()


class CronQuery(Page):
    product = Text()
    service = Text()
    search = Text()
    project_id = Text()
    status = Text(validate=_one_of(Shown))
    tag = Text()


class RunQuery(Page):
    status = Text(validate=_one_of(RunStatus))
    start = Instant(data_key="from")
    end = Instant(data_key="to")


class IncidentQuery(Page):
    cron_id = Text()
    status = Text(validate=OneOf(["open", "resolved"], error="must be one of open, resolved"))


class Preview(Shape):
    schedule = Text(required=True, validate=schedule)
    timezone = Text(load_default="UTC", validate=timezone)
    after = Instant()
    count = WholeText(1, 500, load_default=10)
