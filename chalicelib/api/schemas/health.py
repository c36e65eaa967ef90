"""Whether CronHub is well."""

from datetime import datetime
from typing import Self

from chalicelib.api.schemas.values import Answer
from chalicelib.services.health import Health


class Alive(Answer):
    #: Always `ok`.
    status: str = "ok"


class PartHealth(Answer):
    #: Whether it works.
    ok: bool


class TickHealth(Answer):
    #: Whether it works.
    ok: bool
    #: When the last tick that ran to its end began.
    last_at: datetime | None
    #: How long ago that was; null: none is known.
    age_seconds: float | None
    #: Since when crons that are due wait to be judged, past their minute; null: none do.
    behind_since: datetime | None


class DeepHealth(Answer):
    #: `ok`, `degraded` (only the queue is out of reach: alerts leave up to a minute later) or `failing`.
    status: str
    #: The database.
    store: PartHealth
    #: The queue that wakes delivery.
    queue: PartHealth
    #: The check that runs every minute.
    tick: TickHealth

    @classmethod
    def of(cls, found: Health) -> Self:
        watch = found.watch
        age = None if watch.ticked_at is None else (found.now - watch.ticked_at).total_seconds()
        return cls(
            "ok" if found.is_well and found.queue else "degraded" if found.is_well else "failing",
            PartHealth(found.store),
            PartHealth(found.queue),
            TickHealth(found.tick, watch.ticked_at, age, watch.backlog.behind_since),
        )
