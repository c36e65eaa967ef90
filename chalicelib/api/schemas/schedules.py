"""What a schedule means."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from chalicelib.api.schemas.values import Answer, Instant, Request, Schedule, Timezone


class PreviewQuery(Request):
    schedule: Schedule
    timezone: Timezone = "UTC"
    #: Now unless given.
    after: Instant | None = None
    count: Annotated[int, Meta(ge=1, le=500)] = 10


class Preview(Answer):
    schedule: str
    timezone: str
    #: The schedule in words.
    description: str
    next_runs: tuple[datetime, ...]
