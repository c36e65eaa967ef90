"""A schedule in words, in English or French: what it says is what it does."""

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from chalicelib.domain.language import Language
from chalicelib.domain.schedule.expression import CronFields
from chalicelib.domain.schedule.phrases import PHRASES, Phrases
from chalicelib.domain.schedule.schedule import CalendarSchedule, Interval, parse_schedule

_HOUR, _DAY = 60, 24
#: More times of day than these are named by their minutes and hours.
_MOST_TIMES = 12


def describe(expression: str, language: Language = Language.EN) -> str:
    """`30 2 * * 1-5` as "At 02:30, Monday through Friday", `@every 10m` as "Every 10 minutes".

    Raises ScheduleError as `parse_schedule` does.
    """
    schedule, phrases = parse_schedule(expression), PHRASES[language]
    if isinstance(schedule, Interval):
        found = re.findall(r"(\d+)([dhms])", schedule.expression)
        return phrases.interval([(int(number), unit) for number, unit in found if int(number)])
    if isinstance(schedule, CalendarSchedule):
        return phrases.calendar(schedule.expression)
    fields = schedule.fields
    return _time_of_day(fields, phrases) + _days(fields, phrases) + _months(fields, phrases)


class _Values(NamedTuple):
    """The values of a field, and the shape they have."""

    values: tuple[int, ...]
    size: int

    @property
    def is_all(self) -> bool:
        return len(self.values) == self.size

    @property
    def is_span(self) -> bool:
        return len(self.values) > 2 and len(spans_of(self.values)) == 1

    @property
    def step(self) -> int:
        """5 for 0, 5, 10 … 55; 0 for 0, 7 … 56, as the step from 56 to 0 is another."""
        step = self.size // len(self.values)
        return step if 1 < step < self.size and self.values == tuple(range(0, self.size, step)) else 0


def _time_of_day(fields: CronFields, phrases: Phrases) -> str:
    minutes, hours = _Values(fields.minutes, _HOUR), _Values(fields.hours, _DAY)
    step = 1 if minutes.is_all else minutes.step
    if step or hours.is_all:
        often = phrases.every_minutes(step) if step else _each_hour(minutes, phrases)
        return often if hours.is_all else often + _within(hours, phrases)
    if hours.step and minutes.values == (0,):
        return phrases.every_hours(hours.step)
    is_few = len(minutes.values) * len(hours.values) <= _MOST_TIMES
    if is_few and not hours.is_span and not minutes.is_span:
        return phrases.at([f"{hour:02}:{minute:02}" for hour in hours.values for minute in minutes.values])
    if minutes.is_span and len(hours.values) == 1:
        [hour], first, last = hours.values, minutes.values[0], minutes.values[-1]
        return phrases.every_minutes(1) + phrases.between([(f"{hour:02}:{first:02}", f"{hour:02}:{last:02}")])
    if hours.step:
        return _each_hour(minutes, phrases) + phrases.also_every_hours(hours.step)
    if minutes.values == (0,) and hours.is_span:
        return phrases.every_hours(1) + phrases.between(
            [(f"{hours.values[0]:02}:00", f"{hours.values[-1]:02}:00")]
        )
    return _each_hour(minutes, phrases) + _within(hours, phrases)


def _each_hour(minutes: _Values, phrases: Phrases) -> str:
    return phrases.every_hours(1) if minutes.values == (0,) else phrases.minutes(minutes.values)


def _within(hours: _Values, phrases: Phrases) -> str:
    return phrases.between([(f"{first:02}:00", f"{last:02}:59") for first, last in spans_of(hours.values)])


def _days(fields: CronFields, phrases: Phrases) -> str:
    """Which days: crontab(5) says when days of the month and weekdays mean "and", and when "or"."""
    any_day, any_weekday = len(fields.days) == 31, len(fields.weekdays) == 7
    if not fields.days_and_weekdays and (any_day or any_weekday):
        return ""
    # Sunday is put last, so that Friday to Sunday is one span.
    weekdays = tuple(sorted(day or 7 for day in fields.weekdays))
    if any_weekday:
        return "" if any_day else phrases.days(fields.days)
    if any_day:
        return phrases.only_weekdays(weekdays)
    joined = phrases.but_only_weekdays if fields.days_and_weekdays else phrases.or_weekdays
    return phrases.days(fields.days) + joined(weekdays)


def _months(fields: CronFields, phrases: Phrases) -> str:
    return "" if len(fields.months) == 12 else phrases.months(fields.months)


def spans_of(values: Iterable[int]) -> list[tuple[int, int]]:
    """1, 2, 3, 7 as (1, 3) and (7, 7)."""
    listed = list(values)
    breaks = [(before, value) for before, value in pairwise(listed) if value != before + 1]
    starts = [listed[0], *(value for _, value in breaks)]
    ends = [*(before for before, _ in breaks), listed[-1]]
    return list(zip(starts, ends, strict=True))
