"""When an org's reports come."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from chalicelib.domain.schedule.schedule import CronSchedule, parse_schedule
from chalicelib.domain.times import INSTANT


class ReportEvery(StrEnum):
    OFF = "off"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


class ReportPlan(NamedTuple):
    every: ReportEvery = ReportEvery.OFF
    #: Of the week: 1 is Monday, 7 is Sunday. Of the month: 1 to 28.
    day: int = 1
    hour: int = 8
    timezone: str = "UTC"
    #: Over which channels, by id; none named: over all.
    channel_ids: tuple[str, ...] = ()

    @property
    def most_days(self) -> int:
        """The last day that there is in every week, or in every month."""
        return 7 if self.every is ReportEvery.WEEKLY else 28


def next_report(plan: ReportPlan, after: datetime) -> datetime | None:
    """When the first report after a moment is due; None: they are off."""
    return None if plan.every is ReportEvery.OFF else _times(plan).next(after)


def period_began(plan: ReportPlan, due_at: datetime) -> datetime | None:
    """When the report before was due: since then the one that is due at `due_at` tells."""
    if plan.every is ReportEvery.OFF:
        return None
    return _times(plan).latest(due_at - INSTANT)


def _times(plan: ReportPlan) -> CronSchedule:
    day = f"* * {plan.day}" if plan.every is ReportEvery.WEEKLY else f"{plan.day} * *"
    times = parse_schedule(f"0 {plan.hour} {day}", plan.timezone)
    assert isinstance(times, CronSchedule)
    return times
