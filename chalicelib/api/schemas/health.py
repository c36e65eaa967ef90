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


class HearingHealth(Answer):
    #: Whether test signals arrive through the public address; null: no such address is set, or no tick came yet.
    ok: bool | None
    #: When the last one arrived.
    last_at: datetime | None
    #: Since when none arrives, though some did before: deadlines from then on are `unknown`; null: they arrive.
    deaf_since: datetime | None
    #: What is wrong, in words; null: nothing.
    detail: str | None


class DeepHealth(Answer):
    #: `ok`, `degraded` (the queue is out of reach: alerts leave up to a minute later; or no test signal ever
    #: arrived through the public address) or `failing`.
    status: str
    #: The database.
    store: PartHealth
    #: The queue that wakes delivery.
    queue: PartHealth
    #: The check that runs every minute.
    tick: TickHealth
    #: The test signal that each tick sends through the public address.
    hearing: HearingHealth

    @classmethod
    def of(cls, found: Health) -> Self:
        watch = found.watch
        age = None if watch.ticked_at is None else (found.now - watch.ticked_at).total_seconds()
        return cls(
            "ok" if found.is_perfect else "degraded" if found.is_well else "failing",
            PartHealth(found.store),
            PartHealth(found.queue),
            TickHealth(found.tick, watch.ticked_at, age, watch.backlog.behind_since),
            HearingHealth(found.hears, watch.hearing.heard_at, found.deaf_since, found.why_deaf),
        )
