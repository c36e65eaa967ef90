"""A schedule in English words."""

import re

from chalicelib.domain.schedule.expression import CronFields
from chalicelib.domain.schedule.schedule import CalendarSchedule, Interval, parse_schedule

_UNITS = {"d": "day", "h": "hour", "m": "minute", "s": "second"}


def describe(expression: str) -> str:
    """`30 2 * * 1-5` as "At 02:30, Monday through Friday", `@every 10m` as "Every 10 minutes".

    Raises ScheduleError as `parse_schedule` does.
    """
    schedule = parse_schedule(expression)
    if isinstance(schedule, Interval):
        return _interval_words(schedule.expression)
    if isinstance(schedule, CalendarSchedule):
        return f"At {schedule.expression}, a calendar expression of systemd"
    return _cron_words(schedule.fields)


def _interval_words(expression: str) -> str:
    found = re.findall(r"(\d+)([dhms])", expression)
    parts = [(int(number), _UNITS[unit]) for number, unit in found if int(number)]
    if len(parts) == 1 and parts[0][0] == 1:
        return f"Every {parts[0][1]}"
    words = (f"{number} {unit}{'' if number == 1 else 's'}" for number, unit in parts)
    return f"Every {' and '.join(words)}"


def _cron_words(fields: CronFields) -> str:
    """Field by field: cron-descriptor cannot tell "and" from "or" between days and weekdays."""
    minute, hour, day, month, weekday = fields.text.split(" ")
    minute, hour = _evenly(fields.minutes, minute, 60), _evenly(fields.hours, hour, 24)
    words = _words(f"{minute} {hour} * * *", "FULL")
    if day != "*":
        words += _words(f"* * {day} * *", "DAYOFMONTH")
    if weekday != "*":
        weekdays = _words(f"* * * * {_week(fields.weekdays)}", "DAYOFWEEK")
        words += weekdays if day == "*" else _joined(weekdays, fields.days_and_weekdays)
    if month != "*":
        words += _words(f"* * * {month} *", "MONTH")
    return words


def _joined(weekdays: str, both: bool) -> str:
    """ ", only on Friday" as it stands behind the days of the month."""
    rest = weekdays.removeprefix(", ").removeprefix("only ")
    return f", but only {rest}" if both else f", or {rest}"


def _words(expression: str, part: str) -> str:
    # Imported where it is needed: 60 ms that a cold start does not have to pay.
    from cron_descriptor import (  # type: ignore[import-untyped]
        DescriptionTypeEnum,
        ExpressionDescriptor,
        Options,
    )

    options = Options()
    options.locale_code = "en_US"
    options.use_24hour_time_format = True
    descriptor = ExpressionDescriptor(expression, options)
    return str(descriptor.get_description(DescriptionTypeEnum[part]))


def _evenly(values: tuple[int, ...], text: str, size: int) -> str:
    """`*/5` for 0, 5, 10 … 55; not for 0, 7 … 56, as the step from 56 to 0 is another."""
    step = size // len(values)
    even = 1 < step < size and values == tuple(range(0, size, step))
    return f"*/{step}" if even else text


def _week(weekdays: tuple[int, ...]) -> str:
    """Sunday is put last, so that Friday to Sunday is one range."""
    days = sorted(day or 7 for day in weekdays)
    if len(days) > 2 and days[-1] - days[0] == len(days) - 1:
        return f"{days[0]}-{days[-1]}"
    return ",".join(map(str, days))
