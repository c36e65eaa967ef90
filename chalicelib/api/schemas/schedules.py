"""What a schedule means."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from chalicelib.api.schemas.values import Answer, Instant, Request, Schedule, Timezone
from chalicelib.domain.language import Language


class PreviewQuery(Request):
    #: A cron expression, a name such as `@daily`, or `@every 10m`.
    schedule: Schedule
    #: The IANA time zone of the schedule.
    timezone: Timezone = "UTC"
    #: Now unless given.
    after: Instant | None = None
    #: How many runs to preview.
    count: Annotated[int, Meta(ge=1, le=500)] = 10
    #: The language of the description.
    lang: Language = Language.EN


class Preview(Answer):
    #: The schedule, as given.
    schedule: str
    #: The IANA time zone of the schedule.
    timezone: str
    #: The schedule in words.
    description: str
    #: The next runs, earliest first.
    next_runs: tuple[datetime, ...]
