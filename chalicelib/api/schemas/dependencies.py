"""What crons depend on."""

from datetime import datetime
from typing import Self

from chalicelib.api.schemas.values import Answer, Request, fields_of
from chalicelib.domain.monitor.cron import Cron
from chalicelib.domain.monitor.dependencies import Blocker, Unmet
from chalicelib.domain.monitor.display_status import DisplayStatus, display_status


class AddDependency(Request):
    #: The id of the cron to wait for.
    depends_on_id: str


class NamedCron(Answer):
    #: The id, for use in paths.
    id: str
    #: The name that people see.
    name: str
    #: The product that the cron belongs to.
    product: str
    #: The service that the cron belongs to.
    service: str
    #: The status that people see.
    status: DisplayStatus

    @classmethod
    def named(cls, one: Cron, now: datetime) -> "NamedCron":
        return NamedCron(one.id, one.name, one.product, one.service, display_status(one, now))


class DependencyOut(NamedCron, kw_only=True):
    #: Whether it succeeded for its latest occurrence.
    completed: bool
    #: Why it is not completed; null when it is.
    reason: Unmet | None

    @classmethod
    def of(cls, one: Cron, blocker: Blocker | None, now: datetime) -> Self:
        reason = None if blocker is None else blocker.reason
        return cls(**fields_of(cls.named(one, now)), completed=blocker is None, reason=reason)


class Dependencies(Answer):
    #: What this cron waits for.
    dependencies: tuple[DependencyOut, ...]
    #: What waits for this cron.
    dependants: tuple[NamedCron, ...]

    @classmethod
    def of(cls, waited_for: list[tuple[Cron, Blocker | None]], waiting: list[Cron], now: datetime) -> Self:
        return cls(
            tuple(DependencyOut.of(one, blocker, now) for one, blocker in waited_for),
            tuple(NamedCron.named(one, now) for one in waiting),
        )
