"""Which occurrences a cron expects: those of its cron expression, or of its interval since the last run."""

from datetime import datetime, timedelta

from chalicelib.domain.monitor.cron import Cron, Settings
from chalicelib.domain.schedule.occurrences import Occurrences, times_of
from chalicelib.domain.schedule.schedule import Interval, parse_schedule


def occurrences(cron: Cron) -> Occurrences | None:
    """None for a cron without a schedule, or one that expects nothing (paused)."""
    if cron.expected_at is None:
        return None
    return occurrences_around(cron.settings, cron.expected_at)


def occurrences_around(settings: Settings, occurrence: datetime) -> Occurrences | None:
    """Those of which `occurrence` is one; an interval's begin with it. None without a schedule."""
    if settings.schedule is None:
        return None
    return times_of(parse_schedule(settings.schedule, settings.timezone), occurrence)


def interval_of(settings: Settings) -> timedelta | None:
    """The interval of an `@every` schedule; None for any other."""
    if settings.schedule is None:
        return None
    schedule = parse_schedule(settings.schedule, settings.timezone)
    return timedelta(seconds=schedule.seconds) if isinstance(schedule, Interval) else None


def first_expected(settings: Settings, now: datetime) -> datetime | None:
    """The first occurrence to wait for, for a cron that starts (or starts afresh) now."""
    if settings.schedule is None:
        return None
    schedule = parse_schedule(settings.schedule, settings.timezone)
    return times_of(schedule, now).next(now)
