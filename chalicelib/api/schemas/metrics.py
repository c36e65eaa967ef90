"""Numbers about all crons of an organization."""

from collections.abc import Mapping
from typing import Self

from chalicelib.api.schemas.values import Answer, Limit, Name, Request
from chalicelib.domain.errors import FieldError, Invalid
from chalicelib.domain.monitor.display_status import DisplayStatus
from chalicelib.services.cron_counts import Service


class MetricsQuery(Request):
    #: Whether to add gauges for single crons.
    per_cron: bool = False
    #: How many crons get gauges.
    limit: Limit = 1000
    #: Gauges only for the crons of a service of this product. Goes with `service`.
    product: Name | None = None
    #: Gauges only for the crons of this service. Goes with `product`.
    service: Name | None = None

    def of_service(self) -> Service | None:
        """Raises Invalid for a product without a service, and the other way round."""
        if self.product is not None and self.service is not None:
            return Service(self.product, self.service)
        if self.product is not None or self.service is not None:
            missing = "service" if self.service is None else "product"
            raise Invalid(FieldError(missing, "is required: product and service go together"))
        return None


class CronCounts(Answer):
    #: All but archived ones.
    total: int
    #: They have not signalled yet.
    new: int
    #: All is well.
    up: int
    #: Their time is over by more than the lateness tolerance.
    late: int
    #: A dependency did not let them start.
    blocked: int
    #: They missed their time, failed or timed out.
    down: int
    #: They are in trouble that maintenance holds back.
    in_maintenance: int
    #: They are not watched.
    paused: int

    @classmethod
    def of(cls, numbers: Mapping[DisplayStatus, int]) -> Self:
        shown = {
            status.value: number for status, number in numbers.items() if status is not DisplayStatus.ARCHIVED
        }
        return cls(total=sum(shown.values()), **shown)


class Overview(Answer):
    #: How many crons there are.
    crons: CronCounts
