"""A cron's figures: its details, and its days."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Self

from msgspec import field

from chalicelib.api.schemas.crons import CronOut
from chalicelib.api.schemas.dependencies import Dependencies, DependencyOut, NamedCron
from chalicelib.api.schemas.runs import DriftOut, RunOut
from chalicelib.api.schemas.values import Answer, Day, Request, fields_of
from chalicelib.domain.monitor.cron import Cron
from chalicelib.domain.monitor.drift_alerts import drift_of_cron
from chalicelib.domain.monitor.expectation import occurrences
from chalicelib.domain.runs.counts import Counts, DailyCounts, sum_counts
from chalicelib.domain.runs.periods import Period
from chalicelib.domain.runs.sla import sla_of
from chalicelib.domain.schedule.learning import ScheduleProposal
from chalicelib.domain.schedule.occurrences import END_OF_TIME
from chalicelib.services.crons import shown_with
from chalicelib.services.proposals import proposal_of
from chalicelib.services.statistics import Days, Details

_NEXT_RUNS = 10


class StatsQuery(Request):
    #: The first UTC day; 30 days in all unless given.
    from_: Day | None = field(default=None, name="from")
    #: The last UTC day; today unless given.
    to: Day | None = None


class Figures(Answer):
    #: Occurrences whose time is over.
    expected: int
    #: Occurrences that a run succeeded for.
    met: int
    #: Occurrences without a run.
    missed: int
    #: Occurrences that were not met and do not count against the SLA.
    excused: int
    #: Runs that ended.
    runs: int
    #: Runs that succeeded.
    ok: int
    #: Runs that failed.
    failed: int
    #: Runs that exceeded their time limit.
    timed_out: int
    #: Runs that started later than the lateness tolerance allows.
    late: int
    #: Percent of the runs that succeeded; null when there were none.
    success_rate: float | None
    #: Durations are those of the successful runs; percentiles are accurate to 5%.
    average_duration_ms: float | None
    #: Half of the successful runs took at most this long.
    p50_ms: float | None
    #: 95% of the successful runs took at most this long.
    p95_ms: float | None
    #: 99% of the successful runs took at most this long.
    p99_ms: float | None
    #: The shortest successful run.
    min_ms: int | None
    #: The longest successful run.
    max_ms: int | None

    @classmethod
    def of(cls, one: Counts) -> "Figures":
        durations = one.durations
        return Figures(
            expected=one.expected,
            met=one.met,
            missed=one.missed,
            excused=one.excused,
            runs=one.runs,
            ok=one.ok,
            failed=one.failed,
            timed_out=one.timed_out,
            late=one.late,
            success_rate=_rounded(100 * one.ok / one.runs) if one.runs else None,
            average_duration_ms=_rounded(durations.average_ms),
            p50_ms=_rounded(durations.percentile(0.5)),
            p95_ms=_rounded(durations.percentile(0.95)),
            p99_ms=_rounded(durations.percentile(0.99)),
            min_ms=durations.min_ms if durations.runs else None,
            max_ms=durations.max_ms if durations.runs else None,
        )


class FiguresSince(Figures, kw_only=True):
    #: From when it counts.
    since: datetime

    @classmethod
    def from_period(cls, period: Period) -> Self:
        return cls(**fields_of(Figures.of(period.counts)), since=period.since)


class PeriodFigures(Answer):
    #: The last 24 hours.
    last_24h: FiguresSince = field(name="24h")
    #: The last whole UTC days, today among them.
    last_7d: FiguresSince = field(name="7d")
    #: The last 30 UTC days, today included.
    last_30d: FiguresSince = field(name="30d")
    #: The last 90 UTC days, today included.
    last_90d: FiguresSince = field(name="90d")

    @classmethod
    def of(cls, periods: Mapping[str, Period]) -> Self:
        return cls(*(FiguresSince.from_period(periods[name]) for name in cls.__struct_encode_fields__))


class SlaOut(Answer):
    #: Percent of the occurrences that were met; null when none counts.
    compliance: float | None
    #: Whether the target is met.
    met: bool | None
    #: How many occurrences were not met.
    unmet: int
    #: How many may go unmet under the target.
    allowed: float
    #: Percent of the error budget left: 100 when unused, negative when overspent.
    error_budget_left_percent: float | None

    @classmethod
    def of(cls, counts: Counts, target: float) -> Self:
        one = sla_of(counts, target)
        return cls(
            _rounded(one.compliance),
            one.is_met,
            one.unmet,
            round(one.allowed, 3),
            _rounded(one.budget_left_percent),
        )


class PeriodSlas(Answer):
    #: Percent of the occurrences that must be met.
    target: float
    #: The last 24 hours.
    last_24h: SlaOut = field(name="24h")
    #: The last 7 UTC days, today included.
    last_7d: SlaOut = field(name="7d")
    #: The last 30 UTC days, today included.
    last_30d: SlaOut = field(name="30d")
    #: The last 90 UTC days, today included.
    last_90d: SlaOut = field(name="90d")

    @classmethod
    def of(cls, periods: Mapping[str, Period], target: float) -> Self:
        names = cls.__struct_encode_fields__[1:]
        return cls(target, *(SlaOut.of(periods[name].counts, target) for name in names))


class ProposalOut(Answer):
    #: A cron expression, or `@every 10m`.
    schedule: str
    #: The IANA time zone of the schedule.
    timezone: str
    #: How many runs it was learned from.
    runs: int

    @classmethod
    def of(cls, one: ScheduleProposal | None) -> Self | None:
        return None if one is None else cls(one.schedule, one.timezone, one.runs)


class CronDetails(CronOut, kw_only=True):
    #: Figures by period.
    stats: PeriodFigures
    #: The SLA by period.
    sla: PeriodSlas
    #: The anomalies among the last 100 runs.
    anomalies: tuple[RunOut, ...]
    #: Why the start is off its schedule; null when it is not.
    drift: DriftOut | None
    #: What this cron waits for.
    dependencies: tuple[DependencyOut, ...]
    #: What waits for this cron.
    dependants: tuple[NamedCron, ...]
    #: The next 10 occurrences.
    next_runs: tuple[datetime, ...]
    #: The schedule that a cron without one seems to run on; null while its runs do not show one.
    schedule_proposal: ProposalOut | None

    @classmethod
    def detailed(cls, found: Details, now: datetime) -> Self:
        cron = found.cron
        around = Dependencies.of(found.dependencies, found.dependants, now)
        return cls(
            **fields_of(CronOut.of(shown_with(cron, now, found.windows))),
            stats=PeriodFigures.of(found.periods),
            sla=PeriodSlas.of(found.periods, cron.settings.sla_target),
            anomalies=tuple(RunOut.listed(run) for run in found.recent if run.anomaly),
            drift=DriftOut.of(drift_of_cron(cron)),
            **fields_of(around),
            next_runs=_next_runs(cron, now),
            schedule_proposal=ProposalOut.of(proposal_of(cron, found.recent, now)),
        )


def _next_runs(one: Cron, now: datetime) -> tuple[datetime, ...]:
    times = occurrences(one)
    return () if times is None else tuple(times.between(now, END_OF_TIME, _NEXT_RUNS))


class DayFigures(Figures, kw_only=True):
    #: The UTC day.
    day: date

    @classmethod
    def of_day(cls, one: DailyCounts) -> Self:
        return cls(**fields_of(Figures.of(one.counts)), day=one.day)


class StatsOut(Answer):
    #: The first day.
    from_: date = field(name="from")
    #: The last day.
    to: date
    #: One entry per day, in order.
    days: tuple[DayFigures, ...]
    #: All days together.
    total: Figures

    @classmethod
    def of(cls, found: Days) -> Self:
        days = tuple(DayFigures.of_day(one) for one in found.days)
        return cls(found.first, found.last, days, Figures.of(sum_counts(one.counts for one in found.days)))


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 3)
